"""Alerts and their levels over HTTP: one alert, what is done about it, what a level would have made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field, model_validator
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.documents.language import Documents, Pages, validated_at
from treegarth.documents.store import Wording
from treegarth.errors import DocumentRefused, Problem
from treegarth.feature import House
from treegarth.features.dose.alerts.acting import PersonsAct, act_on
from treegarth.features.dose.alerts.levels import LevelParameters, targets_of
from treegarth.features.dose.alerts.paths import DoseAlertLevelPath, DoseAlertPath
from treegarth.features.dose.alerts.preview import AlertsPreview, preview
from treegarth.features.dose.alerts.store.alerts import (
    Alert,
    AlertEvent,
    AlertExam,
    count_of_levels,
    exams_of,
    history_of,
    read_alert,
)
from treegarth.features.dose.alerts.store.levels import LEVELS, StoredLevel
from treegarth.features.dose.alerts.telling import Telling
from treegarth.index.names import with_names
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import endpoint
from treegarth.web.paths import API_PATH
from treegarth.web.routes import AnyText, Parameters, Route, Text

LONGEST = 2000
alert_route = partial(endpoint, tag="dose", under=f"{API_PATH}/dose")

EXAMPLE = {
    "name": "CT of the body above 1,500 mGy·cm",
    "kind": "exam",
    "quantity": "dlp_body_mgy_cm",
    "above": 1500,
    "modality": "CT",
    "age_from": 16,
    "reason": "our physicist looks at the protocol",
}


class AlertAct(Parameters):
    """What is done about an alert."""

    act: PersonsAct
    """`acknowledge`: somebody has seen to it; `assign`: to somebody, or to nobody; `comment`; `reopen`."""
    reason: Annotated[AnyText | None, Field(max_length=LONGEST)] = None
    """Why, or what is said; of `assign` not needed."""
    assignee: Text | None = None
    """Of `assign`: to whom; nobody if not given."""

    @model_validator(mode="after")
    def _says_what_it_needs(self) -> AlertAct:
        if self.act != "assign" and not (self.reason or "").strip():
            raise ValueError(N_("Say why: it is kept with who did it."))
        return self


class OneAlert(Alert):
    """An alert with the exams that make it, and its history."""

    exams: list[AlertExam]
    """The earliest first."""
    history: list[AlertEvent]
    """What happened to it by itself and by people, the latest first."""


class AlertsPreviewBody(Parameters):
    """A level that is not kept."""

    document: LevelParameters


class ShownLevel(StoredLevel):
    """A level of alerts as it is now, and what it made."""

    alerts: int
    """How many alerts it has made."""
    open_alerts: int
    """How many of them are open."""


def telling_of(call: AnyCall) -> Telling:
    lent = call.part(House).lent
    return Telling(tell=lent.tell, settle=lent.settle)


def named(connection: Connection, alert: Alert) -> Alert:
    """With whose exam it is."""
    (row,) = with_names(connection, [alert.model_dump()])
    return Alert.model_validate(row)


def whole(connection: Connection, alert: Alert) -> OneAlert:
    found = named(connection, alert).model_dump()
    return OneAlert(**found, exams=exams_of(connection, alert.id), history=history_of(connection, alert.id))


def one(call: Call[None, None, DoseAlertPath]) -> OneAlert:
    with call.connect() as connection:
        return whole(connection, read_alert(connection, call.path.dose_alert_id))


def act(call: Call[None, AlertAct, DoseAlertPath]) -> OneAlert:
    with call.begin() as connection:
        return whole(connection, done(call, connection, call.path.dose_alert_id, call.body))


def done(call: AnyCall, connection: Connection, alert_id: int, body: AlertAct) -> Alert:
    """Raises NotFound, RequestConflict."""
    return act_on(
        connection,
        telling_of(call),
        alert_id,
        body.act,
        reason=(body.reason or "").strip() or None,
        assignee=(body.assignee or "").strip() or None,
        by=call.actor.name,
        now=call.services.clock(),
    )


def preview_of(call: Call[None, AlertsPreviewBody, None]) -> AlertsPreview:
    with call.connect() as connection:
        check_told(call, call.body.document, "document")
        return preview(connection, call.body.document, call.services.clock().astimezone(call.services.zone))


def parse(call: AnyCall, connection: Connection, document: Any, place: str) -> Wording:
    """Raises DocumentRefused with every problem; whom it tells is checked as rules check it."""
    says = validated_at(LevelParameters, document, place)
    worded = says.model_dump(mode="json", exclude_none=True, exclude_defaults=True) | {"kind": says.kind}
    check_told(call, says, place)
    return Wording(document=worded)


def check_told(call: AnyCall, says: LevelParameters, place: str) -> None:
    """Raises DocumentRefused where it tells somebody who cannot be told."""
    problems: list[Problem] = []
    if told := targets_of(says.model_dump(mode="json")):
        notify = next(one for one in call.part(House).actions() if one.name == "notify")
        notify.parse(told, place, problems)
    if problems:
        raise DocumentRefused(problems)


def answers(call: AnyCall, connection: Connection, found: Sequence[StoredLevel]) -> list[ShownLevel]:
    counts = count_of_levels(connection)
    return [
        ShownLevel(**level.model_dump(), alerts=made, open_alerts=unsettled)
        for level in found
        for made, unsettled in [counts.get(level.id, (0, 0))]
    ]


LEVEL_DOCUMENTS = Documents(
    kind=LEVELS,
    name="dose_alert_level",
    names="dose_alert_levels",
    one="alert level",
    many="alert levels",
    path="dose/alert-levels",
    tag="dose",
    number=DoseAlertLevelPath,
    parse=parse,
    example=EXAMPLE,
    model=LevelParameters,
    answer=ShownLevel,
    answers=answers,
    pages=Pages(
        title=N_("Alert levels"),
        place="dose/alert-levels",
        prefix="dose_alert_levels",
        frame="dose/alert_frame.html",
        list_page="dose.alert_levels_page",
        one_page="dose.alert_level_page",
    ),
)


def routes() -> list[Route]:
    return [
        alert_route(
            "dose_alert",
            "alerts/{dose_alert_id}",
            one,
            "One alert, the exams that make it, and what was done about it.",
            problems=(404, 503),
        ),
        alert_route(
            "act_on_dose_alert",
            "alerts/{dose_alert_id}/acts",
            act,
            "Acknowledge an alert, assign it, comment on it, or open it again.",
            example={"act": "acknowledge", "reason": "seen to by the medical physicist"},
            method="POST",
            permission=Permission.DECIDE_DOSE,
            status=201,
            problems=(404, 409, 503),
        ),
        alert_route(
            "preview_dose_alert_level",
            "alert-levels/preview",
            preview_of,
            "How many alerts a level would have made of the exams of the last year.",
            example={"document": EXAMPLE},
            method="POST",
            permission=Permission.DECIDE_DOSE,
        ),
    ]
