"""The dose of studies: list them, count them, find one. Queries only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, literal, select

from treegarth.database.paging import SortKey, read_page
from treegarth.features.dose.store.archive_index import study as archived_study
from treegarth.features.dose.store.filtering import DoseStudyFilter, conditions
from treegarth.features.dose.tables import dose_study


class DoseStudySort(StrEnum):
    """The orders of the dose list."""

    NEWEST = "newest"
    OLDEST = "oldest"
    DLP = "dlp"


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseStudy:
    """One study of the dose list. Totals are the reported ones of the reports that count; None is unknown, not zero."""

    orthanc_study_id: str
    study_instance_uid: str
    modalities: Sequence[str]
    kinds: Sequence[str]
    report_count: int
    rule: str
    irradiation_event_count: int
    issue_count: int
    dlp_total_mgy_cm: float | None
    dlp_of_events_mgy_cm: float | None
    dose_area_product_total_gy_m2: float | None
    dose_rp_total_gy: float | None
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    device_serial_number: str | None
    protocols: Sequence[str]
    patient_id: str | None
    patient_name: str | None
    patient_sex: str | None
    patient_age: str | None
    study_date: date | None
    study_time: time | None
    study_description: str | None
    accession_number: str | None
    source_deleted_at: datetime | None
    source: str | None = None  # report, capture or header
    decisions: Sequence[Mapping[str, Any]] | None = None
    differences: Sequence[str] | None = None
    dose_area_product_of_events_gy_m2: float | None = None
    dose_rp_of_events_gy: float | None = None
    mean_ctdi_vol_max_mgy: float | None = None
    dlp_phantoms: Sequence[str] | None = None
    glandular_dose_left_mgy: float | None = None
    glandular_dose_right_mgy: float | None = None
    administration_count: int = 0
    administered_activity_mbq: float | None = None
    radionuclides: Sequence[str] | None = None
    effective_dose_msv: float | None = None
    not_patient: str | None = None  # phantom, qa or service


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseStudyPage:
    """Studies and the cursor of what follows; None at the end."""

    studies: tuple[DoseStudy, ...]
    next: str | None


_ID = SortKey(column=dose_study.c.orthanc_study_id, read=str)
_ID_DESCENDING = SortKey(column=dose_study.c.orthanc_study_id, read=str, descending=True)
_SORTS: dict[DoseStudySort, tuple[SortKey, ...]] = {
    DoseStudySort.NEWEST: (
        SortKey(column=dose_study.c.study_date, read=date.fromisoformat, descending=True, nullable=True),
        SortKey(column=dose_study.c.study_time, read=time.fromisoformat, descending=True, nullable=True),
        _ID_DESCENDING,
    ),
    DoseStudySort.OLDEST: (
        SortKey(column=dose_study.c.study_date, read=date.fromisoformat, nullable=True, nulls_first=True),
        SortKey(column=dose_study.c.study_time, read=time.fromisoformat, nullable=True, nulls_first=True),
        _ID,
    ),
    DoseStudySort.DLP: (
        SortKey(column=dose_study.c.dlp_total_mgy_cm, read=float, descending=True, nullable=True),
        _ID_DESCENDING,
    ),
}


def list_studies_with_dose(
    connection: Connection,
    filters: DoseStudyFilter,
    *,
    sort: DoseStudySort = DoseStudySort.NEWEST,
    limit: int = 50,
    cursor: str | None = None,
) -> DoseStudyPage:
    """A page of the studies whose dose was read. Raises InvalidRequest for a cursor that is not of this sort."""
    columns = [dose_study.c[name] for name in DoseStudy.__dataclass_fields__]
    query = select(*columns).where(*conditions(filters))
    page = read_page(connection, query, _SORTS[sort], name=f"dose {sort}", limit=limit, cursor=cursor)
    return DoseStudyPage(studies=tuple(DoseStudy(**row._mapping) for row in page.rows), next=page.next)


def find_studies_with_dose(connection: Connection, study_instance_uid: str) -> list[DoseStudy]:
    """The studies of this UID, those that are still in the archive first; usually one, or none."""
    columns = [dose_study.c[name] for name in DoseStudy.__dataclass_fields__]
    order = (dose_study.c.source_deleted_at.desc().nulls_first(), dose_study.c.orthanc_study_id)
    query = select(*columns).where(dose_study.c.study_instance_uid == study_instance_uid).order_by(*order)
    return [DoseStudy(**row._mapping) for row in connection.execute(query)]


def is_archived(connection: Connection, study_instance_uid: str) -> bool:
    """Whether any object of the study is in the archive, of dose or not; a study that was pruned keeps its row."""
    found = select(archived_study.c.orthanc_study_id).where(
        archived_study.c.study_instance_uid == study_instance_uid, archived_study.c.instance_count > 0
    )
    return connection.execute(found.limit(1)).first() is not None


def count_studies_with_dose(connection: Connection, filters: DoseStudyFilter, *, at_most: int = 10_000) -> int:
    """How many studies are wanted, counted no further than `at_most`, so that a title costs little."""
    some = select(literal(1)).select_from(dose_study).where(*conditions(filters)).limit(at_most).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()
