"""What is written as a file begins as PS3.10 7.1 has it, whatever the object began with, and is the same object."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from treegarth.errors import UnreadableObject
from treegarth.features.deliveries.senders.file_format import MOST_ADDED_BYTES, PREAMBLE, as_file

UID = "1.2.826.0.1.3680043.8.498.1"
ELF = b"\x7fELF\x02\x01\x01\x00"


def an_object(*, preamble: bytes = PREAMBLE, implicit: bool = False) -> bytes:
    data_set = Dataset()
    data_set.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    data_set.SOPInstanceUID, data_set.StudyInstanceUID, data_set.SeriesInstanceUID = UID, f"{UID}.1", f"{UID}.2"
    data_set.PatientID, data_set.Modality = "P1", "CT"
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    written = BytesIO()
    pydicom.dcmwrite(written, data_set, enforce_file_format=True)
    return preamble + written.getvalue()[128:]


def bare(*, implicit: bool) -> bytes:
    """A data set without preamble and file meta information, as Orthanc takes and keeps them, too."""
    data_set = pydicom.dcmread(BytesIO(an_object(implicit=implicit)))
    written = pydicom.filebase.DicomBytesIO()
    written.is_little_endian, written.is_implicit_VR = True, implicit
    write_dataset(written, data_set)
    return written.getvalue()


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 128, 131, 132, 133, 1 << 20])
@pytest.mark.parametrize("beginning", [ELF, b"MZ", b"#!/bin/sh\nrm -rf ~\n", b"II*\x00", b"PK\x03\x04", b"<script>"])
def test_a_preamble_that_means_something_else_is_zero_and_all_else_stays(beginning: bytes, size: int) -> None:
    plain = an_object()
    given = beginning.ljust(128, b"A") + plain[128:]
    assert b"".join(as_file(in_pieces(given, size))) == plain


def test_a_file_as_it_should_be_stays_as_it_is() -> None:
    assert b"".join(as_file([an_object()])) == an_object()


@pytest.mark.parametrize("size", [1, 1000])
def test_what_has_only_its_meta_information_gets_the_preamble(size: int) -> None:
    assert b"".join(as_file(in_pieces(an_object()[132:], size))) == an_object()


@pytest.mark.parametrize(
    ("implicit", "hidden"),
    [(True, b""), (False, b""), (True, ELF + b"E" * 0x10102)],  # the last: a private element that begins like a program
)
def test_a_bare_data_set_becomes_a_file_of_its_own_syntax(implicit: bool, hidden: bytes) -> None:
    data = hidden + bare(implicit=implicit)
    made = b"".join(as_file([data]))
    assert made.startswith(PREAMBLE + b"DICM\x02\x00\x00\x00UL")
    assert made.endswith(data)
    assert len(made) - len(data) <= MOST_ADDED_BYTES
    found = pydicom.dcmread(BytesIO(made))
    assert found.file_meta.TransferSyntaxUID == (ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian)
    assert (found.file_meta.MediaStorageSOPInstanceUID, found.PatientID) == (UID, "P1")


@pytest.mark.parametrize("given", [b"", b"DICM", ELF + b"\0" * 500, b"#!/bin/sh\n" * 50])
def test_what_is_no_object_becomes_no_file(given: bytes) -> None:
    with pytest.raises(UnreadableObject):
        b"".join(as_file([given]))


def test_a_bare_data_set_whose_uid_is_none_becomes_no_file() -> None:
    long = b"9" * 100
    data = bare(implicit=True)
    uid = UID.encode().ljust(len(UID) + len(UID) % 2, b"\0")
    assert data.count(len(uid).to_bytes(4, "little") + uid) == 1
    given = data.replace(len(uid).to_bytes(4, "little") + uid, len(long).to_bytes(4, "little") + long)
    with pytest.raises(UnreadableObject):
        b"".join(as_file([given]))
