"""What the index keeps of an instance: one frozen record from the bytes of its header. Pure.

Readable parts are kept and what could not be read becomes an issue beside them; only an object without its
identifiers is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from typing import TypeVar

from pydicom.datadict import keyword_for_tag

from treegarth.dicom.character_sets import terms_of
from treegarth.dicom.encoding import NotPlain
from treegarth.dicom.orthanc_hash import orthanc_hash
from treegarth.dicom.plain_values import date_of, integer_of, time_of
from treegarth.dicom.raw_by_pydicom import values_by_pydicom
from treegarth.dicom.raw_elements import read_raw_elements
from treegarth.dicom.relabelling import DEVICE, NONE, Relabel, Relabellings, as_labelled
from treegarth.dicom.text import decode_text
from treegarth.errors import UnreadableObject
from treegarth.phrases import P_

# (group, element) of each attribute that the index keeps: PS3.6, checked against pydicom's dictionary in the tests.
TAGS = {
    "specific_character_set": 0x00080005,
    "image_type": 0x00080008,
    "sop_class_uid": 0x00080016,
    "sop_instance_uid": 0x00080018,
    "study_date": 0x00080020,
    "series_date": 0x00080021,
    "acquisition_date": 0x00080022,
    "study_time": 0x00080030,
    "series_time": 0x00080031,
    "acquisition_time": 0x00080032,
    "accession_number": 0x00080050,
    "modality": 0x00080060,
    "manufacturer": 0x00080070,
    "institution_name": 0x00080080,
    "referring_physician_name": 0x00080090,
    "station_name": 0x00081010,
    "study_description": 0x00081030,
    "series_description": 0x0008103E,
    "manufacturer_model_name": 0x00081090,
    "patient_name": 0x00100010,
    "patient_id": 0x00100020,
    "patient_birth_date": 0x00100030,
    "patient_sex": 0x00100040,
    "body_part_examined": 0x00180015,
    "device_serial_number": 0x00181000,
    "protocol_name": 0x00181030,
    "study_instance_uid": 0x0020000D,
    "series_instance_uid": 0x0020000E,
    "study_id": 0x00200010,
    "series_number": 0x00200011,
    "instance_number": 0x00200013,
    "number_of_frames": 0x00280008,
    "rows": 0x00280010,
    "columns": 0x00280011,
}
_WANTED = frozenset(TAGS.values())
_OF_DEVICE = tuple(name for name in DEVICE if name in TAGS)
_NUMBERS = frozenset({TAGS["rows"], TAGS["columns"]})
_NAMES = frozenset({"patient_name", "referring_physician_name"})
LONGEST_TEXT = 640  # characters, PN has 3 × 64 (PS3.5 6.2); four bytes each still fit into an index of PostgreSQL
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """Something in an object that could not be read: where, and why. Never carries a patient's data."""

    path: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """The attributes that the index keeps, decoded. `None` is absent or empty in the object."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str | None
    transfer_syntax_uid: str | None
    patient_id: str | None
    patient_name: str | None
    patient_birth_date: date | None
    patient_sex: str | None
    study_date: date | None
    study_time: time | None
    study_id: str | None
    study_description: str | None
    accession_number: str | None
    referring_physician_name: str | None
    institution_name: str | None
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
    instance_number: int | None
    number_of_frames: int | None
    rows: int | None
    columns: int | None
    image_type: tuple[str, ...] | None
    acquisition_date: date | None
    acquisition_time: time | None
    issues: tuple[Issue, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class OrthancIdentifiers:
    """Orthanc's names for an instance and its parents."""

    patient: str
    study: str
    series: str
    instance: str


def read_header(data: bytes, relabellings: Relabellings = NONE) -> Header:
    """The header in the bytes of a DICOM file, which may end at its pixel data.

    Raises UnreadableObject where an identifier is missing or nothing can be made of the bytes.
    """
    try:
        elements = read_raw_elements(data, _WANTED)
        values, syntax, truncated = elements.values, elements.transfer_syntax_uid, elements.truncated
    except NotPlain:
        values, syntax, truncated = values_by_pydicom(data, _WANTED, _NUMBERS)
    reader = _Reader(values, syntax, truncated)
    if relabellings:
        reader.relabel(relabellings)
    return reader.header()


def relabel_of(data: bytes, relabellings: Relabellings) -> Relabel:
    """What the labels of the device mean that wrote this file. Raises UnreadableObject."""
    if not relabellings:
        return as_labelled
    header = read_header(data)
    return relabellings.of({name: getattr(header, name) for name in _OF_DEVICE})


def read_header_values(values: Mapping[str, str], issue: Issue) -> Header:
    """The header from texts by DICOM keyword (as Orthanc's REST API gives them), with the issue that made it so.

    Raises UnreadableObject where an identifier is missing.
    """
    raw = {int(tag): values[word].encode() for tag, word in _keywords().items() if word in values}
    raw[TAGS["specific_character_set"]] = b"ISO_IR 192"
    for keyword in ("rows", "columns"):  # these are binary in a file
        raw.pop(TAGS[keyword], None)
    return _Reader(raw, None, False, [issue]).header()


