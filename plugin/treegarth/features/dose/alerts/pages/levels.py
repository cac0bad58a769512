"""Levels of alerts: the list, one with what it made, and the form that sets one and says what it would have made."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel
from sqlalchemy import Connection, select

from treegarth.access.actors import Permission
from treegarth.documents.differences import Newer, newer_than, shown_versions, version_of
from treegarth.documents.pages import problems_of
from treegarth.documents.store import EditedMeanwhile
from treegarth.errors import DocumentRefused, RequestConflict
from treegarth.features.dose.alerts.api import LEVEL_DOCUMENTS, ShownLevel, parse
from treegarth.features.dose.alerts.levels import (
    KINDS,
    MAY_SAY,
    OF_EXAM,
    OF_PATIENT,
    OF_SOME_KIND,
    AlertKind,
    LevelParameters,
)
from treegarth.features.dose.alerts.paths import DoseAlertLevelPath
from treegarth.features.dose.alerts.preview import AlertsPreview, preview
from treegarth.features.dose.alerts.store.alerts import count_of_levels
from treegarth.features.dose.alerts.store.levels import LEVELS, StoredLevel
from treegarth.features.dose.alerts.words import KIND_HINTS, KIND_NAMES, in_a_sentence
from treegarth.features.dose.analysis.tables import standard_name
from treegarth.features.dose.registry.lacking import DOSE_MODALITIES
from treegarth.phrases import N_, P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.forms import Shown, Typed, begun, document_of, form_of, sent_values, typed_of
from treegarth.web.parts import in_words, translated
from treegarth.web.routes import Parameters, Route
from treegarth.web.templates import render_page
from treegarth.web.told import leave

BASE = "/treegarth/dose/alert-levels"
ONE = f"{BASE}/{{dose_alert_level_id}}"
OTHERS = {"kind": (N_("Kind"), "kind")}


class LevelForm(BaseModel):
    """What a person sets: as `LevelParameters`, with addresses in one line."""

    name: Annotated[str | None, Shown(N_("Name"), is_wide=True)] = None
    quantity: Annotated[str | None, Shown(N_("Quantity"), choices={"": "–"})] = None
    above: Annotated[float | None, Shown(N_("Above"), hint=N_("In the unit of the quantity; not at it"))] = None
    window_days: Annotated[int | None, Shown(N_("Window"), unit=N_("days"))] = None
    at_least: Annotated[int | None, Shown(N_("Exams at least"), begins="2")] = None
    within_hours: Annotated[float | None, Shown(N_("Within"), unit=N_("hours"))] = None
    after_hours: Annotated[float | None, Shown(N_("After"), unit=N_("hours"))] = None
    percentile: Annotated[float | None, Shown(N_("Above the percentile"), hint=N_("As 95; or the ranges"))] = None
    iqr_factor: Annotated[
        float | None,
        Shown(N_("Above the third quartile by"), hint=N_("Interquartile ranges, as 1.5; or the percentile")),
    ] = None
    least_exams: Annotated[int | None, Shown(N_("Other exams at least"), hint=N_("20 if not given"))] = None
    modality: Annotated[str | None, Shown(N_("Modality"), choices={"": N_("all")})] = None
    standard_name: Annotated[str | None, Shown(N_("Standard name"), choices={"": N_("all")})] = None
    age_from: Annotated[float | None, Shown(N_("Age from"), hint=N_("In years of age"))] = None
    age_to: Annotated[float | None, Shown(N_("Age below"), hint=N_("In years of age"))] = None
    exams_from: Annotated[
        str | None,
        Shown(
            N_("Exams from"),
            hint=N_("A day as 2026-11-20; without it those since it was switched on"),
            is_day=True,
        ),
    ] = None
    email: Annotated[str | None, Shown(N_("E-mail to"), hint=N_("Addresses with commas between"), is_wide=True)] = None
    webhook: Annotated[list[str] | None, Shown(N_("Webhooks"))] = None
    reason: Annotated[str | None, Shown(N_("Why, and what is to be done"), is_wide=True)] = None


class LevelQuery(Parameters):
    """What the page of a level shows."""

    look: bool = False
    """Whether it is looked at what the level would have made of the last year: that takes a while."""


class LevelsQuery(Parameters):
    """Which levels are listed."""

    removed: bool = False
    """Whether those that were removed are listed too."""


def routes() -> list[Route]:
    view, administer = Permission.SEE_DOSE, Permission.DECIDE_DOSE
    pages: list[tuple[str, str, Any, str, Permission, Literal["GET", "POST"]]] = [
        ("levels", BASE, levels_page, "Levels of alerts.", view, "GET"),
        ("level", ONE, level_page, "One level: what it says, what it made, its history.", view, "GET"),
        ("new_level", f"{BASE}/new", new_page, "A new level of alerts.", administer, "GET"),
        ("create_level", f"{BASE}/new", create_page, "Look at a new level of alerts, or save it.", administer, "POST"),
        ("edit_level", f"{ONE}/edit", edit_page, "A level of alerts to edit.", administer, "GET"),
        ("change_level", f"{ONE}/edit", change_page, "Look at a level of alerts, or save it.", administer, "POST"),
    ]
    return [
        route(
            name=f"dose.alert_{name}_page",
            path=path,
            method=method,
            permission=permission,
            handler=handler,
            summary=summary,
        )
        for name, path, handler, summary, permission, method in pages
    ]


def levels_page(call: Call[LevelsQuery, None, None]) -> Response:
    with call.connect() as connection:
        found = LEVELS.all(connection, removed=call.query.removed)
        counts = count_of_levels(connection)
    return render_page(
        call,
        "dose/alert_levels.html",
        levels=[_shown(one, counts) for one in found],
        sentences={one.id: in_a_sentence(one.document) for one in found},
        kind_names=KIND_NAMES,
        with_removed=call.query.removed,
        may_change=call.actor.may(Permission.DECIDE_DOSE),
    )


def _shown(one: StoredLevel, counts: Mapping[int, tuple[int, int]]) -> ShownLevel:
    made, unsettled = counts.get(one.id, (0, 0))
    return ShownLevel(**one.model_dump(), alerts=made, open_alerts=unsettled)


def level_page(call: Call[LevelQuery, None, DoseAlertLevelPath]) -> Response:
    with call.connect() as connection:
        stored = LEVELS.read(connection, call.path.dose_alert_level_id, removed=True)
        return render_page(
            call,
            "dose/alert_level.html",
            level=_shown(stored, count_of_levels(connection)),
            sentence=in_a_sentence(stored.document),
            kind_names=KIND_NAMES,
            versions=shown_versions(LEVELS.history(connection, stored.id)),
            looked_at=_preview(call, connection, LevelParameters.model_validate(stored.document))
            if call.query.look
            else None,
            may_change=call.actor.may(Permission.DECIDE_DOSE),
        )


def _preview(call: AnyCall, connection: Connection, says: LevelParameters) -> AlertsPreview:
    return preview(connection, says, call.services.clock().astimezone(call.services.zone))


def new_page(call: Call[None, None, None]) -> Response:
    return _form(call, begun(LevelForm), None)


def edit_page(call: Call[None, None, DoseAlertLevelPath]) -> Response:
    with call.connect() as connection:
        stored = LEVELS.read(connection, call.path.dose_alert_level_id)
    document = {**stored.document, "email": ", ".join(stored.document.get("email", ()))}
    return _form(call, {**typed_of(document, LevelForm), "kind": (stored.kind,)}, stored)


def create_page(call: Call[None, None, None]) -> Response:
    return _posted(call, None)


def change_page(call: Call[None, None, DoseAlertLevelPath]) -> Response:
    with call.connect() as connection:
        stored = LEVELS.read(connection, call.path.dose_alert_level_id)
    return _posted(call, stored)


def _posted(call: AnyCall, stored: StoredLevel | None) -> Response:
    """The form again with another kind's fields, or with what it would have made; or it is saved."""
    typed, act = sent_values(call.http.form), call.http.form.get("act", "")
    over = act.removeprefix("save over ") if act.startswith("save over ") else None
    if act not in ("save", "look") and over is None:
        return _form(call, typed, stored)
    document = _document(typed)
    since = version_of(call.http.form.get("version", "") if over is None else over)
    try:
        with call.begin() as connection:
            if act == "look":
                says = LevelParameters.model_validate(parse(call, connection, document, "document").document)
                return _form(call, typed, stored, looked_at=_preview(call, connection, says))
            if stored is None:
                saved = LEVEL_DOCUMENTS.create(call, connection, document)
            else:
                saved = LEVEL_DOCUMENTS.edit(call, connection, stored.id, document, since=since)
    except EditedMeanwhile as error:
        return _form(call, typed, stored, newer=newer_than(error))
    except (DocumentRefused, RequestConflict) as error:
        return _form(call, typed, stored, _placed(call, error))
    return leave(call, call.site.url("dose.alert_level_page", dose_alert_level_id=saved.id))


