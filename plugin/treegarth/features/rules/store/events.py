"""What happened and rules have not looked at yet: note it, claim it, let it go. Queries only.

A claim is a lease: the row's `next_attempt_at` moves into the future in a short transaction. The transaction that
handles the event locks the row, sees that the claim still stands, and deletes it at its end: so an event has its effect
once, whoever dies. What happens meanwhile waits for that lock and then notes the event anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from treegarth.features.rules.model import Trigger
from treegarth.features.rules.tables import rule, rule_event
from treegarth.index.names import OfNamedStudy
from treegarth.tasks import leases

WAITING, FAILED = "waiting", "failed"
APPLYING = (str(Trigger.BY_HAND), str(Trigger.SCHEDULE))


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleEvent:
    """The right to handle one event until the lease ends. `rule_id` 0: every rule of the trigger that is on."""

    id: int
    trigger: Trigger
    orthanc_study_id: str
    orthanc_series_id: str
    rule_id: int
    asked_by: str | None
    attempts: int


class OpenEvent(OfNamedStudy):
    """What happened and rules have not handled: it waits, or no attempt could handle it."""

    id: int
    state: str
    """`failed`: it needs a person; `waiting`: it is still to be handled, or tried again."""
    trigger: str
    """`study stable`, `series stable`, `dose read`, `schedule` or `by hand`."""
    orthanc_study_id: str
    study_instance_uid: str | None = None
    """Null where nothing is known of the study."""
    orthanc_series_id: str
    """Of `series stable`; else empty."""
    rule_id: int
    """0: every rule of the trigger."""
    rule_name: str | None
    asked_by: str | None
    """The user who applied the rule; null: nobody did."""
    attempts: int
    noted_at: datetime
    next_attempt_at: datetime
    """Of one that waits: not before this time."""
    last_error: str | None


def note_events(
    connection: Connection,
    trigger: Trigger,
    subjects: Iterable[tuple[str, str]],
    now: datetime,
    *,
    rule_id: int = 0,
    asked_by: str | None = None,
) -> int:
    """Have rules look at these: (study, series or "") by Orthanc's identifiers. What waits already waits on."""
    rows = [
        {
            "trigger": str(trigger),
            "orthanc_study_id": study,
            "orthanc_series_id": series,
            "rule_id": rule_id,
            "asked_by": asked_by,
            "noted_at": now,
            "next_attempt_at": now,
        }
        for study, series in sorted(set(subjects))
    ]
    if not rows:
        return 0
    statement = insert(rule_event).values(rows)
    fresh = {name: statement.excluded[name] for name in ("asked_by", "noted_at", "next_attempt_at")}
    key = ("trigger", "orthanc_study_id", "orthanc_series_id", "rule_id")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(key), set_=fresh | {"state": WAITING, "attempts": 0, "last_error": None}
        )
    )
    return len(rows)


def claim_events(connection: Connection, now: datetime, lease: timedelta, *, limit: int) -> list[RuleEvent]:
    """Claim those that waited longest; commit before handling them."""
    columns = [rule_event.c[name] for name in RuleEvent.__dataclass_fields__]
    waits = rule_event.c.state == WAITING
    claimed = leases.claim(connection, rule_event, now, lease, waits, limit=limit, returning=columns)
    found = [RuleEvent(**{**row._mapping, "trigger": Trigger(row.trigger)}) for row in claimed]
    return sorted(found, key=lambda event: event.id)


def hold_event(connection: Connection, event: RuleEvent) -> bool:
    """Lock the event; whether the claim still stands."""
    query = select(rule_event.c.id).where(*_held(event)).with_for_update()
    return connection.execute(query).one_or_none() is not None


def finish_event(connection: Connection, event: RuleEvent) -> None:
    """It was handled, in this transaction."""
    connection.execute(delete(rule_event).where(*_held(event)))


