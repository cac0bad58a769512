"""The pages of charts that people keep: the list, one with its figures and history, the form with its preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import Any, Literal

from flask import Response
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.conditions.occurrence import unseen
from treegarth.documents.differences import Newer, TextOf, newer_than, shown_versions, version_of
from treegarth.documents.pages import problems_of
from treegarth.documents.store import EditedMeanwhile, Stored
from treegarth.errors import DocumentRefused, InvalidRequest, NotFound, RequestConflict
from treegarth.feature import House
from treegarth.features.dose.analysis.charts.documents import (
    CHART_DOCUMENTS,
    LIST_PAGE,
    ONE_PAGE,
    drawn_if_on,
    drawn_of,
    parse,
)
from treegarth.features.dose.analysis.charts.drawing import Drawn, said_of_chart
from treegarth.features.dose.analysis.charts.form import (
    ChartForm,
    Draft,
    after_button,
    blank,
    choices_of_values,
    form_document,
    form_of_document,
    read_draft,
)
from treegarth.features.dose.analysis.charts.model import Statistic
from treegarth.features.dose.analysis.charts.paths import DoseChartPath
from treegarth.features.dose.analysis.charts.store import names_of_standards
from treegarth.features.dose.analysis.charts.words import GROUPS, KIND_NAMES, LEVELS, PERIODS, STATISTICS
from treegarth.features.dose.analysis.figures import OF_LEVEL, PHANTOM_NAMES
from treegarth.features.dose.analysis.said import SaidOfChart, record_with, rows_with
from treegarth.features.dose.analysis.store.groups import Figure
from treegarth.features.dose.analysis.store.names import modalities_with_exams
from treegarth.features.dose.analysis.store.shape import Bin
from treegarth.phrases import N_, P_, Phrase
from treegarth.record import Record
from treegarth.web.call import AnyCall, Call
from treegarth.web.condition_form import ConditionForm, ShownGroup, condition_inputs, values_named
from treegarth.web.condition_form import in_lines as condition_in_lines
from treegarth.web.condition_tree import path_of_place
from treegarth.web.endpoints import route
from treegarth.web.export import FORMAT_WORDS, FORMATS, MEDIA_TYPES, Format, fields_of, write_export
from treegarth.web.forms import form_of, in_lines
from treegarth.web.listing import ANY_BYTES
from treegarth.web.parts import in_words, translated
from treegarth.web.routes import Identifier, Parameters, Route
from treegarth.web.templates import render_page
from treegarth.web.told import Undo, leave, see_other

BASE = "/treegarth/dose/charts"
ONE = f"{BASE}/{{dose_chart_id}}"
NO_PROBLEMS: Mapping[str, Sequence[str]] = MappingProxyType({})


class ChartsQuery(Parameters):
    """Which charts are listed."""

    removed: bool = False
    """Whether those that were removed are listed too."""


class ChartQuery(Parameters):
    """How a chart is shown."""

    as_table: bool = False
    """Whether it is a table instead."""


class ChartFilePath(DoseChartPath):
    format: Format
    """`csv`, `xlsx` or `parquet`."""


class VersionForm(Parameters):
    """Which version of a chart is to hold again."""

    version: Identifier
    """Its number."""
    since: Identifier | None = None
    """Nothing is restored where somebody changed it after this version."""


def routes() -> list[Route]:
    view, write = Permission.SEE_DOSE, Permission.ANNOTATE
    pages: list[tuple[str, str, Any, str, Permission, Literal["GET", "POST"]]] = [
        (LIST_PAGE, BASE, charts_page, "Charts that people composed.", view, "GET"),
        (ONE_PAGE, ONE, chart_page, "One chart with its figures as they are now, and its history.", view, "GET"),
        ("dose.new_chart_page", f"{BASE}/new", new_page, "A new chart.", write, "GET"),
        ("dose.create_chart_page", f"{BASE}/new", create_page, "Look at a new chart, or save it.", write, "POST"),
        ("dose.edit_chart_page", f"{ONE}/edit", edit_page, "A chart to edit.", write, "GET"),
        ("dose.change_chart_page", f"{ONE}/edit", change_page, "Look at a chart, or save it.", write, "POST"),
        (
            "dose.restore_chart_page",
            f"{ONE}/restore",
            restore_page,
            "Let an earlier version of a chart hold again.",
            write,
            "POST",
        ),
    ]
    file_route = route(
        name="dose.chart_file",
        path=f"{ONE}/figures/{{format}}",
        permission=view,
        handler=file,
        summary="The figures of a chart as a CSV, XLSX or Parquet file.",
        media_type=ANY_BYTES,
    )
    return [
        *(
            route(name=name, path=path, method=method, permission=permission, handler=handler, summary=summary)
            for name, path, handler, summary, permission, method in pages
        ),
        file_route,
    ]


# ---- looking ----


def charts_page(call: Call[ChartsQuery, None, None]) -> Response:
    with call.connect() as connection:
        found = CHART_DOCUMENTS.all(call, connection, removed=call.query.removed)
    return render_page(
        call,
        "dose/charts.html",
        charts=found,
        with_removed=call.query.removed,
        may_write=call.actor.may(CHART_DOCUMENTS.may_write),
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {
        "kind_names": KIND_NAMES,
        "groups": GROUPS,
        "statistics": STATISTICS,
        "periods": PERIODS,
        "phantom_names": PHANTOM_NAMES,
        "of_level": OF_LEVEL,
        "statistic_of": statistic_of,
    }


def statistic_of(figure: Figure, statistic: Statistic) -> float | None:
    """What a bar or a point of a line shows, in the stored unit."""
    value: float | None = getattr(figure, statistic)
    return value


def chart_page(call: Call[ChartQuery, None, DoseChartPath]) -> Response:
    with call.connect() as connection:
        stored = CHART_DOCUMENTS.read(call, connection, call.path.dose_chart_id, removed=True)
        is_drawn = stored.is_on and stored.removed_at is None
        drawn = drawn_of(call, connection, stored.document) if is_drawn else None
        versions = shown_versions(CHART_DOCUMENTS.kind.history(connection, stored.id), _text_of(call, connection))
    return render_page(
        call,
        "dose/chart.html",
        stored=stored,
        drawn=drawn,
        condition=_condition(call, stored),
        versions=versions,
        files=_files(call, stored),
        may_write=call.actor.may(CHART_DOCUMENTS.may_write),
        **_words(),
    )


def _text_of(call: AnyCall, connection: Connection) -> TextOf:
    """A chart's document line by line, in the words of its page and its form."""
    conditions = _conditions(call)
    kinds: dict[str, str] = {name: Phrase(words) for name, words in KIND_NAMES.items()}
    choices: dict[str, Mapping[str, str]] = {**_choices(call, connection), "chart": kinds}

    def say(message: str) -> str:
        return translated(call, message)

    def text_of(document: Mapping[str, Any]) -> str:
        draft = form_of_document(document, conditions)
        form = form_of(draft.typed, ChartForm, NO_PROBLEMS, choices=choices)
        lines = in_lines([one for name, one in form.inputs.items() if name in draft.typed], say)
        if document.get("studies") is not None:
            fulfilled = condition_in_lines(conditions.shown(draft.condition, {}, {}), say, margin="  ")
            head = say(N_("Only studies in the archive that fulfil"))
            lines += [f"{head}:", *fulfilled]
        return "\n".join(lines)

    return text_of


