"""What the pages of rules show beside the rules themselves: how often each acted, who was told what. Queries only, but
that what was given up can be sent again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from treegarth.errors import NotFound
from treegarth.features.rules.tables import notification, rule, rule_outcome
from treegarth.index.studies import OfStudy, is_of
from treegarth.phrases import P_
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
    matched: list[dict[str, Any]] | None
    """By what the rule matched: `field` of its conditions and the `values` that made it true. It is never sent."""


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


def read_notice(connection: Connection, notice_id: int) -> Notice:
    """One notice. Raises NotFound."""
    row = connection.execute(select_notices().where(notification.c.id == notice_id)).one_or_none()
    if row is None:
        raise NotFound(P_("There is no notice with this number."))
    return Notice(**row._mapping)


def count_not_sent(connection: Connection) -> int:
    """How many notices by e-mail and webhook were given up."""
    given_up = (notification.c.state == "given up", notification.c.channel != DASHBOARD)
    return int(connection.execute(select(func.count()).select_from(notification).where(*given_up)).scalar_one())


def send_again(connection: Connection, now: datetime, ids: Sequence[int] | None = None) -> int:
    """Let notices that were given up, these or all, be tried once more; how many there were."""
    again = update(notification).where(notification.c.state == "given up", notification.c.channel != DASHBOARD)
    if ids is not None:
        again = again.where(notification.c.id.in_(ids))
    return connection.execute(again.values(state="waiting", attempts=0, next_attempt_at=now)).rowcount
