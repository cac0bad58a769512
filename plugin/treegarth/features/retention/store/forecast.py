"""What a policy would delete today and later, and what the archive's space is taken by. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, Connection, cast, desc, func, literal, select, text, union_all

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.features.retention.store import facts
from treegarth.features.retention.store.decision import NumberedPolicy, free_objects, use_memory
from treegarth.features.retention.tables import prune_ledger, retention_policy
from treegarth.index.names import OfNamedStudy
from treegarth.index.tables import instance, series, study
from treegarth.record import Record

HORIZON = timedelta(days=30)
MOST_STUDIES = 50
_MONTH = "YYYY-MM"
PATIENCE_S = 120
"""For a question that a person asks rarely and that looks at the whole archive: longer than other pages may take."""


class Share(Record):
    """How many objects of one modality and source, and their bytes."""

    modality: str
    source: str
    """The AE title that sent them, else the user who uploaded them; empty where neither is known."""
    instance_count: int
    size_bytes: int


class ForeseenStudy(OfNamedStudy):
    """A study of which objects would go."""

    orthanc_study_id: str
    study_instance_uid: str
    instance_count: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """What a policy would delete if it were decided at a time."""

    at: datetime
    shares: tuple[Share, ...]

    @property
    def instance_count(self) -> int:
        return sum(share.instance_count for share in self.shares)

    @property
    def size_bytes(self) -> int:
        return sum(share.size_bytes for share in self.shares)


class Month(Record):
    """What arrived in a month and is still here, and what policies deleted in it."""

    month: str
    """2026-11."""
    received_bytes: int
    """By the studies' first arrivals; pruned objects are among them."""
    freed_bytes: int


class Freed(Record):
    """What one policy deleted."""

    policy_id: int
    policy: str
    instance_count: int
    size_bytes: int


def foresee(connection: Connection, numbered: NumberedPolicy, vocabulary: Vocabulary, at: datetime) -> Foreseen:
    """By modality and source, as if it were that time and nothing else had changed. Whether destinations still have
    the objects is asked only before a deletion: here any proof counts. Of a policy by space: all that could go."""
    use_memory(connection)
    connection.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE_S}s'"))
    marking = _marking(numbered)
    modality = func.coalesce(series.c.modality, "")
    query = free_objects(
        marking,
        vocabulary,
        at,
        modality.label("modality"),
        facts.source_name().label("source"),
        func.count().label("instance_count"),
        func.sum(instance.c.size_bytes).label("size_bytes"),
    ).group_by(text("1, 2"))
    rows = connection.execute(query.order_by(text("4 DESC, 1, 2")))
    shares = [
        Share(
            modality=row.modality, source=row.source, instance_count=row.instance_count, size_bytes=int(row.size_bytes)
        )
        for row in rows
    ]
    return Foreseen(at=at, shares=tuple(shares))


def foresee_studies(
    connection: Connection, numbered: NumberedPolicy, vocabulary: Vocabulary, at: datetime, *, limit: int = MOST_STUDIES
) -> list[ForeseenStudy]:
    """The first studies that the policy would delete objects of, by their identifiers."""
    query = free_objects(
        _marking(numbered),
        vocabulary,
        at,
        study.c.orthanc_study_id,
        study.c.study_instance_uid,
        func.count().label("instance_count"),
        func.sum(instance.c.size_bytes).label("size_bytes"),
    )
    of_study = (study.c.study_instance_uid, study.c.orthanc_study_id)
    grouped = query.group_by(*of_study).order_by(*of_study).limit(limit)
    return [
        ForeseenStudy(
            orthanc_study_id=row.orthanc_study_id,
            study_instance_uid=row.study_instance_uid,
            instance_count=row.instance_count,
            size_bytes=int(row.size_bytes),
        )
        for row in connection.execute(grouped)
    ]


def _marking(numbered: NumberedPolicy) -> NumberedPolicy:
    return NumberedPolicy(id=numbered.id, version=numbered.version, policy=numbered.policy.for_marking)


def space_by_modality_and_source(connection: Connection) -> list[Share]:
    """What the archive's space is taken by: by series, whose source is that of its object that was indexed last."""
    modality = func.coalesce(series.c.modality, "")
    source = func.coalesce(series.c.remote_ae_title, series.c.http_user, "")
    query = (
        select(
            modality.label("modality"),
            source.label("source"),
            func.sum(series.c.instance_count).label("instance_count"),
            func.sum(series.c.size_bytes).label("size_bytes"),
        )
        .where(series.c.instance_count > 0)
        .group_by(text("1, 2"))
        .order_by(text("4 DESC, 1, 2"))
    )
    return [
        Share(
            modality=row.modality,
            source=row.source,
            instance_count=int(row.instance_count),
            size_bytes=int(row.size_bytes),
        )
        for row in connection.execute(query)
    ]


def months(connection: Connection, since: datetime) -> list[Month]:
    """Growth by month, by the studies' first arrivals, pruned objects included; and what was freed in each."""
    received = select(
        func.to_char(study.c.first_received_at, _MONTH).label("month"),
        (study.c.size_bytes + study.c.pruned_size_bytes).label("received"),
        literal(0).label("freed"),
    ).where(study.c.first_received_at >= since)
    freed = select(func.to_char(prune_ledger.c.deleted_at, _MONTH), literal(0), prune_ledger.c.size_bytes)
    flows = union_all(received, freed.where(*_was_freed(since))).subquery("flows")
    query = (
        select(
            flows.c.month,
            cast(func.sum(flows.c.received), BigInteger).label("received_bytes"),
            cast(func.sum(flows.c.freed), BigInteger).label("freed_bytes"),
        )
        .group_by(flows.c.month)
        .order_by(flows.c.month)
    )
    return [Month(**row._mapping) for row in connection.execute(query)]


def flow(connection: Connection, since: datetime) -> int:
    """Bytes received since a time, less the bytes that policies deleted."""
    received = select(func.coalesce(func.sum(study.c.size_bytes + study.c.pruned_size_bytes), 0)).where(
        study.c.last_received_at >= since, study.c.first_received_at >= since
    )
    freed = select(func.coalesce(func.sum(prune_ledger.c.size_bytes), 0)).where(*_was_freed(since))
    return int(connection.execute(select(received.scalar_subquery() - freed.scalar_subquery())).scalar_one())


def freed_by_policy(connection: Connection, since: datetime) -> list[Freed]:
    """What each policy deleted since a time."""
    query = (
        select(
            prune_ledger.c.policy_id,
            retention_policy.c.name.label("policy"),
            func.count().label("instance_count"),
            cast(func.sum(prune_ledger.c.size_bytes), BigInteger).label("size_bytes"),
        )
        .join_from(prune_ledger, retention_policy, retention_policy.c.id == prune_ledger.c.policy_id)
        .where(*_was_freed(since))
        .group_by(prune_ledger.c.policy_id, retention_policy.c.name)
        .order_by(desc("size_bytes"), prune_ledger.c.policy_id)
    )
    return [Freed(**row._mapping) for row in connection.execute(query)]


def _was_freed(since: datetime) -> tuple[ColumnElement[bool], ...]:
    """What policies deleted since a time."""
    ledger = prune_ledger.c
    return ledger.deleted_at >= since, ledger.policy_id.is_not(None), ledger.state == "deleted"
