"""The decision in SQL: which objects of the archive a policy would prune. The same as `rules.decide`; tests compare.

Plain reads: no row is locked, so ingest waits for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, not_, select, text, true

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.features.retention.model import Age, ObjectState, Policy, Proof, ProofVoid, Since
from treegarth.features.retention.store import facts
from treegarth.features.retention.tables import hold, prune_rescue
from treegarth.features.rules.tables import rule_event
from treegarth.index.tables import arrival, instance, study


@dataclass(frozen=True, kw_only=True)
class NumberedPolicy:
    """A policy with the numbers that its rows go by."""

    id: int
    version: int
    policy: Policy


def use_memory(connection: Connection) -> None:
    """Let this transaction's joins over much of the archive be made in memory."""
    connection.execute(text("SET LOCAL work_mem = '64MB'"))


def free_objects(
    numbered: NumberedPolicy, vocabulary: Vocabulary, now: datetime, *columns: ColumnElement[Any]
) -> Select[Any]:
    """Those columns of the objects that nothing speaks against to prune; narrow it by any further condition."""
    query = select(*columns).select_from(facts.objects())
    return query.where(*_of_policy(numbered, vocabulary, now), *_always(numbered.policy, now))


def _of_policy(numbered: NumberedPolicy, vocabulary: Vocabulary, now: datetime) -> list[ColumnElement[bool]]:
    policy = numbered.policy
    found = [not_(part) for part in facts.kept_parts(policy.keep, vocabulary, now)]
    condition = facts.matches(policy, vocabulary, now)
    if condition is not None:
        found.append(condition)
    if policy.age is not None:
        found += _is_old(policy.age, now)
    rescued = facts.rescue(numbered.id, numbered.version)
    found.append(~exists().where(rescued, prune_rescue.c.until > now))
    return found


def _always(policy: Policy, now: datetime) -> list[ColumnElement[bool]]:
    found = [
        instance.c.received_at < now - policy.minimum_age,
        ~exists().select_from(hold).where(facts.held(now)),
        ~facts.of_study(arrival),
        ~facts.of_study(rule_event),
        ~facts.is_delivery_open(),
        *(~one for one in facts.dose_unread()),
    ]
    for demand in policy.proofs:
        not_before = None if demand.fresh == timedelta.max else now - demand.fresh
        found.append(facts.is_proved(demand.destination, not_before))
    return found


def _is_old(age: Age, now: datetime) -> list[ColumnElement[bool]]:
    before = now - age.least
    if age.since is Since.RECEIVED:
        return [instance.c.received_at < before]
    if age.since is Since.LAST_USE:
        return facts.is_last_used_before(before)
    return [study.c.study_date < _first_day_from(before)]


def _first_day_from(moment: datetime) -> date:
    """The first day that does not begin before the moment: days before it do."""
    moment = moment.astimezone(UTC)
    return moment.date() if moment.time() == time() else moment.date() + timedelta(days=1)


def read_states(
    connection: Connection, numbered: NumberedPolicy, vocabulary: Vocabulary, now: datetime, where: ColumnElement[bool]
) -> list[ObjectState]:
    """What `rules.decide` needs to know of the objects that fulfil a condition."""
    condition = facts.matches(numbered.policy, vocabulary, now)
    rescued = facts.rescue(numbered.id, numbered.version)
    query = (
        select(
            *(instance.c[name] for name in ("orthanc_instance_id", "received_at", "size_bytes")),
            study.c.study_date,
            facts.last_used_at().label("last_used_at"),
            func.coalesce(true() if condition is None else condition, False).label("matches"),
            facts.is_kept(numbered.policy.keep, vocabulary, now).label("is_kept"),
            facts.of_study(arrival).label("is_arriving"),
            facts.of_study(rule_event).label("rules_wait"),
            facts.is_dose_unread().label("is_dose_unread"),
            facts.open_destinations().label("open_deliveries"),
            facts.held_kinds(now).label("holds"),
            facts.proofs().label("proofs"),
            select(prune_rescue.c.until).where(rescued).scalar_subquery().label("rescued_until"),
        )
        .select_from(facts.objects())
        .where(where)
        .order_by(instance.c.orthanc_instance_id)
    )
    return [_state(row._asdict()) for row in connection.execute(query)]


def states_of(
    connection: Connection,
    numbered: NumberedPolicy,
    vocabulary: Vocabulary,
    now: datetime,
    orthanc_instance_ids: Sequence[str],
) -> dict[str, ObjectState]:
    """The states of those of the objects that are in the index."""
    where = instance.c.orthanc_instance_id.in_(orthanc_instance_ids)
    found = read_states(connection, numbered, vocabulary, now, where)
    return {state.orthanc_instance_id: state for state in found}


def _state(row: dict[str, Any]) -> ObjectState:
    for name in ("open_deliveries", "holds"):
        row[name] = tuple(row[name] or ())
    row["proofs"] = tuple(
        Proof(
            destination=one["destination"],
            kind=one["kind"],
            at=datetime.fromisoformat(one["at"]),
            void=ProofVoid(one["void"]) if one["void"] else None,
        )
        for one in row["proofs"] or ()
    )
    return ObjectState(**row)