def _condition(call: AnyCall, stored: Stored) -> ShownGroup | None:
    """What the studies fulfil, in the words of its form."""
    if stored.document.get("studies") is None:
        return None
    conditions = _conditions(call)
    return conditions.shown(form_of_document(stored.document, conditions).condition, {}, {})


def _files(call: AnyCall, stored: Stored) -> list[tuple[str, str]]:
    """What the files are called, and where they are."""
    return [
        (
            FORMAT_WORDS[wanted],
            call.site.url("dose.chart_file", dose_chart_id=stored.id, format=wanted),
        )
        for wanted in FORMATS
    ]


def file(call: Call[None, None, ChartFilePath]) -> Response:
    """With all digits: bins in the unit shown, groups in the stored one, as the endpoint has them; each row says which
    chart it is of, of which values and in which unit."""
    wanted = call.path.format
    with call.connect() as connection:
        _, drawn = drawn_if_on(call, connection, call.path.dose_chart_id)
    record, rows = _rows(drawn)
    with TemporaryFile() as made:
        write_export(wanted, "dose chart", fields_of(record), [rows], made, mark=True)
        made.seek(0)
        name = f"dose-chart-{call.path.dose_chart_id}.{wanted}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(made.read(), mimetype=MEDIA_TYPES[wanted], headers=headers)


def _rows(drawn: Drawn) -> tuple[type[Record], Sequence[Record]]:
    said = said_of_chart(drawn)
    record, rows = (Bin, drawn.bins) if drawn.chart.by is None else (Figure, drawn.groups)
    return record_with(SaidOfChart, record), rows_with(SaidOfChart, record, [(said, one) for one in rows])


# ---- composing ----


def new_page(call: Call[None, None, None]) -> Response:
    with call.connect() as connection:
        modalities = modalities_with_exams(connection)
    return _form(call, blank("CT" if "CT" in modalities or not modalities else modalities[0]), None)


def edit_page(call: Call[None, None, DoseChartPath]) -> Response:
    with call.connect() as connection:
        stored = CHART_DOCUMENTS.read(call, connection, call.path.dose_chart_id)
    return _form(call, form_of_document(stored.document, _conditions(call)), stored)


def create_page(call: Call[None, None, None]) -> Response:
    return _posted(call, None)


def change_page(call: Call[None, None, DoseChartPath]) -> Response:
    with call.connect() as connection:
        stored = CHART_DOCUMENTS.read(call, connection, call.path.dose_chart_id)
    return _posted(call, stored)


def _conditions(call: AnyCall) -> ConditionForm:
    return ConditionForm(call.part(House).vocabulary())


