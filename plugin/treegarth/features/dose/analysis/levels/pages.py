"""The pages of reference levels: the sets, a set's rows as CSV, the comparison with its chart and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryFile
from typing import Annotated, Any

from flask import Response
from pydantic import Field

from treegarth.access.actors import Permission
from treegarth.documents.differences import version_of
from treegarth.documents.store import Stored
from treegarth.documents.yaml_text import LARGEST_BYTES
from treegarth.errors import DocumentRefused, RequestConflict
from treegarth.features.dose.analysis.levels.asked import VERDICTS, ComparisonAsked, compared, period_of
from treegarth.features.dose.analysis.levels.comparison import Comparison
from treegarth.features.dose.analysis.levels.documents import SET_DOCUMENTS, RowsOutcome, rows_text, take_rows
from treegarth.features.dose.analysis.levels.paths import LevelSetPath
from treegarth.features.dose.analysis.levels.quantities import LEVEL_QUANTITIES
from treegarth.features.dose.analysis.levels.rows_csv import COLUMNS
from treegarth.features.dose.analysis.levels.sets import SETS, kept
from treegarth.features.dose.analysis.levels.words import WORDS
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.export import BYTE_ORDER_MARK, FORMAT_WORDS, MEDIA_TYPES, Format, fields_of, write_export
from treegarth.web.parts import in_words, translated
from treegarth.web.routes import AnyText, Parameters, Route, Text
from treegarth.web.templates import render_page
from treegarth.web.told import leave

SETS_PAGE = "dose_levels.sets_page"
COMPARISON_PAGE = "dose_levels.comparison_page"
FORMATS: tuple[Format, ...] = ("csv", "xlsx", "parquet")
ABOVE_SCALE = 200.0
"""Percent of the level at which the chart ends; what lies beyond is drawn at its end, with a mark."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """The median and its interval on a scale of 0 to 100, the level at 50."""

    low: float
    median: float
    high: float
    is_beyond: bool

    @property
    def width(self) -> float:
        return self.high - self.low


class SetsQuery(Parameters):
    """Which sets are listed."""

    removed: bool = False
    """Whether those that were removed are listed too."""


class RowsForm(Parameters):
    """What the form of a set's rows sends."""

    text: Annotated[AnyText, Field(max_length=LARGEST_BYTES)] = ""
    version: Text = ""
    act: Text = ""


def routes() -> list[Route]:
    below = "/treegarth/dose/levels"
    one = f"{below}/{{level_set_id}}/rows"
    files = [
        route(
            name=f"dose_levels.comparison_{wanted}",
            path=f"/treegarth/dose/comparison.{wanted}",
            permission=Permission.SEE_DOSE,
            handler=_file(wanted),
            summary=f"The medians of this site beside the reference levels, as {wanted.upper()}.",
            media_type=MEDIA_TYPES[wanted],
        )
        for wanted in FORMATS
    ]
    return [
        route(
            name=SETS_PAGE,
            path=below,
            permission=Permission.SEE_DOSE,
            handler=sets_page,
            summary="The sets of reference levels.",
        ),
        route(
            name="dose_levels.rows_csv",
            path=f"{one}.csv",
            permission=Permission.SEE_DOSE,
            handler=rows_csv,
            summary="The rows of a set of reference levels as CSV.",
            media_type="text/csv",
        ),
        route(
            name="dose_levels.rows_page",
            path=one,
            permission=Permission.DECIDE_DOSE,
            handler=rows_page,
            summary="Rows as CSV for a set of reference levels.",
        ),
        route(
            name="dose_levels.take_rows_page",
            path=one,
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=take_rows_in,
            summary="See what rows as CSV would change of a set, or take them.",
        ),
        route(
            name=COMPARISON_PAGE,
            path="/treegarth/dose/comparison",
            permission=Permission.SEE_DOSE,
            handler=comparison_page,
            summary="The medians of this site and of its devices beside the reference levels.",
        ),
        *files,
    ]


# ---- sets ----


def sets_page(call: Call[SetsQuery, None, None]) -> Response:
    services = call.services
    today = services.clock().astimezone(services.zone).date()
    with call.connect() as connection:
        found = SETS.all(connection, removed=call.query.removed)
    return render_page(
        call,
        "dose/level_sets.html",
        sets=[(stored, kept(stored).says) for stored in found],
        today=today,
        with_removed=call.query.removed,
        may_change=call.actor.may(Permission.DECIDE_DOSE),
    )


