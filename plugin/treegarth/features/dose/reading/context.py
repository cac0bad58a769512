"""Read what surrounds the dose: equipment, study and patient of the header, observer and scope of the report. Pure."""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.reading.fields import Coded, Meaning, Moment, Table, Uid, Words, YesNo
from treegarth.features.dose.reading.header import Header
from treegarth.features.dose.reading.model import Equipment, StudyContext
from treegarth.features.dose.reading.part import Part
from treegarth.features.dose.reading.participants import read_devices, read_observers, read_persons

LONGEST_STATE = 200
"""Characters: of a device with many modules each names its version."""

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
    codes.ACQUISITION_DEVICE_TYPE: Meaning("acquisition_device_type"),
    codes.X_RAY_SOURCE_DATA_AVAILABLE: YesNo("x_ray_source_data_available"),
    codes.X_RAY_MECHANICAL_DATA_AVAILABLE: YesNo("x_ray_mechanical_data_available"),
    codes.X_RAY_DETECTOR_DATA_AVAILABLE: YesNo("x_ray_detector_data_available"),
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
    persons = [*read_persons(report).get("persons", []), *read_observers(report)]
    return found | ({"persons": persons} if persons else {}) | read_devices(report)


def read_origin(header: Header) -> dict[str, Any]:
    """Which object of several is the later, and where it comes from (PS3.3 C.17.2, C.12.1).

    `predecessor_sop_instance_uids` are the documents that this one replaces. What the header says of being no patient's
    (PS3.3 C.7.6.1, C.7.1.1) is beside them: YES, NO, of an image also BOTH.
    """
    found = {
        "completion_flag": header.text("CompletionFlag"),
        "content_date_time": header.day_and_time("ContentDate", "ContentTime"),
        "instance_created": header.day_and_time("InstanceCreationDate", "InstanceCreationTime"),
        "predecessor_sop_instance_uids": _predecessors(header),
        "timezone_offset_from_utc": header.text("TimezoneOffsetFromUTC"),
        "patient_identity_removed": header.text("PatientIdentityRemoved") == "YES" or None,
        "quality_control_image": header.text("QualityControlImage"),
        "quality_control_subject": header.text("QualityControlSubject"),
    }
    return {name: value for name, value in found.items() if value}


def read_state_of_device(header: Header) -> dict[str, Any]:
    """What the device says of its own state: software, detector, days of calibration (PS3.3 C.7.5.1, C.8.11.4)."""
    found = {
        "software_versions": header.text("SoftwareVersions"),
        "detector_id": header.text("DetectorID"),
        "last_calibration": header.text("DateOfLastCalibration"),
        "last_detector_calibration": header.text("DateOfLastDetectorCalibration"),
    }
    return {name: value[:LONGEST_STATE] for name, value in found.items() if value}


def _predecessors(header: Header) -> list[str]:
    references = [
        reference
        for study in header.items("PredecessorDocumentsSequence")
        for series in study.items("ReferencedSeriesSequence")
        for reference in series.items("ReferencedSOPSequence")
    ]
    return [uid for reference in references if (uid := reference.uid("ReferencedSOPInstanceUID"))]


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
        issuer_of_patient_id=header.text("IssuerOfPatientID"),
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
        performing_physician_name=header.text("PerformingPhysicianName"),
    )
