"""The ledger by study: whose it was, how much of it is gone, by whose doing, and who has it. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import ge, le, lt
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, any_, cast, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from treegarth.features.deliveries.tables import delivery_object, destination
from treegarth.features.retention.store.ledger import has_it, is_confirmed, is_gone, names_it
from treegarth.features.retention.tables import prune_ledger, retention_policy
from treegarth.index.names import OfNamedStudy, with_names
from treegarth.index.studies import OfStudy, StudyKey, is_of
from treegarth.index.tables import departed_study
from treegarth.record import Record


class LedgerStudy(OfNamedStudy):
    """A study of which objects left the archive, or were about to."""

    orthanc_study_id: str
    study_instance_uid: str
    patient_birth_date: date | None
    patient_sex: str | None
    accession_number: str | None
    modalities: list[str]
    """Of the objects that the ledger has entries of, sorted."""
    state: str
    """`deleted`: something is gone; `intended`: something is about to be deleted; `returned`: all is here again;
    `kept`: nothing was deleted after all."""
    instance_count: int
    """Objects that are gone."""
    size_bytes: int
    """Of these."""
    returned_instance_count: int
    """Objects that were gone and are here again."""
    policies: list[str]
    """Whose doing it was, by name."""
    by_others: bool
    """Whether somebody else deleted of it in Orthanc, or Orthanc made room."""
    left_at: datetime
    """When the last of it was deleted, or was about to."""


class Holder(Record):
    """A destination that is proved to have of a study what is gone."""

    destination: str
    kind: str
    """Of the destination: dicom, dicomweb, peer, folder, s3."""
    instance_count: int
    """So many of the objects that are gone."""


def select_studies(
    *,
    found: Sequence[ColumnElement[bool]] = (),
    uid: str | None = None,
    study: OfStudy | None = None,
    state: str | None = None,
    by: Literal["policy", "others"] | None = None,
    policy_id: int | None = None,
    left_from: datetime | None = None,
    left_before: datetime | None = None,
    study_date_from: date | None = None,
    study_date_to: date | None = None,
) -> Select[Any]:
    """Studies of the ledger, in no order; `found` by these conditions, or by the UID of an object."""
    row = departed_study.c
    named = [row[name] for name in LedgerStudy.model_fields if name in departed_study.c]
    policies = (
        select(func.coalesce(func.array_agg(retention_policy.c.name), cast(literal("{}"), ARRAY(Text))))
        .where(retention_policy.c.id == any_(row.policy_ids))
        .scalar_subquery()
    )
    query: Select[Any] = select(*named, policies.label("policies"))
    if study is not None:
        query = query.where(is_of(departed_study, study))
    if found:
        of_object = select(prune_ledger.c.orthanc_study_id).where(
            prune_ledger.c.sop_instance_uid == (uid or "").strip()
        )
        is_its = row.orthanc_study_id == func.any(func.array(of_object.scalar_subquery()))
        query = query.where(or_(and_(*found), is_its))
    if state is not None:
        query = query.where(row.state == state)
    if by is not None:
        query = query.where(row.by_others if by == "others" else func.cardinality(row.policy_ids) > 0)
    if policy_id is not None:
        query = query.where(row.policy_ids.contains([policy_id]))
    within = (
        (ge, row.left_at, left_from),
        (lt, row.left_at, left_before),
        (ge, row.study_date, study_date_from),
        (le, row.study_date, study_date_to),
    )
    return query.where(*(compares(column, asked) for compares, column, asked in within if asked is not None))


def read_study(connection: Connection, study: OfStudy) -> LedgerStudy | None:
    """What the ledger has of this study; None where nothing of it left."""
    rows = connection.execute(select_studies(study=study)).mappings()
    return next((LedgerStudy(**one) for one in with_names(connection, list(map(dict, rows)))), None)


def keys_of(connection: Connection, orthanc_study_ids: Iterable[str]) -> list[StudyKey]:
    """Those of these studies that the ledger knows."""
    row = departed_study.c
    query = select(row.orthanc_study_id, row.study_instance_uid).order_by(row.orthanc_study_id)
    rows = connection.execute(query.where(row.orthanc_study_id.in_(list(orthanc_study_ids))))
    return [StudyKey(**one._mapping) for one in rows]


def who_has(connection: Connection, orthanc_study_ids: Iterable[str]) -> Mapping[str, list[str]]:
    """By study the destinations that are proved to have something of it that is gone, by name."""
    keys, entry, done, place = sorted(set(orthanc_study_ids)), prune_ledger.c, delivery_object.c, destination.c
    its = exists().where(entry.orthanc_instance_id == done.orthanc_instance_id, is_gone())
    delivered = (
        select(done.orthanc_study_id, place.name)
        .join(destination, place.id == func.coalesce(done.via, done.destination_id))
        .where(done.orthanc_study_id.in_(keys), is_confirmed(), place.removed_at.is_(None), its)
    )
    proved = (
        select(entry.orthanc_study_id, place.name)
        .join(destination, names_it())
        .where(entry.orthanc_study_id.in_(keys), is_gone(), place.removed_at.is_(None))
    )
    found: dict[str, list[str]] = {}
    for key, name in sorted(connection.execute(delivered.union(proved))):
        found.setdefault(key, []).append(name)
    return found


def holders(connection: Connection, orthanc_study_id: str) -> list[Holder]:
    """The destinations that are proved to have of the study what is gone, that with the most first."""
    count = func.count(prune_ledger.c.orthanc_instance_id.distinct()).label("instance_count")
    query = (
        select(destination.c.name.label("destination"), destination.c.kind, count)
        .where(prune_ledger.c.orthanc_study_id == orthanc_study_id, is_gone(), has_it())
        .group_by(destination.c.name, destination.c.kind)
        .order_by(count.desc(), destination.c.name)
    )
    return [Holder(**row._mapping) for row in connection.execute(query)]
