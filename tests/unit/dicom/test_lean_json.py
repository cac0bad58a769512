"""DICOM JSON straight from the bytes is what pydicom makes of them; what is not plain is left to pydicom."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

import treegarth.dicom.header_json as by_either
from tests.conformance import folder as conformance_folder
from tests.load import bench_instances
from treegarth.demo.examinations import Extent
from treegarth.demo.hospital_day import hospital_day
from treegarth.dicom.encoding import NotPlain
from treegarth.dicom.lean_json import lean_header_json

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]


def written(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", "1.2")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "1.2.3")
    file = BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def lean(data: bytes) -> dict[str, Any]:
    return lean_header_json(data, by_either._is_left_out)


def assert_same(data: bytes) -> None:
    assert by_either._storable(lean(data)) == by_either._storable(by_either._by_pydicom(data))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_made_up_day_reads_as_pydicom_reads_it(syntax: str) -> None:
    for built in hospital_day(3, date(2026, 5, 4), extent=Extent(slices=0.05, detail=0.05)):
        for dataset in built.datasets[:2] + built.datasets[-1:]:
            if not dataset.file_meta.TransferSyntaxUID.is_compressed:
                assert_same(written(dataset, syntax))


def test_a_full_header_reads_as_pydicom_reads_it(tmp_path: Path) -> None:
    assert_same(bench_instances(1, tmp_path)[0].read_bytes())


@pytest.mark.skipif(conformance_folder() is None, reason="the real objects are not beside the project")
def test_real_objects_read_as_pydicom_reads_them_or_are_left_to_it() -> None:
    folder = conformance_folder()
    assert folder is not None
    plain = 0
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        data = path.read_bytes()
        try:
            lean(data)
        except NotPlain:
            continue
        plain += 1
        assert_same(data)
    assert plain > 10


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_values_of_every_kind(syntax: str) -> None:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = "Hong^Gildong=洪^吉洞=홍^길동"
    dataset.OtherPatientIDs = ["A", "", "B"]
    dataset.PatientComments = "one\\two"
    dataset.PatientSize = "1.75"
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.NumberOfFrames = "12"
    dataset.PixelRepresentation = 1
    dataset.SmallestImagePixelValue = -5
    dataset.FrameIncrementPointer = [0x00181063, 0x00181065]
    dataset.RealWorldValueSlope = 0.25
    dataset.ReferencedImageSequence = Sequence([Dataset(), Dataset()])
    dataset.ReferencedImageSequence[0].ReferencedSOPInstanceUID = "1.2.3"
    dataset.ReferencedImageSequence[1].SpecificCharacterSet = "ISO 2022 IR 149"
    dataset.ReferencedImageSequence[1].PatientID = ""
    dataset.ProcedureCodeSequence = Sequence()
    dataset.ReferencedImageSequence.is_undefined_length = True
    assert_same(written(dataset, syntax))
    assert lean(written(dataset, syntax))["00100010"]["Value"][0]["Phonetic"] == "홍^길동"


def test_utf_8_under_a_wrong_label_is_repaired() -> None:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.add_new(0x00100010, "PN", "홍^길동".encode())
    assert lean(written(dataset))["00100010"]["Value"] == [{"Alphabetic": "홍^길동"}]


def test_a_content_tree_and_long_values_stay_out() -> None:
    dataset = Dataset()
    dataset.PatientID = "1"
    dataset.ContentSequence = Sequence([Dataset()])
    dataset.ContentSequence[0].TextValue = "x" * 100
    dataset.ContentSequence.is_undefined_length = True
    dataset.TextValue = "x" * 2000
    assert set(lean(written(dataset))) == {"00100020"}


@pytest.mark.parametrize("vr", [b"\0\0", b"XX"])
def test_an_empty_element_of_no_representation_is_left_to_pydicom(vr: bytes) -> None:
    dataset = Dataset()
    dataset.PatientID = ""
    data = written(dataset)
    assert data.endswith(b"\x10\x00\x20\x00LO\0\0")
    with pytest.raises(NotPlain):
        lean(data[:-4] + vr + b"\0\0")


@pytest.mark.parametrize("cut", [3, 9, 40])
def test_what_ends_early_is_left_to_pydicom(cut: int) -> None:
    dataset = Dataset()
    dataset.PatientID = "1"
    dataset.PatientComments = "a longer value, so that the end is inside it"
    with pytest.raises(NotPlain):
        lean(written(dataset)[:-cut])


def test_what_is_not_plain_is_left_to_pydicom() -> None:
    dataset = Dataset()
    dataset.PatientID = "1"
    data = written(dataset, DeflatedExplicitVRLittleEndian)
    with pytest.raises(NotPlain):
        lean(data)
    assert by_either.header_json(data)["00100020"]["Value"] == ["1"]


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("creator", ["SIEMENS CT VA0  COAD", "nobody knows this one"])
def test_private_elements_are_what_their_creator_says(syntax: str, creator: str) -> None:
    dataset = Dataset()
    dataset.add_new(0x00190010, "LO", creator)
    dataset.add_new(0x00191090, "DS", "1.5")
    assert_same(written(dataset, syntax))
