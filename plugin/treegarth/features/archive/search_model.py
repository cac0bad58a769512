"""What can be looked for in the archive, and what is found. Pure: values only, no queries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from pydantic import field_validator

from treegarth.record import Record

REPORT_CLASSES = "1.2.840.10008.5.1.4.1.1.88."
DOCUMENT_CLASSES = "1.2.840.10008.5.1.4.1.1.104."
"""The roots of the storage classes of structured reports and of encapsulated documents (PS3.6 A)."""


@dataclass(frozen=True, kw_only=True)
class StudyFilter:
    """Which studies; None does not restrict. Conditions add up."""

    text: str | None = None  # words, each in a name, an identifier or the description, or a whole UID of any level
    patient_id: str | None = None
    patient_name: str | None = None  # part of any group of the name; * and ? as in DICOM where they are used
    modalities: tuple[str, ...] = ()  # any of these
    study_date_from: date | None = None
    study_date_to: date | None = None  # inclusive
    study_description: str | None = None  # as patient_name
    accession_number: str | None = None
    label: str | None = None
    study_instance_uid: str | None = None
    issues: bool = False  # only those with an object that was not read in every part


class StudySummary(Record):
    """A study as in a list."""

    orthanc_study_id: str
    """Orthanc's own identifier: `/studies/{orthanc_study_id}` of its REST API."""
    study_instance_uid: str
    patient_id: str | None
    patient_name: str | None
    """With all its groups, as in DICOM: `Hong^Gildong=洪^吉洞=홍^길동`."""
    patient_birth_date: date | None
    patient_sex: str | None
    study_date: date | None
    study_time: time | None
    study_id: str | None
    study_description: str | None
    accession_number: str | None
    referring_physician_name: str | None
    institution_name: str | None
    modalities: list[str]
    """Of its series, sorted."""
    labels: list[str]
    """Sorted."""
    series_count: int
    instance_count: int
    size_bytes: int
    pruned_instance_count: int
    """Objects that a retention policy deleted; `instance_count` is of what is here. See `retention/ledger`."""
    pruned_size_bytes: int
    first_received_at: datetime
    last_received_at: datetime
    orthanc_patient_id: str


class SeriesSummary(Record):
    """A series as on its study's page."""

    orthanc_series_id: str
    series_instance_uid: str
    modality: str | None
    series_number: int | None
    series_description: str | None
    series_date: date | None
    series_time: time | None
    body_part_examined: str | None
    protocol_name: str | None
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    device_serial_number: str | None
    institution_name: str | None
    instance_count: int
    size_bytes: int
    pruned_instance_count: int
    pruned_size_bytes: int
    last_received_at: datetime
    header_orthanc_instance_id: str | None
    """The object whose header stands for the series, and whose picture is shown; null where it has none."""


@dataclass(frozen=True, kw_only=True)
class Face:
    """What stands for a series before a reader: its object, and whether Orthanc has a picture of it; of others it
    answers 415 to whoever asks for one."""

    sop_instance_uid: str
    sop_class_uid: str
    has_picture: bool

    @property
    def is_report(self) -> bool:
        """Of a structured report class (PS3.4 B.5)."""
        return self.sop_class_uid.startswith(REPORT_CLASSES)

    @property
    def is_document(self) -> bool:
        """An encapsulated document, which the viewer shows where it is a PDF."""
        return self.sop_class_uid.startswith(DOCUMENT_CLASSES)


class InstanceIssue(Record):
    """Something of an object that could not be read; the rest of it was."""

    path: str
    reason: str


class InstanceSummary(Record):
    """An instance as in its series' list, with where it came from."""

    orthanc_instance_id: str
    sop_instance_uid: str
    sop_class_uid: str | None
    instance_number: int | None
    number_of_frames: int | None
    rows: int | None
    columns: int | None
    image_type: list[str] | None
    acquisition_date: date | None
    acquisition_time: time | None
    transfer_syntax_uid: str | None
    size_bytes: int
    remote_ae_title: str | None
    """Of the node that sent it."""
    called_ae_title: str | None
    remote_ip: str | None
    http_user: str | None
    """The user who uploaded it over the web, as they were called then."""
    uploader_id: int | None
    """The number of that user; null where only Orthanc knew them."""
    session_id: int | None
    """The session in which they did."""
    token_id: int | None
    """The token by which they did."""
    received_at: datetime
    indexed_at: datetime
    issues: list[InstanceIssue]
    """What could not be read of it; empty when all was."""
    nesting_depth: int | None
    """Levels of nested sequences, of an object that Orthanc itself cannot show without ending; null of every other."""

    @field_validator("issues", mode="before")
    @classmethod
    def _none_is_none(cls, value: Any) -> Any:
        return [] if value is None else value


@dataclass(frozen=True, kw_only=True)
class ArchiveTotals:
    """How much the index holds."""

    study_count: int
    instance_count: int
    size_bytes: int


def looks_like_uid(word: str) -> bool:
    """Whether a word can only be a UID: a dozen or more characters of numbers between dots (PS3.5 9.1); 2.25. and one
    number may be all of it (PS3.5 B.2)."""
    return len(word) >= 12 and word.count(".") >= 2 and re.fullmatch(r"[0-2](\.(0|[1-9][0-9]*))+", word) is not None


def is_part_of_uids(word: str) -> bool:
    """Whether a word with wildcards can only mean UIDs."""
    return word.count(".") >= 2 and re.fullmatch(r"[0-9.*?]+", word) is not None
