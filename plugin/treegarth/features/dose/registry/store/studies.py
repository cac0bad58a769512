"""The dose of studies: list them, count them, find one. Queries only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime, time
from typing import Any, Literal, cast

from pydantic import Field, computed_field, field_serializer
from sqlalchemy import ColumnElement, Connection, Select, func, literal, select

from treegarth.features.dose.analysis.store.of_exams import derived_of, doubted_derived_of, standard_names_of
from treegarth.features.dose.analysis.store.percentiles import Percentile
from treegarth.features.dose.quantities import BEST, DERIVED
from treegarth.features.dose.registry.lacking import Lacking
from treegarth.features.dose.registry.rules import DoubtName, Origin, What
from treegarth.features.dose.registry.store.device_names import called
from treegarth.features.dose.registry.store.filters import DoseStudyFilter, conditions, has_event, resolved
from treegarth.features.dose.registry.tables import dose_report, dose_study
from treegarth.index.studies import OfStudy, StudyKey, find_study, told_apart
from treegarth.index.tables import instance, series
from treegarth.index.tables import study as archived_study
from treegarth.record import Record


class BestDose(Record):
    """The best known dose of a study by quantity. Null is unknown, not zero."""

    dlp_mgy_cm: float | None
    """Of both phantoms together only where a report gives such a total."""
    dlp_head_mgy_cm: float | None
    """What refers to the 16 cm phantom."""
    dlp_body_mgy_cm: float | None
    """What refers to the 32 cm phantom."""
    dose_area_product_gy_m2: float | None
    """The planes added."""
    dose_rp_gy: float | None
    """Of the plane with the most."""
    glandular_dose_left_mgy: float | None
    glandular_dose_right_mgy: float | None
    administered_activity_mbq: float | None
    """Null where several radionuclides were given."""
    total_fluoro_time_s: float | None
    ctdi_vol_max_mgy: float | None
    """The greatest mean CTDIvol of an irradiation event."""


class SaidValue(Record):
    """A number that speaks for a doubt, and where it stands."""

    what: What
    """`total` as reported, sum of the `events` of a source, one `event`, one that is `silent`, the `best` known dose,
    the `part` of a phantom; the `least` or `greatest` that is believed, or what it is `expected` to be about."""
    value: float | None
    """In the stored unit of the quantity."""
    orthanc_instance_id: str | None = None
    position: int | None = None
    """Of the event in that source, from 1."""
    of: str | None = None
    """The phantom of a part: `head`, `body` or `other`."""


class Doubt(Record):
    """Why a best known dose may not be the true one."""

    quantity: str
    name: DoubtName
    said: list[SaidValue] = Field(default_factory=list)
    """The numbers that disagree, or lie outside."""


class DoseStudy(Record):
    """A study with its best known doses, and with its totals as reported. Null is unknown, not zero.

    A row has each best dose in a field of its own, by which lists are sorted; an answer has them together in `best`.
    """

    orthanc_study_id: str
    study_instance_uid: str
    modalities: list[str]
    """Of its series, also of those that have left the archive."""
    kinds: list[str]
    """Of its sources that were read, sorted."""
    report_count: int
    """Sources that were read, whether they count or repeat others."""
    rule: str
    """How several reports were resolved to one total."""
    irradiation_event_count: int
    """Each irradiation event UID once."""
    issue_count: int
    """Parts of its sources that could not be read."""
    dlp_total_mgy_cm: float | None
    """As reported, of the reports that count."""
    dlp_of_events_mgy_cm: float | None
    """The sum over the irradiation events, each once: not always the reported total."""
    dose_area_product_total_gy_m2: float | None
    dose_rp_total_gy: float | None
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    device_serial_number: str | None
    device_key: str | None = None
    """What the `device` of lists takes."""
    device_name: str | None = None
    """What people call the device; null: what its objects say."""
    protocols: list[str]
    """Acquisition protocols, each once."""
    patient_id: str | None
    patient_name: str | None
    patient_sex: str | None
    patient_age: str | None
    """As in DICOM: `063Y`."""
    patient_age_years: float | None = None
    """Of `patient_age`, else of the days of birth and of the study."""
    patient_size_m: float | None = None
    patient_weight_kg: float | None = None
    size_import_id: int | None = None
    """The file that tells the size; null: its objects do."""
    weight_import_id: int | None = None
    """The file that tells the weight; null: its objects do."""
    told_size_m: float | None = None
    """What its objects say, where a file tells the size."""
    told_weight_kg: float | None = None
    requested_procedure_description: str | None = None
    procedure_codes: list[str] | None = None
    """Each as `code^meaning^scheme`."""
    study_date: date | None
    study_time: time | None
    study_description: str | None
    accession_number: str | None
    source_deleted_at: datetime | None
    """When the last of its objects left the archive; the dose stays."""
    source: str | None = None
    """The best kind of source that counts: `report`, `capture` or `header`."""
    decisions: list[dict[str, Any]] | None = Field(default=None, exclude=True)
    differences: list[str] | None = None
    """Totals that differ from the sum of the events."""
    dose_area_product_of_events_gy_m2: float | None = None
    dose_rp_of_events_gy: float | None = None
    mean_ctdi_vol_max_mgy: float | None = None
    """The greatest of its events."""
    dlp_phantoms: list[str] | None = None
    """The phantoms that its DLP refers to; DLP adds up within one."""
    glandular_dose_left_mgy: float | None = None
    glandular_dose_right_mgy: float | None = None
    administration_count: int = 0
    administered_activity_mbq: float | None = None
    """Where all of it is one radionuclide."""
    radionuclides: list[str] | None = None
    effective_dose_msv: float | None = None
    """Of its administrations, as reported: not of CT."""
    not_patient: str | None = None
    """`phantom`, `qa` or `service`, where it is no patient."""
    not_patient_by: Literal["person", "rule", "intent", "subject", "image"] | None = None
    """Who says so: a person, a rule, or its objects by their intent, Quality Control Subject or Quality Control Image.
    A `person` who says that it is a patient after all stands here too."""
    institution_name: str | None = None
    """(0008,0080)"""
    issuer_of_patient_id: str | None = None
    best_dlp_mgy_cm: float | None = Field(default=None, exclude=True)
    best_dlp_head_mgy_cm: float | None = Field(default=None, exclude=True)
    best_dlp_body_mgy_cm: float | None = Field(default=None, exclude=True)
    best_dose_area_product_gy_m2: float | None = Field(default=None, exclude=True)
    best_dose_rp_gy: float | None = Field(default=None, exclude=True)
    best_glandular_dose_left_mgy: float | None = Field(default=None, exclude=True)
    best_glandular_dose_right_mgy: float | None = Field(default=None, exclude=True)
    best_administered_activity_mbq: float | None = Field(default=None, exclude=True)
    best_total_fluoro_time_s: float | None = Field(default=None, exclude=True)
    best_ctdi_vol_max_mgy: float | None = Field(default=None, exclude=True)
    origins: list[str] | None = Field(default=None, exclude=True)
    """Where each best known dose is from, as `quantity:origin`."""
    doubts: list[str] | None = None
    """Why a best known dose may not be the true one; in a row as `quantity:name`."""
    planes: list[dict[str, Any]] | None = Field(default=None, exclude=True)
    activities: list[dict[str, Any]] | None = Field(default=None, exclude=True)
    unattributed: list[str] | None = Field(default=None, exclude=True)
    doubt_evidence: list[dict[str, Any]] | None = Field(default=None, exclude=True)
    is_void: bool = False
    """Whether a person left all of it out."""
    lacks: list[Lacking] | None = None
    """The doses that its modalities demand and that are not known: a study is complete that lacks none."""
    replaced_by: str | None = None
    """Orthanc's identifier of the study in which all of this one counts instead, as under a corrected patient ID; then
    this one is in no sum and no percentile."""
    standard_names: list[str] | None = None
    """What the site calls it: the standard name of each of its modalities."""
    effective_dose_ct_msv: float | None = None
    """Of its CT, derived for a reference patient."""
    effective_dose_nm_msv: float | None = None
    """Of its radiopharmaceuticals, derived for a reference patient."""
    activity_at_scan_mbq: float | None = None
    """What was left of the activity when the scan began, derived."""
    activity_per_weight_mbq_per_kg: float | None = None
    """The activity over the weight of the patient, derived."""
    ssde_mgy: float | None = None
    """Size-specific dose estimate, the greatest of its CT series, derived from images."""
    derived_doubted: list[str] | None = None
    """Which of these follow from a dose that is doubted."""
    percentiles: list[Percentile] | None = None
    """Where each dose lies among those of exams that are called the same; null where that was not looked for."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def best(self) -> BestDose:
        """The best known dose by quantity: lists, filters, patients, devices and exports go by it."""
        return BestDose(**{one.name: getattr(self, one.column) for one in BEST.values()})

    @computed_field  # type: ignore[prop-decorator]
    @property
    def origin(self) -> dict[str, Origin]:
        """Where each is from: a total as `reported`, the sum of the `events`, image `headers`, or `partial`."""
        return cast(dict[str, Origin], dict(one.split(":", 1) for one in self.origins or ()))

    @field_serializer("doubts")
    def doubts_of(self, doubts: list[str] | None) -> list[Doubt]:
        """Why a best known dose may not be the true one, each by quantity and name."""
        said = {(one["quantity"], one["name"]): one["said"] for one in self.doubt_evidence or ()}
        parts = (one.partition(":") for one in doubts or ())
        return [
            Doubt(quantity=quantity, name=cast(DoubtName, name), said=said.get((quantity, name), []))
            for quantity, _, name in parts
        ]