@cache
def _keywords() -> dict[int, str]:
    return {tag: keyword_for_tag(tag) for tag in _WANTED}


def orthanc_identifiers(header: Header) -> OrthancIdentifiers:
    """How Orthanc names this instance: SHA-1 of the identifiers of a level and those above, joined by `|`."""
    study = f"{header.patient_id or ''}|{header.study_instance_uid}"
    series = f"{study}|{header.series_instance_uid}"
    return OrthancIdentifiers(
        patient=orthanc_hash(header.patient_id or ""),
        study=orthanc_hash(study),
        series=orthanc_hash(series),
        instance=orthanc_hash(f"{series}|{header.sop_instance_uid}"),
    )


class _Reader:
    """Decodes raw values one by one and collects what could not be read."""

    def __init__(
        self, values: dict[int, bytes], syntax: str | None, truncated: bool, issues: Iterable[Issue] = ()
    ) -> None:
        self._values = values
        self._syntax = syntax
        self._issues = list(issues)
        if truncated:
            self._issues.append(Issue(path="", reason=P_("the object ends inside its header")))
        charset = values.get(TAGS["specific_character_set"], b"").decode("ascii", "replace").strip(" \0")
        self._charset = terms_of(charset)

    def relabel(self, relabellings: Relabellings) -> None:
        """Have text read by what a site says of the device, which is known by its names as they are labelled."""
        self._charset = relabellings.of({name: self._text(name) for name in _OF_DEVICE})(self._charset)

    def header(self) -> Header:
        text, number, day, moment = self._text, self._number, self._date, self._time
        return Header(
            study_instance_uid=self._identifier("study_instance_uid"),
            series_instance_uid=self._identifier("series_instance_uid"),
            sop_instance_uid=self._identifier("sop_instance_uid"),
            sop_class_uid=text("sop_class_uid"),
            transfer_syntax_uid=self._syntax,
            patient_id=text("patient_id"),
            patient_name=text("patient_name"),
            patient_birth_date=day("patient_birth_date"),
            patient_sex=text("patient_sex"),
            study_date=day("study_date"),
            study_time=moment("study_time"),
            study_id=text("study_id"),
            study_description=text("study_description"),
            accession_number=text("accession_number"),
            referring_physician_name=text("referring_physician_name"),
            institution_name=text("institution_name"),
            modality=text("modality"),
            series_number=number("series_number"),
            series_description=text("series_description"),
            series_date=day("series_date"),
            series_time=moment("series_time"),
            body_part_examined=text("body_part_examined"),
            protocol_name=text("protocol_name"),
            manufacturer=text("manufacturer"),
            manufacturer_model_name=text("manufacturer_model_name"),
            station_name=text("station_name"),
            device_serial_number=text("device_serial_number"),
            instance_number=number("instance_number"),
            number_of_frames=number("number_of_frames"),
            rows=self._unsigned_short("rows"),
            columns=self._unsigned_short("columns"),
            image_type=self._strings("image_type"),
            acquisition_date=day("acquisition_date"),
            acquisition_time=moment("acquisition_time"),
            issues=tuple(self._issues),
        )

    def _identifier(self, keyword: str) -> str:
        value = self._text(keyword)
        if value is None:
            raise UnreadableObject(P_("The object has no %(keyword)s.", keyword=keyword))
        return value

    def _text(self, keyword: str) -> str | None:
        raw = self._values.get(TAGS[keyword])
        if not raw:
            return None
        value = decode_text(raw, self._charset, "PN" if keyword in _NAMES else "LO").strip()
        if len(value) > LONGEST_TEXT:
            self._note(keyword, P_("%(count)s characters, cut to %(most)s", count=len(value), most=LONGEST_TEXT))
            value = value[:LONGEST_TEXT]
        return value or None

    def _strings(self, keyword: str) -> tuple[str, ...] | None:
        value = self._text(keyword)
        return tuple(part.strip() for part in value.split("\\")) if value else None

    def _number(self, keyword: str) -> int | None:
        return self._decoded(keyword, integer_of, P_("is not an integer string"))

    def _date(self, keyword: str) -> date | None:
        return self._decoded(keyword, date_of, P_("is not a date"))

    def _time(self, keyword: str) -> time | None:
        return self._decoded(keyword, time_of, P_("is not a time"))

    def _decoded(self, keyword: str, decode: Callable[[str], _T], reason: str) -> _T | None:
        value = self._text(keyword)
        if value is None:
            return None
        try:
            return decode(value)
        except (ValueError, OverflowError):  # the latter of infinity
            self._note(keyword, reason)
            return None

    def _unsigned_short(self, keyword: str) -> int | None:
        raw = self._values.get(TAGS[keyword])
        if not raw:
            return None
        if len(raw) != 2:
            self._note(keyword, P_("has %(count)s bytes, not 2", count=len(raw)))
            return None
        return int.from_bytes(raw, "little")

    def _note(self, keyword: str, reason: str) -> None:
        tag = TAGS[keyword]
        self._issues.append(Issue(path=f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {keyword}", reason=reason))
