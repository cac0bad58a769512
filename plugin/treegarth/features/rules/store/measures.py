"""How rules' events and notifications stand, for a monitoring system."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from treegarth.features.rules.tables import notification, rule, rule_event
from treegarth.web.metrics import Metric, single

_EVENT_STATES = ("waiting", "failed")
_CHANNELS = ("dashboard", "email", "webhook")
_NOTICE_STATES = ("waiting", "sent", "given up")
_LATELY = timedelta(days=30)


def measure(connection: Connection, now: datetime) -> list[Metric]:
    """Events by state, notifications of the last thirty days by channel and state, rules that are on."""
    events: dict[tuple[str, ...], float] = {(state,): 0 for state in _EVENT_STATES}
    by_state = select(rule_event.c.state, func.count().label("number")).group_by(rule_event.c.state)
    events |= {(row.state,): row.number for row in connection.execute(by_state)}
    kinds = (notification.c.channel, notification.c.state)
    told: dict[tuple[str, ...], float] = {
        (channel, state): 0 for channel in _CHANNELS for state in ("waiting", "sent", "given up")
    }
    lately = select(*kinds, func.count().label("number")).where(notification.c.created_at > now - _LATELY)
    told |= {(row.channel, row.state): row.number for row in connection.execute(lately.group_by(*kinds))}
    on = connection.execute(select(func.count()).where(rule.c.is_on, rule.c.removed_at.is_(None))).scalar_one()
    return [
        single("rules_on", "Rules that act.", on),
        Metric(name="rule_events", meaning="What rules have not looked at yet.", labels=("state",), values=events),
        Metric(
            name="notifications",
            meaning="Notifications of the last 30 days.",
            labels=("channel", "state"),
            values=told,
        ),
    ]
