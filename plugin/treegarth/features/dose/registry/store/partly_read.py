"""Reports that were read but not in every part, and how many are not read in each way. Queries only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, func, literal, select

from treegarth.database.keyset import SortKey, read_page
from treegarth.features.dose.registry.tables import dose_report

Unread: TypeAlias = Literal["failed", "refused", "issues"]
"""Could not be read after every attempt; is no source of dose after all; was read, but not in every part."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PartlyRead:
    """One report, and what of it could not be read: {path, reason}."""

    orthanc_instance_id: str
    orthanc_study_id: str
    study_instance_uid: str
    issues: Sequence[Mapping[str, str]]
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    study_date: date | None
    discovered_at: datetime
    source_deleted_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PartlyReadPage:
    """Some of them, and the cursor of those that follow; None at the end."""

    reports: tuple[PartlyRead, ...]
    next: str | None


_ORDER = (SortKey(column=dose_report.c.orthanc_instance_id),)
_CONDITIONS: dict[Unread, ColumnElement[bool]] = {
    "failed": dose_report.c.state == "failed",
    "refused": dose_report.c.state == "refused",
    "issues": dose_report.c.issue_count > 0,
}


def list_partly_read(connection: Connection, *, limit: int, cursor: str | None) -> PartlyReadPage:
    """A page in the order of Orthanc's identifiers. Raises InvalidRequest for a cursor that is not of this list."""
    columns = [dose_report.c[name] for name in PartlyRead.__dataclass_fields__]
    query = select(*columns).where(_CONDITIONS["issues"])
    page = read_page(connection, query, _ORDER, name="dose issues", limit=limit, cursor=cursor)
    return PartlyReadPage(reports=tuple(PartlyRead(**row._mapping) for row in page.rows), next=page.next)


def count_unread(connection: Connection, *, at_most: int = 10_000) -> dict[Unread, int]:
    """How many there are of each, counted no further than `at_most`; each has an index of its own."""
    found: dict[Unread, int] = {}
    for unread, condition in _CONDITIONS.items():
        some = select(literal(1)).select_from(dose_report).where(condition).limit(at_most).subquery()
        found[unread] = int(connection.execute(select(func.count()).select_from(some)).scalar_one())
    return found
