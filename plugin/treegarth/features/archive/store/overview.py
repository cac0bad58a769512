"""What the pages of today and of a study show beside the search: arrivals by day, and what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Connection, Date, cast, desc, func, select
from sqlalchemy.dialects.postgresql import JSONB

from treegarth.database.parameters import is_among
from treegarth.database.phrase_column import said
from treegarth.index.tables import instance, series, study


@dataclass(frozen=True, kw_only=True)
class DayArrivals:
    """Studies of one combination of modalities whose first instance arrived on a day of the site's zone."""

    day: date
    modalities: tuple[str, ...]
    study_count: int
    instance_count: int


@dataclass(frozen=True, kw_only=True)
class IssueCount:
    """Something that could not be read, in how many instances of a study."""

    path: str
    reason: str
    instances: int


def arrivals_by_day(connection: Connection, since: datetime, zone: ZoneInfo) -> list[DayArrivals]:
    """The studies that began to arrive since a moment; a study that arrives over midnight counts on its first day.

    The condition on the last arrival lets the index on it find the rows.
    """
    query = (
        select(
            cast(func.timezone(zone.key, study.c.first_received_at), Date).label("day"),
            study.c.modalities,
            func.count().label("study_count"),
            cast(func.sum(study.c.instance_count), BigInteger).label("instance_count"),
        )
        .where(study.c.last_received_at >= since, study.c.first_received_at >= since)
        .group_by("day", study.c.modalities)
    )
    return [
        DayArrivals(
            day=row.day,
            modalities=tuple(row.modalities),
            study_count=row.study_count,
            instance_count=row.instance_count,
        )
        for row in connection.execute(query)
    ]


def is_empty(connection: Connection) -> bool:
    """Whether the index has no study at all."""
    return connection.execute(select(study.c.orthanc_study_id).limit(1)).first() is None


def issues_of_study(connection: Connection, orthanc_study_ids: Sequence[str]) -> list[IssueCount]:
    """What could not be read of these studies' instances, the most frequent first."""
    issue = func.jsonb_array_elements(instance.c.issues, type_=JSONB).column_valued("issue", joins_implicitly=True)
    query = (
        select(issue["path"].astext.label("path"), issue["reason"].label("reason"), func.count().label("instances"))
        .join_from(series, instance, instance.c.orthanc_series_id == series.c.orthanc_series_id)
        .where(is_among(series.c.orthanc_study_id, orthanc_study_ids), instance.c.issues.is_not(None))
        .group_by("path", "reason")
        .order_by(desc("instances"), "path")
        .limit(50)
    )
    return [
        IssueCount(path=row.path or "", reason=said(row.reason or ""), instances=row.instances)
        for row in connection.execute(query)
    ]


def count_with_issues(connection: Connection, *, at_most: int = 10_000) -> int:
    """How many objects were not read in every part, counted no further: by an index of these alone."""
    some = select(instance.c.orthanc_instance_id).where(instance.c.issues.is_not(None)).limit(at_most).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def last_indexed_at(connection: Connection) -> datetime | None:
    """When the newest instances of the index were received, which is about when they were written."""
    newest = study.c.last_received_at
    found: datetime | None = connection.execute(select(newest).order_by(newest.desc()).limit(1)).scalar()
    return found
