"""What people do about an alert: acknowledge, assign, comment, open it again. Each act is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import Connection

from treegarth.errors import RequestConflict
from treegarth.features.dose.alerts.store import alerts
from treegarth.features.dose.alerts.store.alerts import Alert
from treegarth.features.dose.alerts.telling import Telling, about
from treegarth.phrases import P_

PersonsAct: TypeAlias = Literal["acknowledge", "assign", "comment", "reopen"]


def act_on(
    connection: Connection,
    telling: Telling,
    alert_id: int,
    act: PersonsAct,
    *,
    reason: str | None,
    assignee: str | None,
    by: str | None,
    now: datetime,
) -> Alert:
    """As it is then. Raises NotFound, RequestConflict where somebody did the same before."""
    alert = alerts.read_alert(connection, alert_id, for_change=True)
    if act == "acknowledge":
        if alert.state == "acknowledged":
            raise RequestConflict(_done_by(connection, alert_id, "acknowledge"), field="act")
        alerts.change(connection, alert_id, now, state="acknowledged")
        telling.settle(connection, about(alert_id), by, now)
    elif act == "reopen":
        if alert.state != "acknowledged":
            raise RequestConflict(P_("It is not acknowledged: there is nothing to open again."), field="act")
        alerts.change(connection, alert_id, now, state="open")
    elif act == "assign":
        if assignee == alert.assignee:
            raise RequestConflict(P_("It is assigned like this already."), field="assignee")
        alerts.change(connection, alert_id, now, assignee=assignee)
    whose = assignee if act == "assign" else alert.assignee
    alerts.note(connection, alert_id, act, now, by=by, by_itself=False, reason=reason, assignee=whose)
    return alerts.read_alert(connection, alert_id)


def _done_by(connection: Connection, alert_id: int, act: str) -> str:
    done = next((one for one in alerts.history_of(connection, alert_id) if one.act == act), None)
    if done is None or done.by is None:
        return P_("It was acknowledged already: see its history.")
    return P_("%(name)s acknowledged it already: see its history.", name=done.by)
