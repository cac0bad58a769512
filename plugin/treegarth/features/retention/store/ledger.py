"""Look into the ledger of what left the archive, and ask for objects back. Queries only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from treegarth.errors import NotFound
from treegarth.features.deliveries.tables import delivery_object, destination
from treegarth.features.retention.store.deletion import DueObject
from treegarth.features.retention.tables import bring_back_object, prune_ledger, retention_policy
from treegarth.index.studies import OfStudy, is_of
from treegarth.index.tables import instance
from treegarth.phrases import P_
from treegarth.record import Record
from treegarth.work.store import LongWork, enlarge, start

BRINGS_BACK = "retention.bring_back"
"""The kind of long work; its subject is the study, by Orthanc's identifier."""


class ProofShown(Record):
    """What the decision stood on."""

    destination: str
    kind: str
    at: datetime


class LedgerEntry(Record):
    """An object that left the archive, or was about to."""

    id: int
    """In the order in which objects left, or were about to."""
    orthanc_study_id: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    """(0008,0018)"""
    sop_class_uid: str | None
    """(0008,0016)"""
    modality: str | None
    patient_id: str | None
    remote_ae_title: str | None
    """Who had sent it."""
    size_bytes: int
    received_at: datetime
    state: str
    """`deleted`; `intended`: is being deleted; `kept`: was not deleted after all."""
    policy_id: int | None
    """Null: not a policy's doing; Orthanc deleted it for somebody else, or to make room."""
    policy: str | None
    policy_version: int | None
    proof: list[ProofShown] | None
    """What the deletion stood on."""
    intended_at: datetime | None
    """When a policy was about to delete it; null: not a policy's doing."""
    deleted_at: datetime | None
    """When it was deleted, or seen to be gone."""
    kept_because: str | None
    returned_at: datetime | None
    """When it was in the archive again."""
    orthanc_instance_id: str


class Whereabouts(Record):
    """A destination that has an object, by its latest proof."""

    destination: str
    kind: str
    """Of the destination: dicom, dicomweb, peer, folder, s3."""
    proof: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An object that is to come back."""

    ledger_id: int
    found: DueObject  # its identifiers
    proved_at: tuple[str, ...]  # destinations that the ledger entry's proof names


def select_entries(
    *, studies: Sequence[OfStudy] = (), sop_instance_uids: Sequence[str] = (), state: str | None = None
) -> Select[Any]:
    """Entries, in no order: those of each of these studies and of each of these objects."""
    names = [name for name in LedgerEntry.model_fields if name != "policy"]
    query: Select[Any] = select(
        *(prune_ledger.c[name] for name in names), retention_policy.c.name.label("policy")
    ).outerjoin(retention_policy, retention_policy.c.id == prune_ledger.c.policy_id)
    query = query.where(*(is_of(prune_ledger, study) for study in studies))
    query = query.where(*(prune_ledger.c.sop_instance_uid == uid for uid in sop_instance_uids))
    return query if state is None else query.where(prune_ledger.c.state == state)


def read_entry(connection: Connection, ledger_id: int) -> LedgerEntry:
    """Raises NotFound."""
    entry = find_entry(connection, ledger_id)
    if entry is None:
        raise NotFound(P_("There is no such entry in the ledger."))
    return entry


def find_entry(connection: Connection, ledger_id: int) -> LedgerEntry | None:
    row = connection.execute(select_entries().where(prune_ledger.c.id == ledger_id)).one_or_none()
    return None if row is None else LedgerEntry(**row._mapping)


def whereabouts(connection: Connection, orthanc_instance_id: str) -> list[Whereabouts]:
    """The destinations that were proved to have the object, the latest proof first."""
    done = delivery_object
    rows = connection.execute(
        select(
            destination.c.name.label("destination"),
            destination.c.kind,
            done.c.proof,
            done.c.confirmed_at.label("at"),
        )
        .join(destination, destination.c.id == func.coalesce(done.c.via, done.c.destination_id))
        .where(
            done.c.orthanc_instance_id == orthanc_instance_id,
            done.c.state == "confirmed",
            done.c.confirmed_at.is_not(None),
            destination.c.removed_at.is_(None),
        )
        .order_by(done.c.confirmed_at.desc())
    )
    return [Whereabouts(**row._mapping) for row in rows]


def ask_back(
    connection: Connection, entry: LedgerEntry, scope: str, *, asked_by: str | None, now: datetime
) -> LongWork | None:
    """Want the object back, or all that is gone of its series or study: with what is asked back of the study already.
    None where nothing of it is gone."""
    within = {
        "object": prune_ledger.c.id == entry.id,
        "series": and_(is_of(prune_ledger, entry), prune_ledger.c.series_instance_uid == entry.series_instance_uid),
        "study": is_of(prune_ledger, entry),
    }[scope]
    present = exists().where(instance.c.orthanc_instance_id == prune_ledger.c.orthanc_instance_id)
    gone = connection.execute(
        select(func.max(prune_ledger.c.id))
        .where(within, prune_ledger.c.state == "deleted", prune_ledger.c.returned_at.is_(None), ~present)
        .group_by(prune_ledger.c.orthanc_instance_id)
    ).scalars()
    identifiers = sorted(gone)
    if not identifiers:
        return None
    uid, key = entry.study_instance_uid, entry.orthanc_study_id
    work = start(connection, BRINGS_BACK, subject=key, detail=uid, by=asked_by, now=now, total=0)
    rows = [{"work_id": work.id, "ledger_id": one} for one in identifiers]
    wanted = insert(bring_back_object).values(rows).on_conflict_do_nothing()
    added = connection.execute(wanted.returning(bring_back_object.c.ledger_id)).all()
    return enlarge(connection, work.id, len(added))


def still_wanted(connection: Connection, number: int) -> list[Wanted]:
    """The objects of a work that have not arrived, by series."""
    names = list(DueObject.__dataclass_fields__)
    rows = connection.execute(
        select(prune_ledger.c.id, prune_ledger.c.proof, *(prune_ledger.c[name] for name in names))
        .join(bring_back_object, bring_back_object.c.ledger_id == prune_ledger.c.id)
        .where(bring_back_object.c.work_id == number, bring_back_object.c.arrived_at.is_(None))
        .order_by(prune_ledger.c.series_instance_uid, prune_ledger.c.id)
    )
    return [
        Wanted(
            ledger_id=row.id,
            found=DueObject(**{name: getattr(row, name) for name in names}),
            proved_at=tuple(one["destination"] for one in row.proof or ()),
        )
        for row in rows
    ]


def note_arrived(connection: Connection, number: int, ledger_ids: Sequence[int], via: str | None, at: datetime) -> None:
    connection.execute(
        update(bring_back_object)
        .where(bring_back_object.c.work_id == number, bring_back_object.c.ledger_id.in_(ledger_ids))
        .values(arrived_at=at, via=via)
    )