def leave_to_rule(
    connection: Connection, event: RuleEvent, rule_id: int, reason: str, next_attempt_at: datetime | None
) -> None:
    """One of the rules that looked at the event failed: it alone looks again at that time, or, with None, never."""
    values = {
        "trigger": str(event.trigger),
        "orthanc_study_id": event.orthanc_study_id,
        "orthanc_series_id": event.orthanc_series_id,
        "rule_id": rule_id,
        "asked_by": event.asked_by,
        "state": FAILED if next_attempt_at is None else WAITING,
        "attempts": event.attempts,
        "last_error": reason,
    }
    if next_attempt_at is not None:
        values["next_attempt_at"] = next_attempt_at
    statement = insert(rule_event).values(**values)
    key = ("trigger", "orthanc_study_id", "orthanc_series_id", "rule_id")
    again = {name: statement.excluded[name] for name in values if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=again))


def hasten(connection: Connection, orthanc_study_id: str, now: datetime) -> None:
    """Something that rules may wait for has happened to this study: look again now."""
    ours = (rule_event.c.orthanc_study_id == orthanc_study_id, rule_event.c.state == WAITING)
    waited = rule_event.c.last_error.is_not(None)
    connection.execute(update(rule_event).where(*ours, waited).values(next_attempt_at=now))


def record_failure(connection: Connection, event: RuleEvent, reason: str, next_attempt_at: datetime | None) -> None:
    """The attempt failed: try again at that time, or, with None, leave it to a person."""
    values = {"last_error": reason} | (
        {"state": FAILED} if next_attempt_at is None else {"next_attempt_at": next_attempt_at}
    )
    connection.execute(update(rule_event).where(*_held(event)).values(**values))


def select_open(*, state: str | None = None, trigger: str | None = None, rule_id: int | None = None) -> Select[Any]:
    """The events that wait or failed, in no order."""
    names = [name for name in OpenEvent.model_fields if name in rule_event.c]
    query: Select[Any] = select(*(rule_event.c[name] for name in names), rule.c.name.label("rule_name")).outerjoin(
        rule, rule.c.id == rule_event.c.rule_id
    )
    for name, value in (("state", state), ("trigger", trigger), ("rule_id", rule_id)):
        if value is not None:
            query = query.where(rule_event.c[name] == value)
    return query


def retry_failed(connection: Connection, now: datetime, ids: Sequence[int] | None = None) -> int:
    """Let failed events, these or all, wait once more; how many there were."""
    again = update(rule_event).where(rule_event.c.state == FAILED)
    if ids is not None:
        again = again.where(rule_event.c.id.in_(ids))
    return connection.execute(again.values(state=WAITING, attempts=0, next_attempt_at=now)).rowcount


def count_events(connection: Connection, *, applied_rule_id: int | None = None) -> dict[str, int]:
    """How many wait, how many failed: of all, or of those by which one rule is applied."""
    query = select(rule_event.c.state, func.count().label("number")).group_by(rule_event.c.state)
    if applied_rule_id is not None:
        query = query.where(*_applies(applied_rule_id))
    return {WAITING: 0, FAILED: 0} | {row.state: row.number for row in connection.execute(query)}


def forget_applying(connection: Connection, rule_id: int) -> list[str]:
    """Let go the studies that this rule was still to be applied to: by Orthanc's identifiers, those that have not
    failed."""
    gone = delete(rule_event).where(*_applies(rule_id)).returning(rule_event.c.orthanc_study_id, rule_event.c.state)
    return sorted(row.orthanc_study_id for row in connection.execute(gone) if row.state == WAITING)


def _applies(rule_id: int) -> tuple[ColumnElement[bool], ...]:
    return (rule_event.c.rule_id == rule_id, rule_event.c.trigger.in_(APPLYING))


def _held(event: RuleEvent) -> tuple[ColumnElement[bool], ...]:
    return (
        rule_event.c.id == event.id,
        rule_event.c.attempts == event.attempts,
        rule_event.c.state == WAITING,
    )