def _posted(call: AnyCall, stored: Stored | None) -> Response:
    """The form again, with a condition more or less or with the chart beneath; or it is saved."""
    act = call.http.form.get("act", "")
    draft = read_draft(call.http.form, _conditions(call))
    over = act.removeprefix("save over ") if act.startswith("save over ") else None
    if act not in ("save", "look") and over is None:
        return _form(call, after_button(draft, act), stored)
    document, _ = form_document(draft, _conditions(call))
    since = version_of(call.http.form.get("version", "") if over is None else over)
    try:
        if act == "look":
            return _looked(call, draft, stored, document)
        with call.begin() as connection:
            if stored is None:
                saved = CHART_DOCUMENTS.create(call, connection, document)
            else:
                saved = CHART_DOCUMENTS.edit(call, connection, stored.id, document, since=since)
    except EditedMeanwhile as error:
        with call.connect() as connection:
            newer = newer_than(error, _text_of(call, connection))
        return _form(call, draft, stored, newer=newer)
    except (InvalidRequest, RequestConflict) as error:
        return _form(call, draft, stored, _placed(call, draft, error))
    return leave(call, call.site.url(ONE_PAGE, dose_chart_id=saved.id))


def _looked(call: AnyCall, draft: Draft, stored: Stored | None, document: Mapping[str, Any]) -> Response:
    """What it shows needs no name."""
    with call.connect() as connection:
        worded = parse(call, connection, {"name": "-", **document}, "document")
        drawn = drawn_of(call, connection, worded.document)
    return _form(call, draft, stored, drawn=drawn)


def _placed(call: AnyCall, draft: Draft, error: InvalidRequest | RequestConflict) -> dict[str, list[str]]:
    """What is wrong, by the input that it is about."""
    paths = form_document(draft, _conditions(call))[1]
    found: dict[str, list[str]] = {}
    for one in problems_of(error):
        place = one.place.removeprefix("document").lstrip(".")
        at = path_of_place(paths, place) or ""
        found.setdefault(at, []).append(" ".join(in_words(call, part) for part in (one.wrong, one.right) if part))
    return found


def _form(
    call: AnyCall,
    draft: Draft,
    stored: Stored | None,
    problems: Mapping[str, Sequence[str]] = NO_PROBLEMS,
    *,
    newer: Newer | None = None,
    drawn: Drawn | None = None,
) -> Response:
    """What is kept is the version that the form began from, also where it is shown again."""
    conditions, url = _conditions(call), call.site.url
    number = None if stored is None else {"dose_chart_id": stored.id}
    with call.connect() as connection:
        choices = _choices(call, connection)
        vocabulary = call.part(House).vocabulary()
        named = values_named(draft.condition, conditions)
        unseen_values = unseen(connection, vocabulary, named, call.services.clock())
    form = form_of(draft.typed, ChartForm, problems, choices=choices, others=condition_inputs(draft.condition))
    return render_page(
        call,
        "dose/chart_form.html",
        name=stored.name if stored else None,
        version=call.http.form.get("version", stored.version if stored else ""),
        newer=newer,
        form=form,
        condition=conditions.shown(draft.condition, form.problems, unseen_values),
        levels=conditions.levels,
        is_adding_condition=call.http.form.get("act", "").startswith(("add-row", "add-group")),
        drawn=drawn,
        address=url("dose.create_chart_page") if number is None else url("dose.change_chart_page", **number),
        leave=url(LIST_PAGE) if number is None else url(ONE_PAGE, **number),
        **_words(),
    )


def _choices(call: AnyCall, connection: Connection) -> dict[str, dict[str, str]]:
    values = {}
    for level, quantity, phantom in choices_of_values():
        shown = OF_LEVEL[level][quantity]
        parts = [LEVELS[level], shown.label, *([PHANTOM_NAMES[phantom]] if phantom else [])]
        key = " ".join((level, quantity, *([phantom] if phantom else [])))
        values[key] = f"{' · '.join(translated(call, one) for one in parts)} ({shown.unit})"
    names = {one: one for one in names_of_standards(connection)}
    return {
        "values": values,
        "modality": {one: one for one in modalities_with_exams(connection)} or {"CT": "CT"},
        "standard_name": {"": translated(call, "all"), **names},
    }


def restore_page(call: Call[None, VersionForm, DoseChartPath]) -> Response:
    """What an earlier version said holds again, as a new one."""
    number, version = call.path.dose_chart_id, call.body.version
    url = call.site.url(ONE_PAGE, dose_chart_id=number)
    try:
        with call.begin() as connection:
            history = CHART_DOCUMENTS.kind.history(connection, number)
            found = next((one for one in history if one.version == version), None)
            if found is None:
                raise NotFound(P_("There is no version with this number."))
            saved = CHART_DOCUMENTS.edit(call, connection, number, found.document, since=call.body.since)
    except (RequestConflict, DocumentRefused) as refused:
        return see_other(call, url, *(one.wrong for one in problems_of(refused)), kind="attention")
    back = {"version": history[0].version, "since": saved.version}
    undo = None
    if saved.version != history[0].version:
        undo = Undo(route="dose.restore_chart_page", path={"dose_chart_id": number}, fields=back)
    return see_other(call, url, P_("It says again what version %(number)s said.", number=version), undo=undo)
