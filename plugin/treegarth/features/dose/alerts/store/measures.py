"""How alerts stand, for a monitoring system."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from treegarth.features.dose.alerts.levels import KINDS
from treegarth.features.dose.alerts.store.alerts import count_by_kind
from treegarth.features.dose.alerts.store.due import count_due
from treegarth.web.metrics import Metric, single

STATES = ("open", "acknowledged", "ended")


def measure(connection: Connection, now: datetime) -> list[Metric]:
    """Alerts by kind and state, and exams that wait to be looked at. Messages that were not sent are those of rules:
    `notifications`."""
    counts: dict[tuple[str, ...], float] = {(kind, state): 0 for kind in KINDS for state in STATES}
    for of, number in count_by_kind(connection).items():
        counts[of] = number
    waiting, _ = count_due(connection)
    return [
        Metric(name="dose_alerts", meaning="Alerts of dose.", labels=("kind", "state"), values=counts),
        single("dose_alerts_waiting", "Exams that alerts have not looked at yet.", waiting),
    ]