LOOKED_UP = ("percentiles",)
"""What no query of studies has: it is looked for a page of them at once (`percentiles.py`)."""


def columns_of_studies() -> list[ColumnElement[Any]]:
    """What a `DoseStudy` is made of."""
    key = dose_study.c.orthanc_study_id
    beside: dict[str, ColumnElement[Any]] = {
        "device_name": called(dose_study.c.device_key),
        "standard_names": standard_names_of(key),
        "derived_doubted": doubted_derived_of(key),
        **{name: derived_of(key, name) for name in DERIVED},
    }
    return [
        beside[name].label(name) if name in beside else dose_study.c[name]
        for name in DoseStudy.model_fields
        if name not in LOOKED_UP
    ]


def select_studies_with_dose(connection: Connection, filters: DoseStudyFilter) -> Select[Any]:
    """The studies whose dose was read, in no order."""
    columns = columns_of_studies()
    wanted = resolved(connection, filters)
    return select(*columns).where(*conditions(wanted), *has_event(wanted))


def find_study_with_dose(connection: Connection, orthanc_study_id: str) -> DoseStudy | None:
    """The study's dose; None where none was read."""
    columns = columns_of_studies()
    row = connection.execute(select(*columns).where(dose_study.c.orthanc_study_id == orthanc_study_id)).one_or_none()
    return None if row is None else DoseStudy(**row._mapping)


