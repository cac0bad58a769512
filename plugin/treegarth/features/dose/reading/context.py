"""Read what surrounds the dose: equipment, study and patient of the header, observer and scope of the report. Pure."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from treegarth.dicom import codes
from treegarth.dicom.elements import character_set, element_items, element_text
from treegarth.dicom.sr_tree import code_of
from treegarth.dicom.units import NotANumber, number_of
from treegarth.features.dose.model import Equipment, Issue, StudyContext
from treegarth.features.dose.reading.fields import Coded, Meaning, Moment, Table, Uid, Words, code_json
from treegarth.features.dose.reading.part import Part

REPORT: Table = {
    codes.PROCEDURE_REPORTED: Coded("procedure_reported_code"),
    codes.ASSOCIATED_PROCEDURE: Coded("associated_procedure_code"),
    codes.START_OF_X_RAY_IRRADIATION: Moment("start_of_x_ray_irradiation"),
    codes.END_OF_X_RAY_IRRADIATION: Moment("end_of_x_ray_irradiation"),
    codes.SIEMENS_START: Moment("start_of_x_ray_irradiation"),
    codes.SIEMENS_END: Moment("end_of_x_ray_irradiation"),
    codes.SCOPE_OF_ACCUMULATION: Meaning("scope_of_accumulation"),
    codes.SOURCE_OF_DOSE_INFORMATION: Meaning("source_of_dose_information", many=True),
    codes.DEVICE_OBSERVER_UID: Uid("device_observer_uid"),
    codes.DEVICE_OBSERVER_NAME: Words("device_observer_name"),
    codes.DEVICE_OBSERVER_MANUFACTURER: Words("device_observer_manufacturer"),
    codes.DEVICE_OBSERVER_MODEL_NAME: Words("device_observer_model_name"),
    codes.DEVICE_OBSERVER_SERIAL_NUMBER: Words("device_observer_serial_number"),
    codes.DEVICE_OBSERVER_PHYSICAL_LOCATION: Words("device_observer_physical_location"),
    codes.HAS_INTENT: Coded("intent_code"),
    codes.STUDY_INSTANCE_UID: Uid("scope_study_instance_uid"),
    codes.STATION_AE_TITLE: Words("station_ae_title"),
    codes.COMMENT: Words("comment"),
}

SCOPE: Table = {
    codes.STUDY_INSTANCE_UID: Uid("scope_study_instance_uid"),
    codes.PERFORMED_PROCEDURE_STEP_UID: Uid("scope_performed_procedure_step_uid"),
}


def read_report_context(report: Part) -> dict[str, Any]:
    """What the report says about itself (TID 1002, 10001, 10011, 10021)."""
    found = report.values(REPORT)
    for part in report.parts(codes.SCOPE_OF_ACCUMULATION):
        found |= part.values(SCOPE)
    for concept in (codes.PROCEDURE_REPORTED, codes.ASSOCIATED_PROCEDURE):
        for part in report.parts(concept):
            intent = part.one(codes.HAS_INTENT, Coded("intent_code"))
            if intent is not None:
                found["intent_code"] = intent
    return found


_DATE = re.compile(r"([0-9]{4})\.?([0-9]{2})\.?([0-9]{2})\Z")
_TIME = re.compile(r"([0-9]{2}):?([0-9]{2})?:?([0-9]{2})?(?:\.([0-9]{1,6}))?\Z")


class Header:
    """The header elements of one object as text; what cannot be read is an issue."""

    def __init__(self, dataset: Dataset, issues: list[Issue]) -> None:
        self.dataset = dataset
        self.issues = issues
        self.charset: tuple[str, ...] = ()
        try:
            self.charset = character_set(dataset)
        except Exception as error:
            self._unreadable("SpecificCharacterSet", error)

    def text(self, keyword: str) -> str | None:
        try:
            return element_text(self.dataset, _tag(keyword), self.charset)
        except Exception as error:  # the bytes are arbitrary, and so are pydicom's exceptions
            self._unreadable(keyword, error)
            return None

    def number(self, keyword: str) -> float | None:
        """A DS or IS of one value; text that is no number is an issue (text in PatientSize is met)."""
        text = self.text(keyword)
        if text is None:
            return None
        try:
            return float(number_of(text))
        except NotANumber as error:
            self.issues.append(Issue(keyword, str(error)))
            return None

    def date(self, keyword: str) -> date | None:
        """A DA of one value, also in the older form 1997.01.31 (PS3.5 6.2)."""
        text = self.text(keyword)
        if text is None:
            return None
        try:
            return date_of(text)
        except ValueError as error:
            self.issues.append(Issue(keyword, str(error)))
            return None

    def time(self, keyword: str) -> time | None:
        """A TM of one value, of any precision."""
        text = self.text(keyword)
        if text is None:
            return None
        try:
            return time_of(text)
        except ValueError as error:
            self.issues.append(Issue(keyword, str(error)))
            return None

    def integer(self, keyword: str) -> int | None:
        """A binary whole number (US, SS, UL, SL) of one value."""
        try:
            value = self.dataset.get(keyword)
        except Exception as error:
            self._unreadable(keyword, error)
            return None
        return value if isinstance(value, int) else None

    def codes(self, keyword: str) -> tuple[dict[str, str], ...]:
        try:
            found = [code_of(item, self.charset) for item in element_items(self.dataset, _tag(keyword))]
        except Exception as error:
            self._unreadable(keyword, error)
            return ()
        return tuple(code_json(code) for code in found if code is not None)

    def _unreadable(self, keyword: str, error: Exception) -> None:
        self.issues.append(Issue(keyword, f"the element cannot be read ({type(error).__name__})"))


def read_equipment(header: Header, report: dict[str, Any]) -> Equipment:
    """The device by the header; where the header is silent, by the device observer of the report."""
    return Equipment(
        manufacturer=header.text("Manufacturer") or report.get("device_observer_manufacturer"),
        manufacturer_model_name=header.text("ManufacturerModelName") or report.get("device_observer_model_name"),
        device_serial_number=header.text("DeviceSerialNumber") or report.get("device_observer_serial_number"),
        station_name=header.text("StationName") or report.get("device_observer_name"),
        institution_name=header.text("InstitutionName"),
        software_versions=header.text("SoftwareVersions"),
        device_observer_uid=report.get("device_observer_uid"),
    )


def read_study(header: Header) -> StudyContext:
    """Study and patient at the time of the examination."""
    return StudyContext(
        patient_id=header.text("PatientID"),
        patient_name=header.text("PatientName"),
        patient_birth_date=header.date("PatientBirthDate"),
        patient_sex=header.text("PatientSex"),
        patient_age=header.text("PatientAge"),
        patient_size_m=header.number("PatientSize"),
        patient_weight_kg=header.number("PatientWeight"),
        pregnancy_status=header.integer("PregnancyStatus"),
        study_date=header.date("StudyDate"),
        study_time=header.time("StudyTime"),
        study_description=header.text("StudyDescription"),
        series_description=header.text("SeriesDescription"),
        accession_number=header.text("AccessionNumber"),
        protocol_name=header.text("ProtocolName"),
        requested_procedure_description=header.text("RequestedProcedureDescription"),
        procedure_codes=header.codes("ProcedureCodeSequence"),
    )


def date_of(text: str) -> date:
    """The date of a DA. Raises ValueError."""
    match = _DATE.match(text)
    if match is None:
        raise ValueError("this is no DICOM date")
    return date(int(match[1]), int(match[2]), int(match[3]))


def time_of(text: str) -> time:
    """The time of a TM. Raises ValueError."""
    match = _TIME.match(text)
    if match is None:
        raise ValueError("this is no DICOM time")
    hour, minute, second, fraction = (part or "0" for part in match.groups())
    return time(int(hour), int(minute), min(int(second), 59), int(fraction.ljust(6, "0")))


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return int(tag)
