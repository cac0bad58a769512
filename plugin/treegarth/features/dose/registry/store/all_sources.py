"""Every source of dose, one by one, for programs that keep a copy of the registry. Queries only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, select

from treegarth.database.keyset import SortKey, read_page
from treegarth.features.dose.reading.model import Kind
from treegarth.features.dose.registry.tables import dose_report
from treegarth.record import Record

_ORDER = (SortKey(column=dose_report.c.orthanc_instance_id),)


State: TypeAlias = Literal["unread", "read", "refused", "failed"]


class DoseReportSummary(Record):
    """One source object, without its irradiation events."""

    orthanc_instance_id: str
    sop_instance_uid: str
    sop_class_uid: str | None
    study_instance_uid: str
    state: State
    kind: Kind | None
    refused: str | None
    last_error: str | None
    """Why the last attempt to read it failed."""
    read_at: datetime | None
    source_deleted_at: datetime | None
    study_date: date | None
    manufacturer: str | None
    manufacturer_model_name: str | None
    irradiation_event_count: int
    administration_count: int
    issue_count: int
    totals: dict[str, Any] | None
    """As reported; null before it is read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseReportPage:
    """Some sources, and the cursor of those that follow; None at the end."""

    reports: tuple[DoseReportSummary, ...]
    next: str | None


def list_reports(
    connection: Connection, *, state: str | None = None, kind: str | None = None, limit: int = 50, cursor: str | None
) -> DoseReportPage:
    """A page of the sources in the order of Orthanc's identifiers. Raises InvalidRequest for a strange cursor."""
    query = select(*(dose_report.c[name] for name in DoseReportSummary.model_fields))
    if state is not None:
        query = query.where(dose_report.c.state == state)
    if kind is not None:
        query = query.where(dose_report.c.kind == kind)
    page = read_page(connection, query, _ORDER, name="dose reports", limit=limit, cursor=cursor)
    return DoseReportPage(reports=tuple(DoseReportSummary(**row._mapping) for row in page.rows), next=page.next)
