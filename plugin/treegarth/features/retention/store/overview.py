"""What the pages show beside the lists of the API: marks by study, what is gone of a study. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, cast, func, select

from treegarth.features.retention.tables import prune_ledger, prune_mark, retention_policy
from treegarth.index.names import OfNamedStudy
from treegarth.index.studies import OfStudy, is_of
from treegarth.index.tables import instance


class MarkedStudy(OfNamedStudy):
    """What one policy is going to delete of a study."""

    orthanc_study_id: str
    study_instance_uid: str
    policy_id: int
    policy: str
    modalities: list[str]
    instance_count: int
    size_bytes: int
    due_at: datetime
    """When the first object goes, not before."""
    last_words: str | None
    """Why an object was not deleted when its time had come."""


@dataclass(frozen=True, kw_only=True)
class Sum:
    """So many objects of so many bytes, and a moment: of marks when the first is due, of pruned ones the last."""

    instance_count: int = 0
    size_bytes: int = 0
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class GoneSeries:
    """What left the archive of a series, and is not back."""

    ledger_id: int  # the latest
    series_instance_uid: str
    modality: str | None
    policy: str | None  # None: somebody else deleted it
    instance_count: int
    size_bytes: int
    deleted_at: datetime


def select_marked_studies(*, study: OfStudy | None = None, policy_id: int | None = None) -> Select[Any]:
    """What is marked, by study and policy, in no order."""
    mark = prune_mark.c
    grouped = (
        select(
            mark.orthanc_study_id,
            mark.study_instance_uid,
            mark.policy_id,
            func.array_remove(func.array_agg(mark.modality.distinct()), None).label("modalities"),
            func.count().label("instance_count"),
            cast(func.sum(mark.size_bytes), BigInteger).label("size_bytes"),
            func.min(mark.due_at).label("due_at"),
            func.max(mark.last_words).label("last_words"),
        )
        .where(*_of(study, policy_id))
        .group_by(mark.orthanc_study_id, mark.study_instance_uid, mark.policy_id)
        .subquery()
    )
    return select(grouped, retention_policy.c.name.label("policy")).join(
        retention_policy, retention_policy.c.id == grouped.c.policy_id
    )


def marked_sum(connection: Connection, *, study: OfStudy | None = None, policy_id: int | None = None) -> Sum:
    """How much is marked, of a study or of all, by a policy or by whichever."""
    mark = prune_mark.c
    row = connection.execute(
        select(func.count(), func.coalesce(func.sum(mark.size_bytes), 0), func.min(mark.due_at)).where(
            *_of(study, policy_id)
        )
    ).one()
    return Sum(instance_count=row[0], size_bytes=int(row[1]), at=row[2])


def _of(study: OfStudy | None, policy_id: int | None) -> list[ColumnElement[bool]]:
    """The conditions of a mark."""
    of_study = [is_of(prune_mark, study)] if study is not None else []
    return [*of_study, *([prune_mark.c.policy_id == policy_id] if policy_id is not None else [])]


def marked_by_policy(connection: Connection) -> Mapping[int, Sum]:
    """How much each policy has marked."""
    mark = prune_mark.c
    rows = connection.execute(
        select(mark.policy_id, func.count(), func.sum(mark.size_bytes), func.min(mark.due_at)).group_by(mark.policy_id)
    )
    return {row[0]: Sum(instance_count=row[1], size_bytes=int(row[2]), at=row[3]) for row in rows}


def gone_of_study(connection: Connection, study: OfStudy) -> list[GoneSeries]:
    """What left of a study and is not back, by series and by what deleted it."""
    ledger = prune_ledger.c
    present = select(instance.c.orthanc_instance_id).where(instance.c.orthanc_instance_id == ledger.orthanc_instance_id)
    rows = connection.execute(
        select(
            func.max(ledger.id).label("ledger_id"),
            ledger.series_instance_uid,
            func.max(ledger.modality).label("modality"),
            retention_policy.c.name.label("policy"),
            func.count(ledger.orthanc_instance_id.distinct()).label("instance_count"),
            func.sum(ledger.size_bytes).label("size_bytes"),
            func.max(ledger.deleted_at).label("deleted_at"),
        )
        .outerjoin(retention_policy, retention_policy.c.id == ledger.policy_id)
        .where(
            is_of(prune_ledger, study),
            ledger.state == "deleted",
            ledger.returned_at.is_(None),
            ~present.exists(),
        )
        .group_by(ledger.series_instance_uid, retention_policy.c.name)
        .order_by(func.max(ledger.id).desc())
    )
    return [GoneSeries(**{**row._mapping, "size_bytes": int(row.size_bytes)}) for row in rows]
