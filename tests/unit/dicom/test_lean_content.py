"""The lean parser gives the very tree that pydicom gives, or leaves the object to pydicom."""

from __future__ import annotations

import io

import pytest
from pydicom import dcmread
from pydicom.filewriter import dcmwrite

from tests import conformance
from tests.dose_builder import as_file, ct_dose_report
from treegarth.dicom.encoding import NotPlain
from treegarth.dicom.lean_content import parse_content
from treegarth.dicom.sr_tree import tree_of
from treegarth.features.dose.reading import parsed, read_dose, read_dose_bytes

REPORTS = conformance.structured_reports()


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.name)
def test_a_real_report_gives_the_same_tree_either_way(path):
    with path.open("rb") as stream:
        dataset, content = parsed(stream)
    assert content is not None or "non-dose" in path.name
    assert tree_of(dataset, content) == tree_of(dcmread(path, force=True))


@pytest.mark.parametrize(
    ("syntax", "implicit", "little"),
    [
        ("1.2.840.10008.1.2", True, True),
        ("1.2.840.10008.1.2.1", False, True),
        ("1.2.840.10008.1.2.1.99", False, True),
        ("1.2.840.10008.1.2.2", False, False),
    ],
    ids=["implicit", "explicit", "deflated", "big endian"],
)
def test_every_transfer_syntax_gives_the_same_reading(syntax, implicit, little):
    built = dcmread(io.BytesIO(as_file(ct_dose_report())))
    expected = read_dose(built)
    built.file_meta.TransferSyntaxUID = syntax
    stream = io.BytesIO()
    dcmwrite(stream, built, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
    assert read_dose_bytes(stream.getvalue()) == expected
    assert expected.kind == "ct"


@pytest.mark.parametrize("data", [b"", b"\x40\x00\x30\xa7", b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff", b"\0" * 64])
def test_what_is_not_plain_is_left_to_pydicom(data):
    for implicit in (True, False):
        with pytest.raises(NotPlain):
            parse_content(data, implicit=implicit)
