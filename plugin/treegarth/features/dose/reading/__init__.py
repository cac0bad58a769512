"""One reader for every source of radiation dose: a DICOM object in, a DoseReading out. Pure, and it never raises.

What the object is, is decided by the standard's codes in it, not by its maker: a report is one when its title or a
container below it is of TID 10001, 10011 or 10021. What is none is refused with the reason.
"""

from __future__ import annotations

import dataclasses
import io
import logging
import warnings
from collections.abc import Sequence
from typing import BinaryIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from treegarth.dicom.elements import relabel_dataset
from treegarth.dicom.encoding import NotPlain
from treegarth.dicom.lean_content import CONTENT_SEQUENCE, LeanItem, parse_content
from treegarth.dicom.relabelling import NONE, Relabellings
from treegarth.dicom.wholeness import is_cut_off
from treegarth.errors import kind_of_error
from treegarth.features.dose.reading.context import read_equipment, read_origin, read_state_of_device, read_study
from treegarth.features.dose.reading.finite import finite_reading
from treegarth.features.dose.reading.header import Header
from treegarth.features.dose.reading.images import read_image
from treegarth.features.dose.reading.model import DoseReading, Issue
from treegarth.features.dose.reading.reports import read_report
from treegarth.phrases import P_

logger = logging.getLogger(__name__)

SR_CLASSES = "1.2.840.10008.5.1.4.1.1.88."
"""The root of all SR storage classes (PS3.6 A)."""

DOSE_REPORT_CLASSES = frozenset(SR_CLASSES + last for last in ("67", "68", "73", "76"))
"""Those of which every report is one of dose."""

PIXEL_DATA = (0x7FE00008, 0x7FE00009, 0x7FE00010)
CONTENT_SEQUENCE_BYTES = b"\x40\x00\x30\xa7"
PIXELS_FOLLOW = (b"\xe0\x7f\x10\x00", b"\xe0\x7f\x08\x00", b"\xe0\x7f\x09\x00")
"""Pixel data behind a header: it is whole."""


class CutOff(Exception):
    """The object ends inside an element."""


def read_dose(dataset: Dataset, content: Sequence[LeanItem] | None = None) -> DoseReading:
    """The dose in a data set, or the reason why there is none to be read.

    `content` is its Content Sequence where that was parsed apart; else it is in the data set.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of what becomes an issue here
        try:
            return _read(dataset, content)
        except Exception as error:  # whatever the bytes are, the registry must be told, not stopped
            return DoseReading(refused=P_("The object could not be read: %(kind)s.", kind=kind_of_error(error)))


def read_dose_stream(stream: BinaryIO, relabellings: Relabellings = NONE) -> DoseReading:
    """The dose in a DICOM file or stream; pixel data is not read. Errors of the stream itself (OSError) are raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset, content = parsed(stream, relabellings)
        except CutOff:
            return DoseReading(refused=P_("The object is cut off: it ends inside an element. Have it sent again."))
        except OSError:
            raise
        except Exception as error:
            return DoseReading(refused=P_("This is no readable DICOM object: %(kind)s.", kind=kind_of_error(error)))
    return read_dose(dataset, content)


def read_dose_bytes(content: bytes, relabellings: Relabellings = NONE) -> DoseReading:
    """The dose in the bytes of a DICOM file, text by what a site says of its device."""
    try:
        return read_dose_stream(io.BytesIO(content), relabellings)
    except OSError as error:  # bytes in memory do no I/O: pydicom met the end of them
        return DoseReading(refused=P_("This is no readable DICOM object: %(kind)s.", kind=error))


def parsed(stream: BinaryIO, relabellings: Relabellings = NONE) -> tuple[Dataset, list[LeanItem] | None]:
    """The header by pydicom and the content of a report by the lean parser; all by pydicom where that does not fit. Its
    character set is the one that its label means.

    Raises CutOff for what would read as less, or as other numbers, than was written.
    """
    dataset, content = _parsed(stream)
    if relabellings:
        relabel_dataset(dataset, relabellings)
    return dataset, content


def _parsed(stream: BinaryIO) -> tuple[Dataset, list[LeanItem] | None]:
    start = stream.tell()
    dataset = read_partial(stream, stop_when=_ends_the_header, force=True)
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    if syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian):
        following = stream.read(4)
        if following in PIXELS_FOLLOW:
            return dataset, None
        if following == CONTENT_SEQUENCE_BYTES:
            try:
                return dataset, parse_content(following + stream.read(), implicit=syntax == ImplicitVRLittleEndian)
            except (NotPlain, RecursionError):
                logger.debug("The content of a report is not plain; pydicom reads it.")
    stream.seek(start)
    if is_cut_off(stream.read()):
        raise CutOff
    stream.seek(start)
    return dcmread(stream, force=True, stop_before_pixels=True), None


def _ends_the_header(tag: int, vr: str | None, length: int) -> bool:
    return tag == CONTENT_SEQUENCE or tag in PIXEL_DATA


def _read(dataset: Dataset, content: Sequence[LeanItem] | None) -> DoseReading:
    issues: list[Issue] = []
    header = Header(dataset, issues)
    sop_class_uid = header.uid("SOPClassUID")
    reading = DoseReading(
        sop_class_uid=sop_class_uid,
        sop_instance_uid=header.uid("SOPInstanceUID"),
        study_instance_uid=header.uid("StudyInstanceUID"),
    )
    if sop_class_uid is None and content is None and "ContentSequence" not in dataset:
        return dataclasses.replace(reading, refused=P_("This is no DICOM object: it has no SOP Class UID."))
    if (sop_class_uid or SR_CLASSES).startswith(SR_CLASSES):
        found = read_report(dataset, issues, content)
    else:
        found = read_image(header, sop_class_uid or "")
    found = finite_reading(found, issues)
    return dataclasses.replace(
        found,
        is_other=found.is_other and sop_class_uid not in DOSE_REPORT_CLASSES,
        sop_class_uid=reading.sop_class_uid,
        sop_instance_uid=reading.sop_instance_uid,
        study_instance_uid=reading.study_instance_uid,
        report={**read_origin(header), **read_state_of_device(header), **found.report},
        equipment=read_equipment(header, dict(found.report)),
        study=read_study(header),
        issues=tuple(issues),
    )
