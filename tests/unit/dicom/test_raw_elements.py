"""The lean walk over a file's bytes finds what pydicom finds, or says that it does not know the form."""

from io import BytesIO

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    generate_uid,
)

from treegarth.dicom.encoding import NotPlain
from treegarth.dicom.raw_elements import header_end, read_raw_elements

WANTED = frozenset({0x00080018, 0x00080060, 0x00100010, 0x0020000D, 0x00280010, 0x00280011})


def image(*, nested_undefined: bool = False, with_icon: bool = False) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.Modality = "CT"
    item, inner = Dataset(), Dataset()
    inner.CodeValue = "inner"
    item.CodeValue, item.CodingSchemeDesignator = "T-D3000", "SRT"
    item.PurposeOfReferenceCodeSequence = Sequence([inner])
    dataset.ProcedureCodeSequence = Sequence([item, item])
    if nested_undefined:
        for sequence_item in (item, inner):
            sequence_item.is_undefined_length_sequence_item = True
        dataset["ProcedureCodeSequence"].is_undefined_length = True
        item["PurposeOfReferenceCodeSequence"].is_undefined_length = True
    dataset.PatientName = "KIM^MINSU"
    dataset.StudyInstanceUID = "1.2.3"
    if with_icon:
        icon = Dataset()
        icon.Rows = icon.Columns = 4
        icon.PixelData = bytes(16)
        icon["PixelData"].VR = "OB"
        dataset.IconImageSequence = Sequence([icon])
    dataset.Rows, dataset.Columns = 8, 16
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 15, 0, 1
    dataset.PixelData = b"\xe0\x7f\x10\x00" * 64  # looks like its own tag
    dataset["PixelData"].VR = "OW"
    return dataset


def as_file(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("undefined", [False, True])
def test_values_are_those_that_pydicom_reads(syntax: str, undefined: bool) -> None:
    data = as_file(image(nested_undefined=undefined), syntax)

    found = read_raw_elements(data, WANTED)

    assert found.transfer_syntax_uid == syntax
    assert not found.truncated
    expected = pydicom.dcmread(BytesIO(data))
    assert found.values == {tag: expected.get_item(tag).value for tag in WANTED}


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_other_encodings_are_left_to_pydicom(syntax: str) -> None:
    with pytest.raises(NotPlain):
        read_raw_elements(as_file(image(), syntax), WANTED)


def test_bytes_that_are_no_dicom_are_not_read() -> None:
    with pytest.raises(NotPlain):
        read_raw_elements(b"not a DICOM file at all" * 20, WANTED)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("with_icon", [False, True])
def test_header_ends_where_the_images_pixel_data_begin(syntax: str, with_icon: bool) -> None:
    data = as_file(image(with_icon=with_icon), syntax)

    end = header_end(data)

    assert end is not None
    header = pydicom.dcmread(BytesIO(data[:end]))
    assert "PixelData" not in header
    assert header.Columns == 16
    assert pydicom.dcmread(BytesIO(data), stop_before_pixels=True) == header


def test_header_of_a_compressed_image_ends_before_its_fragments() -> None:
    dataset = image()
    dataset.PixelData = pydicom.encaps.encapsulate([b"\xff\x4f" * 20])
    dataset["PixelData"].is_undefined_length = True
    data = as_file(dataset, JPEG2000Lossless)

    end = header_end(data)

    assert end is not None
    assert pydicom.dcmread(BytesIO(data[:end])).Rows == 8


def test_an_object_without_pixels_has_no_end_of_header() -> None:
    dataset = image()
    del dataset.PixelData
    assert header_end(as_file(dataset)) is None


@given(cut=st.integers(min_value=0, max_value=1200))
@settings(max_examples=150)
def test_a_cut_file_gives_whole_values_or_says_so(cut: int) -> None:
    whole = as_file(image(nested_undefined=True))
    full = read_raw_elements(whole, WANTED).values
    try:
        found = read_raw_elements(whole[:cut], WANTED)
    except NotPlain:
        return
    complete = {tag: value for tag, value in found.values.items() if full[tag] == value}
    assert found.truncated or complete == found.values
    assert len(found.values) - len(complete) <= 1  # only the one that the cut went through


@given(data=st.binary(max_size=600))
@settings(max_examples=300)
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    header_end(data)
    try:
        read_raw_elements(bytes(128) + b"DICM" + as_file(image())[132:340] + data, WANTED)
    except NotPlain:
        return


def test_a_generated_identifier_survives() -> None:
    dataset = image()
    dataset.StudyInstanceUID = uid = generate_uid()
    assert read_raw_elements(as_file(dataset), {0x0020000D}).values[0x0020000D].rstrip(b"\0").decode() == uid