def _placed(call: AnyCall, error: DocumentRefused | RequestConflict) -> dict[str, list[str]]:
    """What is wrong, by the input that it is about."""
    found: dict[str, list[str]] = {}
    for one in problems_of(error):
        place = re.split(r"[.\[]", one.place.removeprefix("document").lstrip("."))[0]
        found.setdefault(place, []).append(" ".join(in_words(call, part) for part in (one.wrong, one.right) if part))
    return found


def _kind(typed: Typed) -> AlertKind:
    given = next(iter(typed.get("kind", ())), "")
    return next((one for one in KINDS if one == given), "exam")


def _document(typed: Typed) -> dict[str, Any]:
    """What the form means: only what a level of its kind says."""
    kind = _kind(typed)
    found = {"kind": kind, **document_of(typed, LevelForm)}
    left_out = {name for name in OF_SOME_KIND if name not in MAY_SAY[kind]}
    email = [one for one in re.split(r"[,;\s]+", str(found.pop("email", ""))) if one]
    webhook = [one for one in found.pop("webhook", None) or [] if one]
    told = ({"email": email} if email else {}) | ({"webhook": webhook} if webhook else {})
    return {name: value for name, value in found.items() if name not in left_out} | told


def _form(
    call: AnyCall,
    typed: Typed,
    stored: StoredLevel | None,
    problems: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    newer: Newer | None = None,
    looked_at: AlertsPreview | None = None,
) -> Response:
    """What is kept is the version that the form began from, also where it is shown again."""
    url, kind = call.site.url, _kind(typed)
    number = None if stored is None else {"dose_alert_level_id": stored.id}
    settings = call.services.settings
    offered = OF_PATIENT if kind == "cumulative" else OF_EXAM
    with call.connect() as connection:
        usable = select(standard_name.c.name).where(standard_name.c.removed_at.is_(None), standard_name.c.is_on)
        names = connection.execute(usable.distinct().order_by(standard_name.c.name)).scalars()
        choices = {
            "quantity": {name: f"{translated(call, one.label)} ({one.unit})" for name, one in offered.items()},
            "modality": {"": P_("all"), **{one: one for one in DOSE_MODALITIES}},
            "standard_name": {"": P_("all"), **{one: one for one in names}},
            "webhook": {one.name: one.name for one in settings.webhooks},
        }
    return render_page(
        call,
        "dose/alert_level_form.html",
        name=stored.name if stored else None,
        version=call.http.form.get("version", stored.version if stored else ""),
        newer=newer,
        form=form_of(typed, LevelForm, problems, choices=choices, others=OTHERS),
        kind=kind,
        kinds={one: (KIND_NAMES[one], KIND_HINTS[one]) for one in KINDS},
        says=[name for name in LevelForm.model_fields if name in MAY_SAY[kind]],
        has_mail=settings.mail is not None,
        has_webhooks=bool(settings.webhooks),
        looked_at=looked_at,
        address=url("dose.alert_create_level_page")
        if number is None
        else url("dose.alert_change_level_page", **number),
        leave=url("dose.alert_levels_page") if number is None else url("dose.alert_level_page", **number),
    )
