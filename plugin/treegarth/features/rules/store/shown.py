"""What the pages of rules show beside the rules themselves: how often each acted, what the dashboard was told. Queries
only, but that a notice can be marked as seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from treegarth.features.rules.tables import notification, rule, rule_outcome
from treegarth.index.studies import OfStudy, is_of
from treegarth.record import Record

DASHBOARD = "dashboard"


@dataclass(frozen=True, kw_only=True)
class Acted:
    """How often a rule matched since a time, and when last."""

    times: int = 0
    last_at: datetime | None = None


class Notice(Record):
    """What somebody is or was to be told."""

    id: int
    """In the order in which they were written."""
    rule_id: int | None
    rule_name: str | None
    orthanc_study_id: str | None
    study_instance_uid: str | None
    channel: str
    """`dashboard`, `email` or `webhook`."""
    target: str
    """An address, or the webhook's name; empty for the dashboard."""
    title: str
    content: dict[str, Any]
    """What is told, such as `rule`, `why`, `trigger`, `study_instance_uid`."""
    state: str
    """`waiting`: nobody has seen it, or it is still to be sent; `sent`: seen or sent; `given up`."""
    created_at: datetime
    attempts: int
    last_error: str | None
    """Why it could not be sent."""
    sent_at: datetime | None
    """When it was sent; on the dashboard: when somebody had seen it."""
    seen_by: str | None


def acted_since(connection: Connection, since: datetime) -> dict[int, Acted]:
    """By rule, how often it acted since then."""
    query = (
        select(rule_outcome.c.rule_id, func.count(), func.max(rule_outcome.c.decided_at))
        .where(rule_outcome.c.decided_at >= since)
        .group_by(rule_outcome.c.rule_id)
    )
    return {row[0]: Acted(times=row[1], last_at=row[2]) for row in connection.execute(query)}


def select_notices(
    *,
    study: OfStudy | None = None,
    rule_id: int | None = None,
    channel: str | None = None,
    state: str | None = None,
) -> Select[Any]:
    """Notifications, in no order."""
    names = [name for name in Notice.model_fields if name != "rule_name"]
    query: Select[Any] = select(*(notification.c[name] for name in names), rule.c.name.label("rule_name")).outerjoin(
        rule, rule.c.id == notification.c.rule_id
    )
    for name, value in (("rule_id", rule_id), ("channel", channel), ("state", state)):
        if value is not None:
            query = query.where(notification.c[name] == value)
    return query if study is None else query.where(is_of(notification, study))


def count_unseen(connection: Connection, *, most: int = 100) -> int:
    """How many notices of the dashboard nobody has seen; counts to `most`."""
    waiting = (
        select(notification.c.id)
        .where(notification.c.channel == DASHBOARD, notification.c.state == "waiting")
        .limit(most)
        .subquery()
    )
    return int(connection.execute(select(func.count()).select_from(waiting)).scalar_one())


def count_not_sent(connection: Connection) -> int:
    """How many notices by e-mail and webhook were given up."""
    given_up = (notification.c.state == "given up", notification.c.channel != DASHBOARD)
    return int(connection.execute(select(func.count()).select_from(notification).where(*given_up)).scalar_one())


def mark_seen(connection: Connection, by: str | None, now: datetime, ids: Sequence[int] | None = None) -> int:
    """A user has seen these notices of the dashboard, or every one; how many were new."""
    seen = update(notification).where(notification.c.channel == DASHBOARD, notification.c.state == "waiting")
    if ids is not None:
        seen = seen.where(notification.c.id.in_(ids))
    return connection.execute(seen.values(state="sent", sent_at=now, seen_by=by)).rowcount


def send_again(connection: Connection, now: datetime, ids: Sequence[int] | None = None) -> int:
    """Let notices that were given up, these or all, be tried once more; how many there were."""
    again = update(notification).where(notification.c.state == "given up", notification.c.channel != DASHBOARD)
    if ids is not None:
        again = again.where(notification.c.id.in_(ids))
    return connection.execute(again.values(state="waiting", attempts=0, next_attempt_at=now)).rowcount
