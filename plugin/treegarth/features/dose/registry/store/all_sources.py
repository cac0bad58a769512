"""Every source of dose, one by one, with what of it could not be read. Queries only."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Select, func, literal, select

from treegarth.features.dose.reading.model import Kind
from treegarth.features.dose.registry.tables import dose_report
from treegarth.index.names import OfNamedStudy

State: TypeAlias = Literal["unread", "read", "refused", "other", "failed"]
Unread: TypeAlias = Literal["failed", "refused", "issues"]
"""Could not be read after every attempt; is no source of dose after all; was read, but not in every part."""


class DoseReportSummary(OfNamedStudy):
    """One source object, without its irradiation events."""

    orthanc_instance_id: str
    orthanc_study_id: str
    sop_instance_uid: str
    """(0008,0018)"""
    sop_class_uid: str | None
    """(0008,0016)"""
    study_instance_uid: str
    """(0020,000D)"""
    state: State
    """`unread` waits; `refused` holds no dose; `other` is a report about something else; `failed` needs a person."""
    kind: Kind | None
    refused: str | None
    """Why it is no source of dose."""
    last_error: str | None
    """Why the last attempt to read it failed."""
    discovered_at: datetime
    """When it was first noticed."""
    read_at: datetime | None
    source_deleted_at: datetime | None
    """When the object left the archive; its dose stays."""
    study_date: date | None
    """(0008,0020)"""
    manufacturer: str | None
    """(0008,0070)"""
    manufacturer_model_name: str | None
    """(0008,1090)"""
    station_name: str | None
    """(0008,1010)"""
    irradiation_event_count: int
    administration_count: int
    issue_count: int
    issues: list[dict[str, Any]] | None
    """What of it could not be read: `path` and `reason`; null before it is read."""
    totals: dict[str, Any] | None
    """As reported; null before it is read."""


FILLED_IN = OfNamedStudy.model_fields.keys() - {"study_date"}
"""What the list says of the study, whatever its source says of the patient."""


def select_sources(*, state: State | None = None, kind: Kind | None = None, issues: bool = False) -> Select[Any]:
    """Sources, in no order. `issues`: only those that were not read in every part."""
    query = select(*(dose_report.c[name] for name in DoseReportSummary.model_fields if name not in FILLED_IN))
    if state is not None:
        query = query.where(dose_report.c.state == state)
    if kind is not None:
        query = query.where(dose_report.c.kind == kind)
    return query.where(dose_report.c.issue_count > 0) if issues else query


def count_unread(connection: Connection, *, at_most: int = 10_000) -> dict[Unread, int]:
    """How many there are of each, counted no further than `at_most`; each has an index of its own."""
    conditions: dict[Unread, Select[Any]] = {
        "failed": select_sources(state="failed"),
        "refused": select_sources(state="refused"),
        "issues": select_sources(issues=True),
    }
    found: dict[Unread, int] = {}
    for unread, query in conditions.items():
        some = query.with_only_columns(literal(1)).limit(at_most).subquery()
        found[unread] = int(connection.execute(select(func.count()).select_from(some)).scalar_one())
    return found
