"""Rules and every version of them. Queries only; what a document means is not known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from treegarth.documents.store import Change
from treegarth.features.rules.model import Trigger
from treegarth.features.rules.tables import rule, rule_version
from treegarth.record import Record
from treegarth.tasks.leases import unlocked

_LOCK = 7_601  # of the advisory lock of all who change rules: their names and order must fit each other
_SOURCE = "source"  # beside the document's own keys: the text as it was written


@dataclass(frozen=True, kw_only=True)
class StoredRule:
    """A rule as it is kept. `document` is canonical and has no `on`; `source` is the text that it was written as."""

    id: int
    name: str
    version: int
    edited_version: int  # the latest version that changed its wording
    trigger: Trigger
    is_on: bool
    position: int
    document: Mapping[str, Any]
    source: str | None
    changed_by: str | None
    changed_at: datetime
    scheduled_at: datetime | None
    removed_at: datetime | None


class RuleVersion(Record):
    """One change of a rule, and the rule as it was from then on."""

    version: int
    change: Change
    document: dict[str, Any]
    is_on: bool
    position: int
    changed_by: str | None
    """Null without a login."""
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What a change writes down of a rule's text."""

    name: str
    trigger: Trigger
    document: Mapping[str, Any]
    source: str | None = None

    def kept(self) -> dict[str, Any]:
        return {**self.document, **({_SOURCE: self.source} if self.source is not None else {})}


def lock_rules(connection: Connection) -> None:
    """Let nobody else change rules until this transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def list_rules(connection: Connection, *, with_removed: bool = False) -> list[StoredRule]:
    """Every rule, in the order in which they act."""
    query = _rules()
    if not with_removed:
        query = query.where(rule.c.removed_at.is_(None))
    return [_stored(row) for row in connection.execute(query)]


def find_rule(connection: Connection, rule_id: int) -> StoredRule | None:
    """A rule by its number, also one that was removed."""
    row = connection.execute(_rules().where(rule.c.id == rule_id)).one_or_none()
    return None if row is None else _stored(row)


def list_names(connection: Connection) -> dict[str, str]:
    """By number, as a text, the name of each rule that was not removed, in the order in which they act."""
    query = select(rule.c.id, rule.c.name).where(rule.c.removed_at.is_(None)).order_by(rule.c.position)
    return {str(row.id): row.name for row in connection.execute(query)}


def triggers_in_use(connection: Connection) -> set[Trigger]:
    """The triggers that some rule that is on has."""
    found = select(rule.c.trigger).distinct().where(rule.c.is_on, rule.c.removed_at.is_(None))
    return {Trigger(one) for one in connection.execute(found).scalars()}


def list_versions(connection: Connection, rule_id: int) -> list[RuleVersion]:
    """Every change of a rule, the latest first."""
    names = ("version", "change", "document", "is_on", "position", "changed_by", "changed_at")
    query = select(*(rule_version.c[name] for name in names)).where(rule_version.c.rule_id == rule_id)
    return [
        RuleVersion(**{**row._mapping, "change": Change(row.change), "document": _split(row.document)[0]})
        for row in connection.execute(query.order_by(rule_version.c.version.desc()))
    ]


def add_rule(
    connection: Connection,
    wording: Wording,
    *,
    is_on: bool,
    scheduled_at: datetime | None,
    by: str | None,
    now: datetime,
) -> int:
    """A new rule, the last in order; its number. The caller holds the lock, and no other rule has the name."""
    last = select(func.coalesce(func.max(rule.c.position), 0)).where(rule.c.removed_at.is_(None))
    position = connection.execute(last).scalar_one() + 1
    values = {"name": wording.name, "version": 1, "trigger": str(wording.trigger), "is_on": is_on}
    made = insert(rule).values(**values, position=position, scheduled_at=scheduled_at).returning(rule.c.id)
    rule_id = int(connection.execute(made).scalar_one())
    _write_version(connection, rule_id, 1, wording, is_on, position, Change.CREATED, by, now)
    return rule_id


def change_rule(
    connection: Connection,
    before: StoredRule,
    change: Change,
    *,
    by: str | None,
    now: datetime,
    wording: Wording | None = None,
    is_on: bool | None = None,
    position: int | None = None,
    scheduled_at: datetime | None = None,
) -> None:
    """The next version of a rule; what is not given stays, except when it acts next."""
    wording = wording or Wording(
        name=before.name, trigger=before.trigger, document=before.document, source=before.source
    )
    is_on = before.is_on if is_on is None else is_on
    position = before.position if position is None else position
    values: dict[str, Any] = {"name": wording.name, "trigger": str(wording.trigger), "version": before.version + 1}
    values |= {"is_on": is_on, "position": position, "scheduled_at": scheduled_at}
    if change is Change.REMOVED:
        values |= {"removed_at": now}
    connection.execute(update(rule).where(rule.c.id == before.id).values(**values))
    _write_version(connection, before.id, before.version + 1, wording, is_on, position, change, by, now)


def due_by_schedule(connection: Connection, now: datetime) -> list[StoredRule]:
    """The rules whose time has come, locked until this transaction ends."""
    due = select(rule.c.id).where(rule.c.is_on, rule.c.removed_at.is_(None), rule.c.scheduled_at <= now)
    ids = list(connection.execute(unlocked(due)).scalars())
    return [_stored(row) for row in connection.execute(_rules().where(rule.c.id.in_(ids)))] if ids else []


def schedule_next(connection: Connection, rule_id: int, at: datetime) -> None:
    connection.execute(update(rule).where(rule.c.id == rule_id).values(scheduled_at=at))


def _write_version(
    connection: Connection,
    rule_id: int,
    version: int,
    wording: Wording,
    is_on: bool,
    position: int,
    change: Change,
    by: str | None,
    now: datetime,
) -> None:
    values = {"rule_id": rule_id, "version": version, "document": wording.kept(), "is_on": is_on}
    values |= {"position": position, "change": str(change), "changed_by": by, "changed_at": now}
    connection.execute(insert(rule_version).values(**values))


def _rules() -> Select[Any]:
    worded = rule_version.alias()
    edited = (
        select(func.max(worded.c.version))
        .where(worded.c.rule_id == rule.c.id, worded.c.change.in_([str(Change.CREATED), str(Change.EDITED)]))
        .correlate(rule)
        .scalar_subquery()
    )
    return (
        select(
            rule,
            edited.label("edited_version"),
            rule_version.c.document,
            rule_version.c.changed_by,
            rule_version.c.changed_at,
        )
        .join(rule_version, (rule_version.c.rule_id == rule.c.id) & (rule_version.c.version == rule.c.version))
        .order_by(rule.c.position, rule.c.id)
    )


def _stored(row: Row[Any]) -> StoredRule:
    document, source = _split(row.document)
    names = [name for name in StoredRule.__dataclass_fields__ if name not in ("document", "source", "trigger")]
    given = {name: row._mapping[name] for name in names}
    return StoredRule(**given, document=document, source=source, trigger=Trigger(row.trigger))


def _split(kept: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The document, and the text that it was written as. Keys come out in the order in which people write them."""
    order = ("name", "why", "when", "schedule", "if", "do")
    return {key: kept[key] for key in order if key in kept}, kept.get(_SOURCE)
