"""The dose of studies: list them, count them, find one. Queries only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Connection, Select, select

from treegarth.features.dose.quantities import BEST
from treegarth.features.dose.registry.store.filters import DoseStudyFilter, conditions, resolved
from treegarth.features.dose.registry.tables import dose_report, dose_study
from treegarth.index.studies import OfStudy, StudyKey, find_study, told_apart
from treegarth.index.tables import study as archived_study
from treegarth.record import Record


class DoseStudy(Record):
    """One study of the dose list. Totals are the reported ones of the reports that count, `best` what is best known;
    None is unknown, not zero."""

    orthanc_study_id: str
    study_instance_uid: str
    modalities: list[str]
    kinds: list[str]
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
    protocols: list[str]
    patient_id: str | None
    patient_name: str | None
    patient_sex: str | None
    patient_age: str | None
    study_date: date | None
    study_time: time | None
    study_description: str | None
    accession_number: str | None
    source_deleted_at: datetime | None
    source: str | None = None
    """The best kind of source that counts: `report`, `capture` or `header`."""
    decisions: list[dict[str, Any]] | None = None
    differences: list[str] | None = None
    dose_area_product_of_events_gy_m2: float | None = None
    dose_rp_of_events_gy: float | None = None
    mean_ctdi_vol_max_mgy: float | None = None
    dlp_phantoms: list[str] | None = None
    glandular_dose_left_mgy: float | None = None
    glandular_dose_right_mgy: float | None = None
    administration_count: int = 0
    administered_activity_mbq: float | None = None
    radionuclides: list[str] | None = None
    effective_dose_msv: float | None = None
    not_patient: str | None = None
    """`phantom`, `qa` or `service`, where a rule says so."""
    issuer_of_patient_id: str | None = None
    best_dlp_mgy_cm: float | None = None
    best_dlp_head_mgy_cm: float | None = None
    best_dlp_body_mgy_cm: float | None = None
    best_dose_area_product_gy_m2: float | None = None
    best_dose_rp_gy: float | None = None
    best_glandular_dose_left_mgy: float | None = None
    best_glandular_dose_right_mgy: float | None = None
    best_administered_activity_mbq: float | None = None
    best_total_fluoro_time_s: float | None = None
    best_ctdi_vol_max_mgy: float | None = None
    origins: list[str] | None = None
    """Where each best known dose is from, as `quantity:origin`."""
    doubts: list[str] | None = None
    """Why one may not be the true one, as `quantity:name`."""
    planes: list[dict[str, Any]] | None = None
    activities: list[dict[str, Any]] | None = None
    unattributed: list[str] | None = None
    replaced_by: str | None = None

    @property
    def best(self) -> dict[str, float | None]:
        """The best known dose of each quantity."""
        return {one.name: getattr(self, one.column) for one in BEST.values()}

    @property
    def origin(self) -> dict[str, Any]:
        """Where each best known dose is from."""
        return dict(one.split(":", 1) for one in self.origins or ())

    @property
    def doubt_names(self) -> list[dict[str, str]]:
        """Why a best known dose may not be the true one."""
        return [dict(zip(("quantity", "name"), one.split(":", 1), strict=True)) for one in self.doubts or ()]


def select_studies_with_dose(connection: Connection, filters: DoseStudyFilter) -> Select[Any]:
    """The studies whose dose was read, in no order."""
    columns = [dose_study.c[name] for name in DoseStudy.model_fields]
    return select(*columns).where(*conditions(resolved(connection, filters)))


def find_study_with_dose(connection: Connection, orthanc_study_id: str) -> DoseStudy | None:
    """The study's dose; None where none was read."""
    columns = [dose_study.c[name] for name in DoseStudy.model_fields]
    row = connection.execute(select(*columns).where(dose_study.c.orthanc_study_id == orthanc_study_id)).one_or_none()
    return None if row is None else DoseStudy(**row._mapping)


def study_of_uid(
    connection: Connection, study_instance_uid: str, orthanc_study_id: str | None = None
) -> StudyKey | None:
    """The study of this UID, in the archive or only with its dose kept; None where there is none and none is named.

    Raises AmbiguousStudy where several patients have one and none is named, NotFound where the named one is not of it.
    """
    return find_study(connection, study_instance_uid, orthanc_study_id, kept=[dose_report])


def told_apart_with_kept(connection: Connection, rows: Iterable[OfStudy]) -> Callable[[OfStudy], str | None]:
    """For addresses of these rows' studies: Orthanc's identifier where others have the UID, be it that only their dose
    is kept; None where the UID is enough."""
    return told_apart(connection, rows, kept=[dose_report])


def kept_studies(connection: Connection, study_instance_uid: str) -> frozenset[str]:
    """Orthanc's identifiers of the studies of this UID of which a dose is kept."""
    query = select(dose_study.c.orthanc_study_id).where(dose_study.c.study_instance_uid == study_instance_uid)
    return frozenset(connection.execute(query).scalars())


def is_archived(connection: Connection, orthanc_study_id: str) -> bool:
    """Whether any object of the study is in the archive, of dose or not; a study that was pruned keeps its row."""
    found = select(archived_study.c.orthanc_study_id).where(
        archived_study.c.orthanc_study_id == orthanc_study_id, archived_study.c.instance_count > 0
    )
    return connection.execute(found.limit(1)).first() is not None