def studies_with_dose_among(connection: Connection, orthanc_study_ids: Collection[str]) -> list[DoseStudy]:
    """Those of these studies that have a dose, in no order."""
    columns = columns_of_studies()
    query = select(*columns).where(dose_study.c.orthanc_study_id.in_(orthanc_study_ids))
    return [DoseStudy(**row._mapping) for row in connection.execute(query)]


def count_doubted(connection: Connection, *, at_most: int = 10_000) -> int:
    """Exams of patients with a dose that is doubted, counted no further than `at_most`."""
    some = select(literal(1)).where(
        func.cardinality(dose_study.c.doubts) > 0,
        dose_study.c.replaced_by.is_(None),
        dose_study.c.not_patient.is_(None),
    )
    return int(connection.execute(select(func.count()).select_from(some.limit(at_most).subquery())).scalar_one())


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


def is_pictured(connection: Connection, orthanc_study_id: str) -> bool:
    """Whether the study has images in the archive, and none that Orthanc cannot show: then a viewer is offered."""
    of_study = (
        select(instance.c.orthanc_instance_id)
        .join(series, series.c.orthanc_series_id == instance.c.orthanc_series_id)
        .where(series.c.orthanc_study_id == orthanc_study_id)
    )
    pictured = of_study.where(instance.c.rows > 0).limit(1)
    deep = of_study.where(instance.c.nesting_depth.is_not(None)).limit(1)
    return connection.execute(pictured).first() is not None and connection.execute(deep).first() is None


def is_archived(connection: Connection, orthanc_study_id: str) -> bool:
    """Whether any object of the study is in the archive, of dose or not; a study that was pruned keeps its row."""
    found = select(archived_study.c.orthanc_study_id).where(
        archived_study.c.orthanc_study_id == orthanc_study_id, archived_study.c.instance_count > 0
    )
    return connection.execute(found.limit(1)).first() is not None
