"""Builders of small radiation dose reports as pydicom data sets: just enough of a template to say one thing."""

from __future__ import annotations

import io
from collections.abc import Sequence as Many

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

X_RAY_RADIATION_DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"
ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.22"


def code(value: str, scheme: str = "DCM", meaning: str = "") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning or value
    return item


def named(value_type: str, concept: str | Dataset | None, children: Many[Dataset] = ()) -> Dataset:
    """A content item; its concept is a DCM code value, a code, or nothing."""
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", value_type
    if concept is not None:
        item.ConceptNameCodeSequence = [code(concept) if isinstance(concept, str) else concept]
    if children:
        item.ContentSequence = list(children)
    return item


def container(concept: str | Dataset | None, *children: Dataset) -> Dataset:
    item = named("CONTAINER", concept, children)
    item.ContinuityOfContent = "SEPARATE"
    return item


def num(concept: str | Dataset, number: str | Many[str] | None, unit: str | None, *children: Dataset) -> Dataset:
    """A NUM; None for a number that was not measured, None for a unit that is not given."""
    item = named("NUM", concept, children)
    measured = Dataset()
    if number is not None:
        measured.add_new(0x0040A30A, "DS", list(number) if isinstance(number, tuple) else number)
        if unit is not None:
            measured.MeasurementUnitsCodeSequence = [code(unit, "UCUM")]
    item.MeasuredValueSequence = [measured] if number is not None else []
    return item


def coded(concept: str | Dataset, value: Dataset | None, *children: Dataset) -> Dataset:
    item = named("CODE", concept, children)
    item.ConceptCodeSequence = [] if value is None else [value]
    return item


def text(concept: str | Dataset, value: str) -> Dataset:
    item = named("TEXT", concept)
    item.TextValue = value
    return item


def moment(concept: str | Dataset, value: str) -> Dataset:
    item = named("DATETIME", concept)
    item.DateTime = value
    return item


def person(name: str, *properties: Dataset, concept: str = "113870") -> Dataset:
    """A PNAME: a participant (TID 1020), or with concept 121008 an observer (TID 1003)."""
    item = named("PNAME", concept, properties)
    item.PersonName = name
    return item


def uidref(concept: str | Dataset, value: str) -> Dataset:
    item = named("UIDREF", concept)
    item.UID = value
    return item


def report(*content: Dataset, title: str | Dataset | None = "113701", sop_class_uid: str = X_RAY_RADIATION_DOSE_SR,
           sop_instance_uid: str = "1.2.3.1", study_instance_uid: str = "1.2.3") -> Dataset:  # fmt: skip
    dataset = container(title, *content)
    del dataset.RelationshipType
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class_uid, sop_instance_uid
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study_instance_uid, f"{study_instance_uid}.9"
    dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = "SR", "Treebeard", "Ent 1"
    dataset.PatientID, dataset.PatientName, dataset.StudyDate, dataset.StudyTime = "4711", "A^B", "20240229", "101530.5"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    return dataset


def ct_acquisition(uid: str = "1.2.3.4", *, mean_ctdi_vol_mgy: str | None = "8.2", dlp_mgy_cm: str | None = "310.5",
                   protocol: str = "Thorax", extra: Many[Dataset] = (), sources: Many[Dataset] | None = None,
                   dose_extra: Many[Dataset] = ()) -> Dataset:  # fmt: skip
    sources = [ct_source()] if sources is None else sources
    parameters = container("113822", num("113824", "3.5", "s"), num("113825", "400", "mm"), *sources)
    dose = container(
        "113829", num("113830", mean_ctdi_vol_mgy, "mGy"), coded("113835", code("113691")),
        num("113838", dlp_mgy_cm, "mGy.cm"), *dose_extra,
    )  # fmt: skip
    spiral = coded("113820", code("116152004", "SCT", "Spiral Acquisition"))
    return container("113819", text("125203", protocol), spiral, uidref("113769", uid), parameters, dose, *extra)


def ct_source(kvp: str = "120", current_ma: str = "200") -> Dataset:
    return container("113831", num("113733", kvp, "kV"), num("113734", current_ma, "mA"))


def ct_dose_report(
    *acquisitions: Dataset, dlp_total: str | None = "310.5", unit: str = "mGy.cm", **header: str
) -> Dataset:
    total = container("113811", num("113813", dlp_total, unit))
    return report(total, *(acquisitions or (ct_acquisition(),)), **header)


def as_file(dataset: Dataset, transfer_syntax_uid: UID = ExplicitVRLittleEndian) -> bytes:
    """The bytes of a DICOM file with this data set."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = transfer_syntax_uid
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
