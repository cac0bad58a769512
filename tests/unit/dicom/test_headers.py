"""A header becomes one record: readable parts kept, what could not be read noted, identifiers demanded."""

from datetime import date, time
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian

from treegarth.dicom.header_json import header_json
from treegarth.dicom.headers import (
    TAGS,
    Header,
    Issue,
    orthanc_identifiers,
    read_header,
    read_header_values,
)
from treegarth.errors import UnreadableObject


def ct_header(**changes: object) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3.4.5"
    dataset.StudyDate, dataset.StudyTime, dataset.Modality = "20260302", "093000.25", "CT"
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "KIM^MINSU=金^民秀=김^민수", "P1", "19610412"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    dataset.InstanceNumber, dataset.Rows, dataset.Columns = 7, 512, 256
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    return dataset


def as_bytes(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.5"
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def with_raw_description(raw: bytes) -> bytes:
    """A header with these very bytes as its study description."""
    marker = b"X" * len(raw)
    return as_bytes(ct_header(StudyDescription=marker.decode())).replace(marker, raw)


def test_tags_are_those_of_the_data_dictionary() -> None:
    for name, tag in TAGS.items():
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in keyword_for_tag(tag)).lstrip("_")
        assert snake.replace("_u_i_d", "_uid").replace("i_d", "id").replace("s_o_p_", "sop_") == name


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_values_are_decoded(syntax: str) -> None:
    header = read_header(as_bytes(ct_header(), syntax))

    assert header.patient_name == "KIM^MINSU=金^民秀=김^민수"
    assert header.study_date == date(2026, 3, 2)
    assert header.study_time == time(9, 30, 0, 250000)
    assert (header.rows, header.columns, header.instance_number) == (512, 256, 7)
    assert header.image_type == ("ORIGINAL", "PRIMARY", "AXIAL")
    assert header.transfer_syntax_uid == syntax
    assert header.accession_number is None
    assert header.issues == ()


def test_utf8_under_a_latin_label_is_repaired() -> None:
    raw = "Thorax für Größe".encode()
    data = with_raw_description(raw).replace(b"ISO_IR 192", b"ISO_IR 100")
    assert read_header(data).study_description == "Thorax für Größe"


def test_korean_by_code_extensions_is_read() -> None:
    dataset = ct_header(SpecificCharacterSet=["", "ISO 2022 IR 149"])
    assert read_header(as_bytes(dataset)).patient_name == "KIM^MINSU=金^民秀=김^민수"


@pytest.mark.parametrize(
    ("written", "instead", "field"),
    [
        (b"DA\x08\x0020260302", b"DA\x08\x002026XX02", "study_date"),
        (b"TM\x0a\x00093000.25 ", b"TM\x0a\x00259900.25 ", "study_time"),
        (b"IS\x02\x007 ", b"IS\x02\x00X ", "instance_number"),
    ],
)
def test_what_cannot_be_read_is_an_issue_and_absent(written: bytes, instead: bytes, field: str) -> None:
    header = read_header(as_bytes(ct_header()).replace(written, instead))
    assert getattr(header, field) is None
    assert [issue.path.split()[-1] for issue in header.issues] == [field]


def test_dates_with_full_stops_are_read() -> None:
    data = as_bytes(ct_header()).replace(b"DA\x08\x0020260302", b"DA\x0a\x002026.03.02")
    assert read_header(data).study_date == date(2026, 3, 2)


@pytest.mark.filterwarnings("ignore")
def test_nul_characters_and_overlong_values_do_not_reach_the_database() -> None:
    header = read_header(as_bytes(ct_header(StudyDescription="a\0b" + "x" * 2000)))
    assert header.study_description is not None
    assert "\0" not in header.study_description
    assert len(header.study_description) == 640
    assert "cut" in header.issues[0].reason


def test_an_object_without_its_identifiers_is_refused() -> None:
    dataset = ct_header()
    del dataset.SeriesInstanceUID
    with pytest.raises(UnreadableObject, match="series_instance_uid"):
        read_header(as_bytes(dataset))


def test_orthancs_identifiers_are_hashes_of_dicoms() -> None:
    """The patient's is SHA-1("P1"), the others' join the levels by `|`; tests against Orthanc itself check the rest."""
    found = orthanc_identifiers(read_header(as_bytes(ct_header())))
    assert found.patient == "bdaf1eca-33d4619e-80e8ca68-9a1b74a4-febbbb29"
    assert len({found.patient, found.study, found.series, found.instance}) == 4


def test_orthancs_own_tags_make_a_header_with_the_reason() -> None:
    values = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.3", "SOPInstanceUID": "1.4", "PatientName": "김"}
    header = read_header_values(values, Issue(path="", reason="could not be parsed"))
    assert (header.study_instance_uid, header.patient_name) == ("1.2", "김")
    assert header.issues[0].reason == "could not be parsed"


@given(place=st.integers(min_value=132, max_value=700), value=st.integers(min_value=0, max_value=255))
@settings(max_examples=300)
@pytest.mark.filterwarnings("ignore")
def test_any_changed_byte_is_read_or_refused(place: int, value: int) -> None:
    data = bytearray(as_bytes(ct_header()))
    data[place % len(data)] = value
    try:
        header = read_header(bytes(data))
    except UnreadableObject:
        return
    assert isinstance(header, Header)


@pytest.mark.filterwarnings("ignore")
def test_header_as_json_has_no_bulk_and_nothing_that_jsonb_refuses() -> None:
    dataset = ct_header(StudyDescription="a\0b")
    dataset.add_new(0x00091001, "OB", bytes(5000))
    dataset.add_new(0x00189087, "FD", [float("nan"), 2.0])  # Diffusion b-value
    dataset.PixelData = bytes(100)
    dataset["PixelData"].VR = "OW"
    found = header_json(as_bytes(dataset))
    assert found["00100010"]["Value"] == [{"Alphabetic": "KIM^MINSU", "Ideographic": "金^民秀", "Phonetic": "김^민수"}]
    assert "7FE00010" not in found
    assert "00091001" not in found
    assert found["00081030"]["Value"] == ["ab"]
    assert found["00189087"]["Value"] == [None, 2.0]


@pytest.mark.parametrize("written", ["1e999", "-inf", "nan", "99999999999999999999", "one"])
def test_what_is_no_integer_is_an_issue(written: str) -> None:
    raw = as_bytes(ct_header(InstanceNumber="7")).replace(b"\x20\x00\x13\x00IS\x02\x007 ", _instance_number(written))
    header = read_header(raw)
    assert header.instance_number is None
    assert [issue.reason for issue in header.issues] == ["is not an integer string"]


def _instance_number(written: str) -> bytes:
    value = written.encode() + b" " * (len(written) % 2)
    return b"\x20\x00\x13\x00IS" + len(value).to_bytes(2, "little") + value


def test_sequences_of_any_depth_are_skipped() -> None:
    depth = 3000
    head = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    tail = b"\xfe\xff\x0d\xe0" + bytes(4) + b"\xfe\xff\xdd\xe0" + bytes(4)
    plain = as_bytes(ct_header())
    place = plain.index(b"\x10\x00\x10\x00PN")
    assert read_header(plain[:place] + head * depth + tail * depth + plain[place:]) == read_header(plain)
