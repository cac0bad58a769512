"""The list of alerts, and the page of one: the exams that make it, what was done about it, and what can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from flask import Response
from pydantic import Field
from sqlalchemy import Connection, Select

from treegarth.access.actors import Permission
from treegarth.errors import DatabaseUnavailable, RequestConflict
from treegarth.features.dose.alerts.acting import PersonsAct
from treegarth.features.dose.alerts.api import LONGEST, AlertAct, done, named
from treegarth.features.dose.alerts.levels import AlertKind, shown_quantity
from treegarth.features.dose.alerts.paths import DoseAlertPath
from treegarth.features.dose.alerts.store.alerts import (
    COUNTED,
    Alert,
    State,
    assignees,
    count_open,
    exams_of,
    history_of,
    read_alert,
    select_alerts,
)
from treegarth.features.dose.alerts.store.due import count_due
from treegarth.features.dose.alerts.store.levels import LEVELS
from treegarth.features.dose.alerts.tables import dose_alert_exam
from treegarth.features.dose.alerts.words import ACT_DONE, ACT_NAMES, KIND_NAMES, STATE_NAMES, STATE_SIGNS, beside_value
from treegarth.features.dose.registry.store.studies import told_apart_with_kept
from treegarth.index.studies import asked_study
from treegarth.phrases import N_, NN_, P_, Phrase
from treegarth.web.call import AnyCall, Asker, Call
from treegarth.web.endpoints import route
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.lists import Day, LastDay, begins, is_over
from treegarth.web.parts import Check
from treegarth.web.routes import AnyText, Identifier, Parameters, Route, Text
from treegarth.web.templates import render_page
from treegarth.web.told import see_other
from treegarth.web.validation import InvalidFields, validated
from treegarth.web.which_study import OfStudies


class AlertsAsked(OfStudies):
    """Which alerts."""

    state: State | None = None
    """`open`: nobody has acknowledged it; `acknowledged`; `ended`: it is no longer so."""
    kind: AlertKind | None = None
    """`exam`, `cumulative`, `repeat`, `missing` or `outlier`."""
    level_id: Identifier | None = None
    """Of this level."""
    modality: Text | None = None
    """The exam that made it is of this modality."""
    assignee: Text | None = None
    """Assigned to this person."""
    made_from: Day | None = None
    """Made on this day or later, where the server stands."""
    made_to: LastDay = None
    """And on this day or before."""


class ActForm(Parameters):
    """What the forms of an alert's page send; the model of the API says what is wrong with it."""

    act: PersonsAct
    reason: Annotated[AnyText, Field(max_length=LONGEST)] = ""
    assignee: Text = ""


def routes() -> list[Route]:
    return [
        route(
            name="dose.alert_page",
            path="/treegarth/dose/alerts/{dose_alert_id}",
            permission=Permission.SEE_DOSE,
            handler=alert_page,
            summary="One alert: the exams that make it, and what was done about it.",
        ),
        route(
            name="dose.act_on_alert_page",
            path="/treegarth/dose/alerts/{dose_alert_id}",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=act_page,
            summary="Acknowledge an alert, assign it, comment on it, or open it again.",
        ),
    ]


def alert_page(call: Call[None, None, DoseAlertPath]) -> Response:
    with call.connect() as connection:
        alert = named(connection, read_alert(connection, call.path.dose_alert_id))
        found = exams_of(connection, alert.id)
        return render_page(
            call,
            "dose/alert.html",
            alert=alert,
            level=LEVELS.read(connection, alert.level_id, removed=True),
            exams=found,
            history=history_of(connection, alert.id),
            which=told_apart_with_kept(connection, [alert, *found]),
            assignees=assignees(connection),
            may_act=call.actor.may(Permission.DECIDE_DOSE),
            act_names=ACT_NAMES,
            **words_of_alerts([alert]),
        )


def words_of_alerts(found: Sequence[Alert]) -> dict[str, Any]:
    """What templates say of alerts."""
    return {
        "kind_names": KIND_NAMES,
        "state_names": STATE_NAMES,
        "state_signs": STATE_SIGNS,
        "label_of": {one.id: shown_quantity(one.quantity).label for one in found},
        "beside": {one.id: beside_value(one.kind, one.details, one.exam_count) for one in found},
    }


def act_page(call: Call[None, ActForm, DoseAlertPath]) -> Response:
    """Back to the alert, which says what became of it."""
    number = call.path.dose_alert_id
    url = call.site.url("dose.alert_page", dose_alert_id=number)
    given = {name: value.strip() for name, value in call.body.model_dump().items() if value.strip()}
    try:
        body = validated(AlertAct, given)
        with call.begin() as connection:
            done(call, connection, number, body)
    except InvalidFields as refused:
        return see_other(call, url, *(Phrase(one.message, one.values) for one in refused.faults), kind="attention")
    except RequestConflict as refused:
        return see_other(call, url, refused.sentence, kind="attention")
    return see_other(call, url, said_of(body))


