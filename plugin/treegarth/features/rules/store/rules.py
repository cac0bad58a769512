"""Rules as documents: what each knows beside, and what it means that one changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from treegarth.documents.store import Author, Change, Kind, Stored
from treegarth.features.rules.model import Trigger
from treegarth.features.rules.schedule import parse_schedule
from treegarth.features.rules.store.applications import stop_applying
from treegarth.features.rules.tables import rule, rule_version
from treegarth.phrases import N_
from treegarth.tasks.leases import unlocked


class StoredRule(Stored):
    """A rule as it is kept. Its document has no `on`."""

    trigger: Trigger
    """When it looks."""
    scheduled_at: datetime | None
    """When a rule of trigger schedule acts next."""


def _columns(before: StoredRule | None, document: Mapping[str, Any], is_on: bool, author: Author) -> Mapping[str, Any]:
    schedule = parse_schedule(str(document.get("schedule", ""))) if is_on else None
    zone = author.now.tzinfo
    at = schedule.next_after(author.now, zone) if schedule is not None and zone is not None else None
    return {"trigger": str(document["when"]), "scheduled_at": at}


def _follow(connection: Connection, before: StoredRule, change: Change, author: Author) -> None:
    if change in (Change.SWITCHED_OFF, Change.REMOVED):
        stop_applying(connection, before.id, by=author.name, now=author.now)


RULES = Kind(
    record=StoredRule,
    table=rule,
    versions=rule_version,
    missing=N_("There is no rule with this number."),
    taken=N_("Another rule has the name %(name)s."),
    keys=("name", "why", "when", "schedule", "if", "do"),
    acts_from_text=True,
    columns=_columns,
    follow=_follow,
)


def list_names(connection: Connection) -> dict[str, str]:
    """By number, as a text, the name of each rule that was not removed, in the order in which they act."""
    return {str(number): name for name, number in RULES.names(connection).items()}


def triggers_in_use(connection: Connection) -> set[Trigger]:
    """The triggers that some rule that is on has."""
    found = select(rule.c.trigger).distinct().where(rule.c.is_on, rule.c.removed_at.is_(None))
    return {Trigger(one) for one in connection.execute(found).scalars()}


def due_by_schedule(connection: Connection, now: datetime) -> list[StoredRule]:
    """The rules whose time has come, locked until this transaction ends."""
    due = select(rule.c.id).where(rule.c.is_on, rule.c.removed_at.is_(None), rule.c.scheduled_at <= now)
    return [RULES.read(connection, number) for number in connection.execute(unlocked(due)).scalars().all()]


def schedule_next(connection: Connection, rule_id: int, at: datetime) -> None:
    connection.execute(update(rule).where(rule.c.id == rule_id).values(scheduled_at=at))
