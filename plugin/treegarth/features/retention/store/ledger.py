"""Look into the ledger of what left the archive, and ask for objects back. Queries only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from treegarth.errors import NotFound, RequestConflict
from treegarth.features.deliveries.tables import delivery_object, destination
from treegarth.features.retention.store.deletion import DueObject
from treegarth.features.retention.tables import bring_back_object, prune_ledger, retention_policy
from treegarth.index.names import OfNamedStudy, with_names
from treegarth.index.studies import OfStudy, is_of
from treegarth.index.tables import instance
from treegarth.phrases import P_
from treegarth.record import Record
from treegarth.work.store import LongWork, enlarge, start

Scope: TypeAlias = Literal["object", "series", "study"]
BRINGS_BACK = "retention.bring_back"
"""The kind of long work; its subject is the study, by Orthanc's identifier."""


class NobodyHasIt(RequestConflict):
    """Nothing that is gone can come back: no destination is proved to have it."""

    def __init__(self) -> None:
        super().__init__(P_("No destination of ours is proved to have it: nothing can bring it back."))


class ProofShown(Record):
    """What the decision stood on."""

    destination: str
    kind: str
    at: datetime


class LedgerEntry(OfNamedStudy):
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
    *, study: OfStudy | None = None, sop_instance_uid: str | None = None, state: str | None = None
) -> Select[Any]:
    """Entries, in no order."""
    names = [name for name in LedgerEntry.model_fields if name in prune_ledger.c]
    query: Select[Any] = select(
        *(prune_ledger.c[name] for name in names), retention_policy.c.name.label("policy")
    ).outerjoin(retention_policy, retention_policy.c.id == prune_ledger.c.policy_id)
    if study is not None:
        query = query.where(is_of(prune_ledger, study))
    if sop_instance_uid is not None:
        query = query.where(prune_ledger.c.sop_instance_uid == sop_instance_uid)
    return query if state is None else query.where(prune_ledger.c.state == state)


def read_entry(connection: Connection, ledger_id: int) -> LedgerEntry:
    """Raises NotFound."""
    entry = find_entry(connection, ledger_id)
    if entry is None:
        raise NotFound(P_("There is no such entry in the ledger."))
    return entry


def find_entry(connection: Connection, ledger_id: int) -> LedgerEntry | None:
    rows = connection.execute(select_entries().where(prune_ledger.c.id == ledger_id)).mappings()
    return next((LedgerEntry(**one) for one in with_names(connection, list(map(dict, rows)))), None)


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
    connection: Connection, entry: OfStudy, scope: Scope, *, asked_by: str | None, now: datetime
) -> LongWork | None:
    """Want the object back, or all of its series or study that is gone and that somebody has: with what is asked back
    of the study already. None where nothing of it is gone. Raises NobodyHasIt."""
    identifiers = sorted(connection.execute(_gone(entry, scope, held=True)).scalars())
    if not identifiers:
        if connection.execute(_gone(entry, scope)).first() is not None:
            raise NobodyHasIt
        return None
    uid, key = entry.study_instance_uid, entry.orthanc_study_id
    work = start(connection, BRINGS_BACK, subject=key, detail=uid, by=asked_by, now=now, total=0)
    rows = [{"work_id": work.id, "ledger_id": one} for one in identifiers]
    wanted = insert(bring_back_object).values(rows).on_conflict_do_nothing()
    added = connection.execute(wanted.returning(bring_back_object.c.ledger_id)).all()
    return enlarge(connection, work.id, len(added))


def can_come_back(connection: Connection, entry: OfStudy, scope: Scope) -> bool:
    """Whether something of it is gone that somebody has."""
    return connection.execute(_gone(entry, scope, held=True).limit(1)).first() is not None


def _gone(entry: OfStudy, scope: Scope, *, held: bool = False) -> Select[Any]:
    """The latest entries of what is gone, by object; `held`: of those that a destination of ours is proved to have. Of
    an object or a series the entry is one of the ledger."""
    within = [is_of(prune_ledger, entry)]
    if scope != "study":
        name = {"object": "id", "series": "series_instance_uid"}[scope]
        within.append(prune_ledger.c[name] == getattr(entry, name))
    present = exists().where(instance.c.orthanc_instance_id == prune_ledger.c.orthanc_instance_id)
    query = select(func.max(prune_ledger.c.id)).where(*within, is_gone(), ~present)
    return (query.where(_somebody_has_it()) if held else query).group_by(prune_ledger.c.orthanc_instance_id)


def is_gone() -> ColumnElement[bool]:
    """The condition that an entry's object left and did not come back."""
    return and_(prune_ledger.c.state == "deleted", prune_ledger.c.returned_at.is_(None))


def has_it() -> ColumnElement[bool]:
    """The condition on destinations and entries that the one was proved to have the other's object: by a delivery, or
    by the proof that its deletion stood on."""
    done, place = delivery_object.c, destination.c
    delivered = exists().where(
        done.orthanc_instance_id == prune_ledger.c.orthanc_instance_id,
        is_confirmed(),
        func.coalesce(done.via, done.destination_id) == place.id,
    )
    return and_(place.removed_at.is_(None), or_(delivered.correlate(prune_ledger, destination), names_it()))


def is_confirmed() -> ColumnElement[bool]:
    """The condition that a delivery was proved to have arrived."""
    return and_(delivery_object.c.state == "confirmed", delivery_object.c.confirmed_at.is_not(None))


def names_it() -> ColumnElement[bool]:
    """The condition that the proof of an entry names a destination."""
    named = func.jsonb_build_array(func.jsonb_build_object("destination", destination.c.name))
    return prune_ledger.c.proof.contains(named)


def _somebody_has_it() -> ColumnElement[bool]:
    return exists().where(has_it()).correlate(prune_ledger)


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