def said_of(body: AlertAct) -> str:
    """What was done, as the page says it afterwards."""
    if body.act == "assign":
        whom = (body.assignee or "").strip()
        return P_("The alert is assigned to %(name)s.", name=whom) if whom else P_("The alert is assigned to nobody.")
    return Phrase(ACT_DONE[body.act])


def find(asker: Asker, connection: Connection, asked: AlertsAsked) -> Select[Any]:
    of_study = asked_study(connection, asked.study_instance_uid, asked.orthanc_study_id, kept=[dose_alert_exam])
    return select_alerts(
        state=asked.state,
        kind=asked.kind,
        level_id=asked.level_id,
        modality=asked.modality,
        assignee=asked.assignee,
        since=begins(asked.made_from, asker.zone) if asked.made_from else None,
        before=is_over(asked.made_to, asker.zone) if asked.made_to else None,
        of_study=of_study,
    )


def extras(call: AnyCall, connection: Connection, asked: AlertsAsked, rows: Sequence[Alert]) -> Mapping[str, Any]:
    return {
        "which": told_apart_with_kept(connection, rows),
        "open_alerts": count_open(connection),
        "open_counted": COUNTED,
        "has_levels": bool(LEVELS.names(connection)),
        **words_of_alerts(rows),
    }


def _levels(call: AnyCall, connection: Connection) -> Mapping[str, str]:
    return {str(one.id): one.name for one in LEVELS.all(connection, removed=True)}


def _assignees(call: AnyCall, connection: Connection) -> Mapping[str, str]:
    return {one: one for one in assignees(connection)}


ALERTS = Listing(
    name="dose.alerts",
    title=N_("Dose alerts"),
    counts=NN_("%(num)s alert", "%(num)s alerts"),
    path="dose/alerts",
    api_name="dose_alerts",
    api_path="dose/alerts",
    tag="dose",
    summary="Exams and patients that were above a level, and what was done about it.",
    record=Alert,
    asked=AlertsAsked,
    query=find,
    unique="id",
    order="-id",
    columns=(
        Column(name="id", label=N_("No."), form="own"),
        Column(name="state", label=N_("State"), form="own", sorts_by=()),
        Column(name="level_name", label=N_("Level"), form="own"),
        Column(name="study_instance_uid", label=N_("Study"), form="study"),
        Column(name="kind", label=N_("Kind"), form="own", narrow="c-1"),
        Column(name="value", label=N_("Value"), form="own", sorts_by=()),
        Column(name="limit_value", label=N_("Limit"), form="own", sorts_by=(), narrow="c-1"),
        Column(name="modality", label=N_("Modality"), narrow="c-2"),
        Column(name="assignee", label=N_("Assigned to"), narrow="c-2"),
        Column(name="fired_at", label=N_("When")),
    ),
    filters=(
        Filter(name="state", label=N_("State"), choices=STATE_NAMES),
        Filter(name="kind", label=N_("Kind"), choices=KIND_NAMES),
        Filter(name="level_id", label=N_("Level"), find_choices=_levels, width="wide"),
        Filter(name="modality", label=N_("Modality"), width="short"),
        Filter(name="assignee", label=N_("Assigned to"), find_choices=_assignees),
        Filter(name="made_from", label=N_("Made from")),
        Filter(name="made_to", label=N_("to")),
        Filter(name="study", label=N_("Patient or study"), width="wide"),
        Filter(name="study_instance_uid", label="Study Instance UID", is_shown=False),
    ),
    empty=Empty(
        title=N_("No alert yet"),
        text=N_(
            "An exam above a level, a patient's sum, repeated exams, a missing dose and an outlier stand here, each "
            "once. Set a level first: what it would have made of the last year is shown before it is kept."
        ),
        filtered=N_("No alert fits these filters"),
    ),
    template="dose/alerts.html",
    extras=extras,
)


def health_check(call: AnyCall) -> list[Check]:
    """What alerts lend to health: exams that could not be looked at."""
    try:
        with call.connect() as connection:
            _, failed = count_due(connection)
    except DatabaseUnavailable:
        return []
    if not failed:
        return []
    words = NN_("%(num)s exam could not be looked at", "%(num)s exams could not be looked at")
    advice = P_("They are tried again by themselves; the log says why.")
    return [Check(kind="attention", name=P_("Dose alerts"), words=words, count=failed, advice=advice)]
