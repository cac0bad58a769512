"""The attributes that every made-up object shares (PS3.3 C.7, C.12), and its way into a file."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from treegarth.demo.codes import Code
from treegarth.demo.identifiers import made_up_uid
from treegarth.demo.studies import INSTITUTION, Series, Study

IMPLEMENTATION_CLASS_UID = made_up_uid("treegarth demo implementation")


def dicom_date(moment: datetime) -> str:
    return moment.strftime("%Y%m%d")


def dicom_time(moment: datetime) -> str:
    return moment.strftime("%H%M%S.%f")


def dicom_datetime(moment: datetime) -> str:
    """A DT value with its offset from UTC, in the form that every reader of dose reports understands."""
    return moment.strftime("%Y%m%d%H%M%S.%f%z")


def code_items(*codes: Code) -> list[Dataset]:
    return [code.item() for code in codes]


def new_object(series: Series, sop_class_uid: str, instance_number: int) -> Dataset:
    """An object of the series with everything but its own content."""
    dataset = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=bytes(128))
    dataset.SpecificCharacterSet = list(series.study.patient.character_set)
    dataset.SOPClassUID = sop_class_uid
    dataset.SOPInstanceUID = series.sop_instance_uid(instance_number)
    dataset.InstanceNumber = instance_number
    dataset.InstanceCreationDate = dicom_date(series.started)
    dataset.InstanceCreationTime = dicom_time(series.started + timedelta(seconds=20))
    dataset.TimezoneOffsetFromUTC = series.started.strftime("%z")
    _add_file_meta(dataset)
    _add_patient(dataset, series.study)
    _add_study(dataset, series.study)
    _add_series(dataset, series)
    _add_equipment(dataset, series)
    return dataset


def add_acquisition(image: Dataset, series: Series, acquired: datetime) -> None:
    """When an image was acquired, and when its pixels were made."""
    image.AcquisitionNumber = series.number
    image.AcquisitionDate = dicom_date(acquired)
    image.AcquisitionTime = dicom_time(acquired)
    image.AcquisitionDateTime = dicom_datetime(acquired)
    image.ContentDate = dicom_date(acquired)
    image.ContentTime = dicom_time(acquired + timedelta(seconds=4))


def add_axial_plane(
    image: Dataset, study: Study, *, z_mm: float, field_of_view_mm: float, slice_thickness_mm: float
) -> None:
    """Frame of Reference and Image Plane of an axial slice around the patient's axis; PixelSpacing is the caller's."""
    half = field_of_view_mm / 2
    image.FrameOfReferenceUID = study.frame_of_reference_uid
    image.PositionReferenceIndicator = "SN"
    image.ImagePositionPatient = [-half, -half, z_mm]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.SliceThickness = slice_thickness_mm
    image.SliceLocation = z_mm


def write(dataset: Dataset, path: Path) -> None:
    """Writes the object as a DICOM file (PS3.10)."""
    dcmwrite(path, dataset, enforce_file_format=True)


def _add_file_meta(dataset: Dataset) -> None:
    meta = dataset.file_meta
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = "TREEGARTH_DEMO"


def _add_patient(dataset: Dataset, study: Study) -> None:
    patient = study.patient
    dataset.PatientName = patient.patient_name
    dataset.PatientID = patient.patient_id
    dataset.IssuerOfPatientID = "TREEGARTH-DEMO"
    dataset.PatientBirthDate = patient.birth_date.strftime("%Y%m%d")
    dataset.PatientSex = patient.sex
    dataset.PatientAge = patient.age_at(study.started.date())
    dataset.PatientSize = patient.size_m
    dataset.PatientWeight = patient.weight_kg
    dataset.PatientComments = "Invented; no such person exists"


def _add_study(dataset: Dataset, study: Study) -> None:
    dataset.StudyInstanceUID = study.study_instance_uid
    dataset.StudyID = study.study_id
    dataset.StudyDate = dicom_date(study.started)
    dataset.StudyTime = dicom_time(study.started)
    dataset.StudyDescription = study.procedure.description
    dataset.AccessionNumber = study.accession_number
    dataset.ReferringPhysicianName = study.referring_physician
    dataset.ProcedureCodeSequence = code_items(study.procedure.as_code())
    dataset.AdmittingDiagnosesDescription = study.procedure.reason


def _add_series(dataset: Dataset, series: Series) -> None:
    study = series.study
    dataset.Modality = series.modality
    dataset.SeriesInstanceUID = series.series_instance_uid
    dataset.SeriesNumber = series.number
    dataset.SeriesDescription = series.description
    dataset.SeriesDate = dicom_date(series.started)
    dataset.SeriesTime = dicom_time(series.started)
    dataset.ProtocolName = series.protocol or study.procedure.description
    dataset.PerformingPhysicianName = study.performing_physician
    dataset.OperatorsName = study.operator
    dataset.PerformedProcedureStepID = f"PPS{study.accession_number}"
    dataset.PerformedProcedureStepStartDate = dicom_date(study.started)
    dataset.PerformedProcedureStepStartTime = dicom_time(study.started)
    dataset.PerformedProcedureStepDescription = study.procedure.description
    dataset.RequestAttributesSequence = [_request(study)]


def _request(study: Study) -> Dataset:
    """The order behind the study (PS3.3 C.7.3.1, Request Attributes macro)."""
    item = Dataset()
    item.RequestedProcedureID = f"RP{study.accession_number}"
    item.RequestedProcedureDescription = study.procedure.description
    item.RequestedProcedureCodeSequence = code_items(study.procedure.as_code())
    item.ScheduledProcedureStepID = f"SPS{study.accession_number}"
    item.ScheduledProcedureStepDescription = study.procedure.description
    item.ScheduledProtocolCodeSequence = code_items(study.procedure.as_code())
    if study.procedure.reason:
        item.ReasonForTheRequestedProcedure = study.procedure.reason
    return item


def _add_equipment(dataset: Dataset, series: Series) -> None:
    equipment = series.equipment
    dataset.Manufacturer = equipment.manufacturer
    dataset.ManufacturerModelName = equipment.model
    dataset.StationName = equipment.station_name
    dataset.DeviceSerialNumber = equipment.serial_number
    dataset.DeviceUID = equipment.device_uid
    dataset.SoftwareVersions = equipment.software_version
    dataset.InstitutionName = INSTITUTION
    dataset.InstitutionAddress = "1 Garden Street"
    dataset.InstitutionalDepartmentName = equipment.department
