"""What the pages of today and of a study show beside the search: arrivals by day, and what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from treegarth.database.phrase_column import said


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
    rows = connection.execute(
        text(
            "SELECT (first_received_at AT TIME ZONE :zone)::date AS day, modalities, count(*) AS study_count, "
            "sum(instance_count)::bigint AS instance_count FROM study "
            "WHERE last_received_at >= :since AND first_received_at >= :since GROUP BY 1, 2"
        ),
        {"zone": zone.key, "since": since},
    )
    return [
        DayArrivals(
            day=row.day,
            modalities=tuple(row.modalities),
            study_count=row.study_count,
            instance_count=row.instance_count,
        )
        for row in rows
    ]


def is_empty(connection: Connection) -> bool:
    """Whether the index has no study at all."""
    return connection.execute(text("SELECT 1 FROM study LIMIT 1")).first() is None


def issues_of_study(connection: Connection, orthanc_study_ids: Sequence[str]) -> list[IssueCount]:
    """What could not be read of these studies' instances, the most frequent first."""
    rows = connection.execute(
        text(
            "SELECT issue ->> 'path' AS path, issue -> 'reason' AS reason, count(*) AS instances "
            "FROM series JOIN instance USING (orthanc_series_id), jsonb_array_elements(instance.issues) AS issue "
            "WHERE series.orthanc_study_id = ANY(:studies) AND instance.issues IS NOT NULL "
            "GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT 50"
        ),
        {"studies": list(orthanc_study_ids)},
    )
    return [IssueCount(path=row.path or "", reason=said(row.reason or ""), instances=row.instances) for row in rows]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How far the reconciler's last comparison of the index with Orthanc is."""

    started_at: datetime
    finished_at: datetime | None
    saved_at: datetime
    orthanc_instances: int
    compared: int
    indexed: int
    removed: int

    @property
    def done(self) -> int:
        """Instances dealt with; of a page that is being worked on, those already indexed."""
        return min(max(self.compared, self.indexed), self.orthanc_instances)

    @property
    def per_second(self) -> float | None:
        seconds = (self.saved_at - self.started_at).total_seconds()
        return self.done / seconds if seconds > 0 and self.done else None

    @property
    def seconds_left(self) -> float | None:
        rate = self.per_second
        return (self.orthanc_instances - self.done) / rate if rate else None


def last_comparison(connection: Connection) -> Comparison | None:
    """The comparison that runs, or the last one; None before the first."""
    row = connection.execute(text("SELECT value, changed_at FROM archive_state WHERE name = 'comparison'")).first()
    if row is None:
        return None
    value = row.value
    return Comparison(
        started_at=datetime.fromisoformat(value["started_at"]),
        finished_at=datetime.fromisoformat(value["finished_at"]) if value["finished_at"] else None,
        saved_at=row.changed_at,
        **{name: int(value[name]) for name in ("orthanc_instances", "compared", "indexed", "removed")},
    )


def last_indexed_at(connection: Connection) -> datetime | None:
    """When the newest instances of the index were received, which is about when they were written."""
    found: datetime | None = connection.execute(
        text("SELECT last_received_at FROM study ORDER BY last_received_at DESC LIMIT 1")
    ).scalar()
    return found
