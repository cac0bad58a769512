"""What a policy would delete today and later, and what the archive's space is taken by. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, text

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.features.retention.store import facts
from treegarth.features.retention.store.decision import NumberedPolicy, free_objects, use_memory
from treegarth.index.tables import instance, series, study
from treegarth.record import Record

HORIZON = timedelta(days=30)
MOST_STUDIES = 50
PATIENCE_S = 120
"""For a question that a person asks rarely and that looks at the whole archive: longer than other pages may take."""


class Share(Record):
    """How many objects of one modality and source, and their bytes."""

    modality: str
    source: str
    """The AE title that sent them, else the user who uploaded them; empty where neither is known."""
    instance_count: int
    size_bytes: int


class ForeseenStudy(Record):
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
    rows = connection.execute(
        text(
            "SELECT month, sum(received)::bigint AS received_bytes, sum(freed)::bigint AS freed_bytes FROM ("
            " SELECT to_char(first_received_at, 'YYYY-MM') AS month, size_bytes + pruned_size_bytes AS received,"
            " 0 AS freed FROM study WHERE first_received_at >= :since"
            " UNION ALL SELECT to_char(deleted_at, 'YYYY-MM'), 0, size_bytes FROM prune_ledger"
            " WHERE deleted_at >= :since AND policy_id IS NOT NULL AND state = 'deleted'"
            ") AS flows GROUP BY 1 ORDER BY 1"
        ),
        {"since": since},
    )
    return [Month(**row._mapping) for row in rows]


def flow(connection: Connection, since: datetime) -> int:
    """Bytes received since a time, less the bytes that policies deleted."""
    found = connection.execute(
        text(
            "SELECT (SELECT coalesce(sum(size_bytes + pruned_size_bytes), 0) FROM study"
            " WHERE last_received_at >= :since AND first_received_at >= :since)"
            " - (SELECT coalesce(sum(size_bytes), 0) FROM prune_ledger"
            " WHERE deleted_at >= :since AND policy_id IS NOT NULL AND state = 'deleted')"
        ),
        {"since": since},
    )
    return int(found.scalar_one())


def freed_by_policy(connection: Connection, since: datetime) -> list[Freed]:
    """What each policy deleted since a time."""
    rows = connection.execute(
        text(
            "SELECT l.policy_id, p.name AS policy, count(*) AS instance_count, sum(l.size_bytes)::bigint AS size_bytes"
            " FROM prune_ledger l JOIN retention_policy p ON p.id = l.policy_id"
            " WHERE l.state = 'deleted' AND l.deleted_at >= :since GROUP BY 1, 2 ORDER BY 4 DESC, 1"
        ),
        {"since": since},
    )
    return [Freed(**row._mapping) for row in rows]