def rows_csv(call: Call[None, None, LevelSetPath]) -> Response:
    with call.connect() as connection:
        stored = SET_DOCUMENTS.read(call, connection, call.path.level_set_id, removed=True)
    headers = {"Content-Disposition": f'attachment; filename="reference-levels-{stored.id}.csv"'}
    return Response(BYTE_ORDER_MARK + rows_text(stored), mimetype="text/csv", headers=headers)


def rows_page(call: Call[None, None, LevelSetPath]) -> Response:
    with call.connect() as connection:
        stored = SET_DOCUMENTS.read(call, connection, call.path.level_set_id)
    return _rows_page(call, stored, version=str(stored.version), text=rows_text(stored))


def take_rows_in(call: Call[None, RowsForm, LevelSetPath]) -> Response:
    """First what would change; the same text once more, with the second button, is taken."""
    form, really = call.body, call.body.act == "import"
    text = form.text.replace("\r\n", "\n")
    with call.connect() as connection:
        stored = SET_DOCUMENTS.read(call, connection, call.path.level_set_id)
    show = partial(_rows_page, call, stored, text=text)
    try:
        with call.begin() as connection:
            now, since = SET_DOCUMENTS.read(call, connection, stored.id), version_of(form.version)
            outcome = take_rows(call, connection, now, text, since=since, dry_run=not really)
    except DocumentRefused as refused:
        return show(version=form.version, problems=[in_words(call, one.sentence) for one in refused.problems])
    except RequestConflict as error:
        return show(version=form.version, problems=[in_words(call, error.sentence)])
    if really:
        return leave(call, call.site.url("dose_levels.document_page", level_set_id=stored.id))
    return show(version=form.version, plan=outcome)


def _rows_page(
    call: AnyCall,
    stored: Stored,
    *,
    version: str,
    text: str,
    problems: Sequence[str] = (),
    plan: RowsOutcome | None = None,
) -> Response:
    return render_page(
        call,
        "dose/level_rows.html",
        name=stored.name,
        version=version,
        text=text,
        problems=problems,
        plan=plan,
        columns=COLUMNS,
        quantities=LEVEL_QUANTITIES,
        number=stored.id,
    )


# ---- the comparison ----


def comparison_page(call: Call[ComparisonAsked, None, None]) -> Response:
    asked, period = call.query, period_of(call, call.query)
    with call.connect() as connection:
        sets = SETS.all(connection)
        found = compared(call, connection, asked)
    return render_page(
        call,
        "dose/comparison.html",
        sets=sets,
        found=[(one, drawn(one)) for one in found],
        period=period,
        words=WORDS,
        verdicts=VERDICTS,
        quantities=LEVEL_QUANTITIES,
        modalities=sorted({row["modality"] for one in sets for row in one.document["rows"]}),
        filtered=any(value not in (None, "", True) for value in asked.model_dump().values()) or not asked.by_device,
        files=[(FORMAT_WORDS[one], call.site.url(f"dose_levels.comparison_{one}", **_state(call))) for one in FORMATS],
    )


def _state(call: AnyCall) -> dict[str, str]:
    """What the address asks for, as it stands there."""
    return {name: call.http.args[name] for name in ComparisonAsked.model_fields if call.http.args.get(name)}


def drawn(one: Comparison) -> Drawn | None:
    """None where there is no interval."""
    if one.median is None or one.median_low is None or one.median_high is None:
        return None
    percents = [100 * value / one.level for value in (one.median_low, one.median, one.median_high)]
    low, median, high = (min(value, ABOVE_SCALE) * 100 / ABOVE_SCALE for value in percents)
    return Drawn(low=low, median=median, high=high, is_beyond=percents[2] > ABOVE_SCALE)


def _file(wanted: Format) -> Any:
    def answer(call: Call[ComparisonAsked, None, None]) -> Response:
        with call.connect() as connection:
            found = compared(call, connection, call.query)
        title = translated(call, N_("Comparison with reference levels"))
        with TemporaryFile() as file:
            write_export(wanted, title, fields_of(Comparison), [found], file, mark=True)
            file.seek(0)
            content = file.read()
        when = call.services.clock().astimezone(call.services.zone)
        name = f"reference-levels-{when:%Y-%m-%dT%H%M}.{wanted}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, mimetype=MEDIA_TYPES[wanted], headers=headers)

    return answer
