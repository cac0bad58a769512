"""The lean parser gives the very tree that pydicom gives, or leaves the object to pydicom."""

from __future__ import annotations

import io

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite, write_dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from tests import conformance
from tests.dose_builder import as_file, ct_dose_report, report, text
from treegarth.dicom.encoding import NotPlain
from treegarth.dicom.lean_content import CONTENT_SEQUENCE, parse_content
from treegarth.dicom.sr_tree import tree_of
from treegarth.features.dose.reading import parsed, read_dose, read_dose_bytes

REPORTS = conformance.structured_reports()


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.name)
def test_a_real_report_gives_the_same_tree_either_way(path):
    with path.open("rb") as stream:
        dataset, content = parsed(stream)
    assert content is not None or "non-dose" in path.name
    assert tree_of(dataset, content) == tree_of(dcmread(path, force=True))


EVERY_TRANSFER_SYNTAX = pytest.mark.parametrize(
    ("syntax", "implicit", "little"),
    [
        ("1.2.840.10008.1.2", True, True),
        ("1.2.840.10008.1.2.1", False, True),
        ("1.2.840.10008.1.2.1.99", False, True),
        ("1.2.840.10008.1.2.2", False, False),
    ],
    ids=["implicit", "explicit", "deflated", "big endian"],
)


def written(dataset: Dataset, syntax: str, implicit: bool, little: bool) -> bytes:
    stream = io.BytesIO()
    dataset.file_meta.TransferSyntaxUID = syntax
    dcmwrite(stream, dataset, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
    return stream.getvalue()


@EVERY_TRANSFER_SYNTAX
def test_every_transfer_syntax_gives_the_same_reading(syntax, implicit, little):
    built = dcmread(io.BytesIO(as_file(ct_dose_report())))
    expected = read_dose(built)
    assert read_dose_bytes(written(built, syntax, implicit, little)) == expected
    assert expected.kind == "ct"


@EVERY_TRANSFER_SYNTAX
def test_an_item_with_a_character_set_of_its_own_is_read_by_it_in_every_transfer_syntax(syntax, implicit, little):
    greek, around = text("125203", "Κεφαλή"), text("125203", "Łódź")
    greek.SpecificCharacterSet = "ISO_IR 126"
    built = report(greek, around)
    built.SpecificCharacterSet = "ISO_IR 101"
    whole = dcmread(io.BytesIO(as_file(built)))
    dataset, content = parsed(io.BytesIO(written(whole, syntax, implicit, little)))
    assert [item.value for item in tree_of(dataset, content).root.children] == ["Κεφαλή", "Łódź"]


def test_a_sequence_that_pydicom_cannot_read_costs_its_own_place_alone():
    broken = text("125203", "Head")
    broken[CONTENT_SEQUENCE] = RawDataElement(Tag(CONTENT_SEQUENCE), "SQ", 4, b"\1\2\3\4", 0, False, True)
    tree = tree_of(report(broken, text("125203", "Neck")))
    assert [item.value for item in tree.root.children] == ["Head", "Neck"]
    assert [(fault.place, fault.reason) for fault in tree.faults] == [
        ("1.1", "the content below cannot be read (OSError)")
    ]


@pytest.mark.parametrize("data", [b"", b"\x40\x00\x30\xa7", b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff", b"\0" * 64])
def test_what_is_not_plain_is_left_to_pydicom(data):
    for implicit in (True, False):
        with pytest.raises(NotPlain):
            parse_content(data, implicit=implicit)


def as_un(sequence: Sequence) -> bytes:
    """The items as a device writes them into an element of VR UN: implicit (PS3.5 6.2.2), with their lengths."""
    written = b""
    for item in sequence:
        stream = DicomBytesIO()
        stream.is_implicit_VR, stream.is_little_endian = True, True
        write_dataset(stream, item)
        written += b"\xfe\xff\x00\xe0" + len(stream.getvalue()).to_bytes(4, "little") + stream.getvalue()
    return written


def test_a_sequence_that_was_written_as_un_loses_nothing() -> None:
    built = dcmread(io.BytesIO(as_file(ct_dose_report())))
    expected = read_dose(built)
    changed = [item for item in built.ContentSequence if "ContentSequence" in item]
    assert changed
    for item in changed:
        value = as_un(item.ContentSequence)
        item[CONTENT_SEQUENCE] = RawDataElement(Tag(CONTENT_SEQUENCE), "UN", len(value), value, 0, False, True)
    data = written(built, "1.2.840.10008.1.2.1", implicit=False, little=True)
    assert b"\x40\x00\x30\xa7UN" in data
    assert read_dose_bytes(data) == expected
