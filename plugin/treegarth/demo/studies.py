"""What one examination is before it has images: who, when, what for, on which device. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from treegarth.demo.codes import CHEST, Code
from treegarth.demo.identifiers import made_up_uid
from treegarth.demo.patients import Patient

INSTITUTION = "Treegarth Demonstration Hospital"


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """What was ordered and done. The codes are the made-up hospital's own (scheme 99TREEGARTH)."""

    description: str
    code: str
    body_part: str
    """BodyPartExamined, a defined term of PS3.16 Annex L."""
    region: Code = CHEST
    reason: str = ""

    def as_code(self) -> Code:
        return Code(value=self.code, scheme="99TREEGARTH", meaning=self.description)


@dataclass(frozen=True, kw_only=True)
class Equipment:
    """A device of the made-up hospital; no such manufacturer exists."""

    model: str
    station_name: str
    ae_title: str
    """The calling AE title by which it sends to the archive."""
    serial_number: str
    manufacturer: str = "Phantom Works"
    software_version: str = "PW 4.2.0"
    department: str = "Radiology"

    @property
    def device_uid(self) -> str:
        return made_up_uid("device", self.manufacturer, self.model, self.serial_number)


@dataclass(frozen=True, kw_only=True)
class Study:
    """One examination of one patient. `started` is aware: its offset goes into the objects."""

    patient: Patient
    procedure: Procedure
    started: datetime
    study_instance_uid: str
    accession_number: str
    study_id: str = "1"
    referring_physician: str = "BAEK^NARAE"
    performing_physician: str = "SEO^JUNHO"
    operator: str = "HAN^YUJIN"

    @property
    def frame_of_reference_uid(self) -> str:
        return made_up_uid(self.study_instance_uid, "frame of reference")

    def series_instance_uid(self, series_number: int) -> str:
        return made_up_uid(self.study_instance_uid, "series", series_number)


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series of a study. Times count from the study's start."""

    study: Study
    equipment: Equipment
    modality: str
    number: int
    description: str
    protocol: str = ""
    after: timedelta = field(default=timedelta(minutes=3))

    @property
    def started(self) -> datetime:
        return self.study.started + self.after

    @property
    def series_instance_uid(self) -> str:
        return self.study.series_instance_uid(self.number)

    def sop_instance_uid(self, instance_number: int) -> str:
        return made_up_uid(self.series_instance_uid, "instance", instance_number)
