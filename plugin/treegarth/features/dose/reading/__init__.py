"""One reader for every source of radiation dose: a DICOM object in, a DoseReading out. Pure, and it never raises.

What the object is, is decided by the standard's codes in it, not by its maker: a report is one when its title or a
container below it is of TID 10001, 10011 or 10021. What is none is refused with the reason.
"""

from __future__ import annotations

import dataclasses
import io
import warnings
from typing import BinaryIO

from pydicom import dcmread
from pydicom.dataset import Dataset

from treegarth.features.dose.model import DoseReading, Issue
from treegarth.features.dose.reading.context import read_equipment, read_study
from treegarth.features.dose.reading.header import Header
from treegarth.features.dose.reading.images import read_image
from treegarth.features.dose.reading.reports import read_report

SR_CLASSES = "1.2.840.10008.5.1.4.1.1.88."
"""The root of all SR storage classes (PS3.6 A)."""


def read_dose(dataset: Dataset) -> DoseReading:
    """The dose in a data set, or the reason why there is none to be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of what becomes an issue here
        try:
            return _read(dataset)
        except Exception as error:  # whatever the bytes are, the registry must be told, not stopped
            return DoseReading(refused=f"The object could not be read: {type(error).__name__}.")


def read_dose_stream(stream: BinaryIO) -> DoseReading:
    """The dose in a DICOM file or stream; pixel data is not read. Errors of the stream itself (OSError) are raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = dcmread(stream, force=True, stop_before_pixels=True)
        except OSError:
            raise
        except Exception as error:
            return DoseReading(refused=f"This is no readable DICOM object: {type(error).__name__}.")
    return read_dose(dataset)


def read_dose_bytes(content: bytes) -> DoseReading:
    """The dose in the bytes of a DICOM file."""
    try:
        return read_dose_stream(io.BytesIO(content))
    except OSError as error:  # bytes in memory do no I/O: pydicom met the end of them
        return DoseReading(refused=f"This is no readable DICOM object: {error}.")


def _read(dataset: Dataset) -> DoseReading:
    issues: list[Issue] = []
    header = Header(dataset, issues)
    sop_class_uid = header.uid("SOPClassUID")
    reading = DoseReading(
        sop_class_uid=sop_class_uid,
        sop_instance_uid=header.uid("SOPInstanceUID"),
        study_instance_uid=header.uid("StudyInstanceUID"),
    )
    if sop_class_uid is None and "ContentSequence" not in dataset:
        return dataclasses.replace(reading, refused="This is no DICOM object: it has no SOP Class UID.")
    if (sop_class_uid or SR_CLASSES).startswith(SR_CLASSES):
        found = read_report(dataset, issues)
    else:
        found = read_image(header, sop_class_uid or "")
    return dataclasses.replace(
        found,
        sop_class_uid=reading.sop_class_uid,
        sop_instance_uid=reading.sop_instance_uid,
        study_instance_uid=reading.study_instance_uid,
        equipment=read_equipment(header, dict(found.report)),
        study=read_study(header),
        issues=tuple(issues),
    )
