"""Sources that gave no dose, and why: failed after every attempt, or refused. Queries only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

from sqlalchemy import Connection, func, select

from treegarth.database.keyset import SortKey, read_page
from treegarth.features.dose.registry.candidates import SR_SOURCES
from treegarth.features.dose.registry.store.queue import FAILED, REFUSED
from treegarth.features.dose.registry.tables import dose_report

Trouble: TypeAlias = Literal["failed", "refused"]

_ORDER = (SortKey(column=dose_report.c.orthanc_instance_id),)


@dataclass(frozen=True, kw_only=True, slots=True)
class TroubledSource:
    """One source without dose. `reason` is why it was refused, or what the last attempt failed at."""

    orthanc_instance_id: str
    orthanc_study_id: str
    study_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str | None
    modality: str | None
    state: str
    reason: str | None
    attempts: int
    discovered_at: datetime
    read_at: datetime | None
    source_deleted_at: datetime | None
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    patient_id: str | None
    study_date: date | None
    study_description: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TroublePage:
    """Some of them, and the cursor of those that follow; None at the end."""

    sources: tuple[TroubledSource, ...]
    next: str | None


def list_trouble(
    connection: Connection,
    *,
    state: Trouble,
    structured_reports: bool | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> TroublePage:
    """A page in the order of Orthanc's identifiers; only structured reports, only images, or (None) both.

    Raises InvalidRequest for a cursor that is not of this list.
    """
    reason = (dose_report.c.refused if state == REFUSED else dose_report.c.last_error).label("reason")
    names = [name for name in TroubledSource.__dataclass_fields__ if name != "reason"]
    query = select(*(dose_report.c[name] for name in names), reason).where(dose_report.c.state == state)
    if structured_reports is not None:
        is_report = func.coalesce(dose_report.c.sop_class_uid, "").in_(sorted(SR_SOURCES))
        query = query.where(is_report if structured_reports else ~is_report)
    page = read_page(connection, query, _ORDER, name=f"dose {state}", limit=limit, cursor=cursor)
    return TroublePage(sources=tuple(TroubledSource(**row._mapping) for row in page.rows), next=page.next)


def count_reasons(connection: Connection, *, state: Trouble, at_most: int = 50) -> list[tuple[str, int]]:
    """The commonest reasons with how often each was given, the commonest first."""
    column = dose_report.c.last_error if state == FAILED else dose_report.c.refused
    number = func.count()
    query = select(column, number).where(dose_report.c.state == state, column.is_not(None)).group_by(column)
    return [(row[0], row[1]) for row in connection.execute(query.order_by(number.desc(), column).limit(at_most))]
