"""The steps of a deletion: claim what is due, intend, check once more, record what was done. Queries only.

A row of the ledger is locked while its object is deleted, and by nothing else for longer: a hold or a rescue waits for
that one object, the indexer waits for none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select, update

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.features.retention.model import Decision
from treegarth.features.retention.store.decision import NumberedPolicy, free_objects
from treegarth.features.retention.store.ledger_sums import tell_studies
from treegarth.features.retention.tables import prune_ledger, prune_mark, retention_policy
from treegarth.index.tables import instance, series, study
from treegarth.tasks.leases import unlocked


@dataclass(frozen=True, kw_only=True, slots=True)
class DueObject:
    """An object whose time has come, with the identifiers by which a destination knows it."""

    orthanc_instance_id: str
    orthanc_series_id: str
    orthanc_study_id: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str | None
    size_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Intention:
    """A row of the ledger whose object is about to be deleted."""

    id: int
    orthanc_instance_id: str
    orthanc_study_id: str


_OF_INTENTION = ("id", "orthanc_instance_id", "orthanc_study_id")


def claim_due(
    connection: Connection, policy_id: int, now: datetime, *, limit: int, lease: timedelta
) -> list[DueObject]:
    """Marked objects whose period of grace is over; another worker does not get them before the lease ends."""
    due = (
        select(prune_mark.c.orthanc_instance_id)
        .where(prune_mark.c.policy_id == policy_id, prune_mark.c.due_at <= now)
        .order_by(prune_mark.c.due_at, prune_mark.c.orthanc_instance_id)
        .limit(limit)
    )
    identifiers = list(connection.execute(unlocked(due)).scalars())
    postpone(connection, identifiers, now + lease, None)
    query = (
        select(
            *(instance.c[name] for name in ("orthanc_instance_id", "orthanc_series_id", "sop_instance_uid")),
            *(instance.c[name] for name in ("sop_class_uid", "size_bytes")),
            *(study.c[name] for name in ("orthanc_study_id", "study_instance_uid")),
            series.c.series_instance_uid,
        )
        .join(series, series.c.orthanc_series_id == instance.c.orthanc_series_id)
        .join(study, study.c.orthanc_study_id == series.c.orthanc_study_id)
        .where(instance.c.orthanc_instance_id.in_(identifiers))
        .order_by(instance.c.orthanc_instance_id)
    )
    found = [DueObject(**row._mapping) for row in connection.execute(query)]
    unmark(connection, sorted(set(identifiers) - {one.orthanc_instance_id for one in found}))
    return found


def postpone(connection: Connection, orthanc_instance_ids: Sequence[str], until: datetime, because: str | None) -> None:
    """Try these later."""
    values: dict[str, Any] = {"due_at": until} | ({"last_words": because} if because else {})
    connection.execute(
        update(prune_mark).where(prune_mark.c.orthanc_instance_id.in_(orthanc_instance_ids)).values(**values)
    )


def unmark(connection: Connection, orthanc_instance_ids: Sequence[str]) -> None:
    connection.execute(delete(prune_mark).where(prune_mark.c.orthanc_instance_id.in_(orthanc_instance_ids)))


def intend(
    connection: Connection, numbered: NumberedPolicy, decisions: Sequence[Decision], now: datetime
) -> list[Intention]:
    """Write into the ledger what is going to be deleted, before anything is. What is not in the index or not marked
    any more is left out; nobody else may intend the same."""
    proofs = {one.orthanc_instance_id: [proof.as_json() for proof in one.proofs] for one in decisions}
    rows = [
        {
            **row._mapping,
            "state": "intended",
            "policy_id": numbered.id,
            "policy_version": numbered.version,
            "proof": proofs[row.orthanc_instance_id],
            "intended_at": now,
        }
        for row in connection.execute(_describe(list(proofs), numbered))
    ]
    if not rows:
        return []
    added = insert(prune_ledger).returning(*(prune_ledger.c[name] for name in _OF_INTENTION))
    intentions = [Intention(**row._mapping) for row in connection.execute(added, rows)]
    tell_studies(connection, [one.orthanc_study_id for one in intentions])
    return intentions


def _describe(identifiers: list[str], numbered: NumberedPolicy) -> Any:
    """The objects as the ledger keeps them, of a policy that still acts in this version."""
    acts = exists().where(
        retention_policy.c.id == numbered.id, retention_policy.c.version == numbered.version, retention_policy.c.is_on
    )
    intended = exists().where(
        prune_ledger.c.orthanc_instance_id == instance.c.orthanc_instance_id, prune_ledger.c.state == "intended"
    )
    return (
        select(
            *(instance.c[name] for name in ("orthanc_instance_id", "sop_instance_uid", "sop_class_uid")),
            *(instance.c[name] for name in ("remote_ae_title", "size_bytes", "received_at")),
            *(series.c[name] for name in ("orthanc_series_id", "series_instance_uid", "modality")),
            *(study.c[name] for name in ("orthanc_study_id", "study_instance_uid", "patient_id")),
        )
        .join(series, series.c.orthanc_series_id == instance.c.orthanc_series_id)
        .join(study, study.c.orthanc_study_id == series.c.orthanc_study_id)
        .join(prune_mark, prune_mark.c.orthanc_instance_id == instance.c.orthanc_instance_id)
        .where(instance.c.orthanc_instance_id.in_(identifiers), acts, ~intended)
        .order_by(instance.c.orthanc_instance_id)
        .with_for_update(of=prune_mark)
    )


def received_at_if_free(
    connection: Connection, numbered: NumberedPolicy, vocabulary: Vocabulary, now: datetime, intention: Intention
) -> datetime | None:
    """When the object was received that nothing the database knows speaks against at this moment; else None."""
    marking = replace(numbered, policy=numbered.policy.for_marking)
    query = free_objects(marking, vocabulary, now, instance.c.received_at)
    found: datetime | None = connection.execute(
        query.where(instance.c.orthanc_instance_id == intention.orthanc_instance_id)
    ).scalar()
    return found


def hold_intention(connection: Connection, intention: Intention) -> bool:
    """Lock the row until the end of the transaction; False where somebody took the intention back."""
    query = select(prune_ledger.c.id).where(prune_ledger.c.id == intention.id, prune_ledger.c.state == "intended")
    return connection.execute(query.with_for_update()).first() is not None


def record_deleted(connection: Connection, intention: Intention, at: datetime) -> None:
    connection.execute(
        update(prune_ledger).where(prune_ledger.c.id == intention.id).values(state="deleted", deleted_at=at)
    )
    unmark(connection, [intention.orthanc_instance_id])


def record_kept(connection: Connection, intention: Intention, because: str) -> None:
    """The object stays after all; a later look of the policy may mark it again."""
    connection.execute(
        update(prune_ledger)
        .where(prune_ledger.c.id == intention.id, prune_ledger.c.state == "intended")
        .values(state="kept", kept_because=because)
    )


def interrupted(connection: Connection, before: datetime, *, limit: int) -> list[Intention]:
    """Intentions that nobody has carried out in time: their worker vanished, or Orthanc did not answer."""
    query = (
        select(*(prune_ledger.c[name] for name in _OF_INTENTION))
        .where(prune_ledger.c.state == "intended", prune_ledger.c.intended_at < before)
        .order_by(prune_ledger.c.intended_at)
        .limit(limit)
    )
    return [Intention(**row._mapping) for row in connection.execute(query)]
