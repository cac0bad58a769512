"""Which exams and events a workbook is of, and what its sheets have in each row: values in the stored unit that their
column or row names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time
from typing import Any, Literal

from pydantic import Field, create_model

from treegarth.features.dose.analysis.figures import OF_PROJECTION
from treegarth.features.dose.analysis.wanted import Phantom, Wanted
from treegarth.features.dose.quantities import BEST, DERIVED
from treegarth.record import Record

MOST_PROTOCOLS = 200
"""Sheets of protocols, of those with the most events: each is a file while a workbook is made, and a reader of it
looks through the row of their names."""


@dataclass(frozen=True, kw_only=True)
class WantedWorkbook:
    """Which exams, and which of their events."""

    exams: Wanted
    protocol_name_id: int | None = None

    @property
    def events(self) -> Wanted:
        """Of the days, devices, bands and modality of the exams; which quantity is left open."""
        about = replace(self.exams, standard_name_id=None, exam_name_id=None)
        return replace(
            about, level="event", quantity=OF_PROJECTION, phantom=None, protocol_name_id=self.protocol_name_id
        )

    @property
    def is_of_a_name(self) -> bool:
        """Whether exams are of one name: then events are those of these exams."""
        return self.exams.standard_name_id is not None or self.exams.exam_name_id is not None


Subject = Literal["standard_name", "exam_name", "protocol"]


class AboutRow(Record):
    """A line of what the workbook is made of."""

    what: str
    value: str | float | None
    """A number where it is one, so that a spreadsheet can count with it."""


class SummaryRow(Record):
    """What one quantity of the exams or events of one name is like. Without values every part is empty."""

    of: Literal["exams", "events"]
    """What has the values, and is counted."""
    called_by: Subject
    """`exam_name`: of exams that have no standard name; `protocol`: of events."""
    modality: str
    name: str
    quantity: str
    unit: str | None
    """Of every value of the row, as UCUM writes it."""
    phantom: Phantom | None
    """`head` (16 cm), `body` (32 cm), `both` or `unknown`; empty where values are not by phantom."""
    n: int
    """Values that count."""
    doubted_left_out: int
    """Values that do not, because something speaks against them."""
    minimum: float | None
    p25: float | None
    median: float | None
    p75: float | None
    p90: float | None
    p95: float | None
    maximum: float | None
    sheets: list[str]
    """Of a protocol, the sheets with its events."""


class _Subject(Record):
    study_instance_uid: str
    accession_number: str | None
    study_date: date | None
    study_time: time | None
    modality: str | None
    standard_name: str | None


class _Patient(Record):
    institution_name: str | None
    device_name: str | None
    """What people call the device; empty: what its objects say."""
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    patient_sex: str | None
    patient_age_years: float | None
    patient_weight_kg: float | None
    patient_size_m: float | None


class _Exam(_Patient, _Subject):
    """An exam of one modality: a PET-CT is in a row of each."""

    study_description: str | None
    protocols: list[str]
    irradiation_event_count: float | None
    dlp_phantom: Phantom | None
    """Of DLP and CTDIvol."""
    doubted: list[str]
    """Of the quantities that follow, those that something speaks against; their values stand here all the same."""


OF_EXAM = (*BEST, *DERIVED)
_DOSES: dict[str, Any] = {name: (float | None, Field(default=None)) for name in OF_EXAM}
WorkbookExam: type[_Exam] = create_model("WorkbookExam", __base__=_Exam, **_DOSES)
"""With a column for each quantity of exams."""


class WorkbookEvent(_Patient, _Subject):
    """An irradiation event with a dose."""

    protocol: str | None
    irradiation_event_uid: str | None
    orthanc_instance_id: str
    """The source that tells of it."""
    position: int
    """In that source, from 1."""
    irradiation_event_type: str | None
    target_region: str | None
    phantom: Phantom | None
    mean_ctdi_vol_mgy: float | None
    dlp_mgy_cm: float | None
    scanning_length_mm: float | None
    pitch_factor: float | None
    dose_area_product_gy_m2: float | None
    dose_rp_gy: float | None
    average_glandular_dose_mgy: float | None
    kvp: float | None
    x_ray_tube_current_ma: float | None
    doubted: list[str]
    """Of these doses, those that something speaks against."""


_OF_CT = ("phantom", "mean_ctdi_vol_mgy", "dlp_mgy_cm", "scanning_length_mm", "pitch_factor")
_OF_PROJECTIONS = ("dose_area_product_gy_m2", "dose_rp_gy")


def left_out_of(modality: str) -> tuple[str, ...]:
    """Of a protocol's sheet, the columns that mean nothing of its modality."""
    if modality == "CT":
        return (*_OF_PROJECTIONS, "average_glandular_dose_mgy")
    return _OF_CT if modality == "MG" else (*_OF_CT, "average_glandular_dose_mgy")
