"""The frame around the content of a dose report (PS3.3 A.35.8 and C.17): everything but the tree itself. Pure."""

from __future__ import annotations

from datetime import timedelta

from pydicom.dataset import Dataset

from treegarth.demo.attributes import code_items, dicom_date, dicom_time, new_object
from treegarth.demo.codes import Code
from treegarth.demo.studies import Series

_NOT_FOR_REPORTS = (
    "OperatorsName",
    "PerformedProcedureStepDescription",
    "PerformedProcedureStepID",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "PerformingPhysicianName",
    "ProtocolName",
    "RequestAttributesSequence",
)
"""What an image's series has and the SR Document Series module (PS3.3 C.17.1) has not."""


def structured_report(
    series: Series,
    *,
    sop_class_uid: str,
    template: str,
    title: Code,
    content: list[Dataset],
    instance_number: int = 1,
) -> Dataset:
    """A complete, unverified report whose root is a container of the given title and DCMR template."""
    dataset = new_object(series, sop_class_uid, instance_number)
    for keyword in _NOT_FOR_REPORTS:
        delattr(dataset, keyword)
    finished = series.started + timedelta(seconds=30)
    dataset.ContentDate = dicom_date(finished)
    dataset.ContentTime = dicom_time(finished)
    dataset.CompletionFlag = "COMPLETE"
    dataset.VerificationFlag = "UNVERIFIED"
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.PerformedProcedureCodeSequence = code_items(series.study.procedure.as_code())
    dataset.ReferencedRequestSequence = [_request(series)]
    dataset.ValueType = "CONTAINER"
    dataset.ConceptNameCodeSequence = code_items(title)
    dataset.ContinuityOfContent = "SEPARATE"
    dataset.ContentTemplateSequence = [_template(template)]
    dataset.ContentSequence = content
    return dataset


def _template(identifier: str) -> Dataset:
    item = Dataset()
    item.MappingResource = "DCMR"
    item.TemplateIdentifier = identifier
    return item


def _request(series: Series) -> Dataset:
    study = series.study
    item = Dataset()
    item.StudyInstanceUID = study.study_instance_uid
    item.ReferencedStudySequence = []
    item.AccessionNumber = study.accession_number
    item.PlacerOrderNumberImagingServiceRequest = f"PO{study.accession_number}"
    item.FillerOrderNumberImagingServiceRequest = f"FO{study.accession_number}"
    item.RequestedProcedureID = f"RP{study.accession_number}"
    item.RequestedProcedureDescription = study.procedure.description
    item.RequestedProcedureCodeSequence = code_items(study.procedure.as_code())
    return item
