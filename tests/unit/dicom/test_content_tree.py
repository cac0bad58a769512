"""The content of a source object as people read it."""

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from treegarth.dicom.content_tree import ContentNode, read_content
from treegarth.errors import UnreadableObject


def code(value: str, scheme: str, meaning: str) -> Dataset:
    found = Dataset()
    found.CodeValue, found.CodingSchemeDesignator, found.CodeMeaning = value, scheme, meaning
    return found


def item(value_type: str, concept: Dataset, **values: object) -> Dataset:
    found = Dataset()
    found.RelationshipType, found.ValueType, found.ConceptNameCodeSequence = "CONTAINS", value_type, [concept]
    for name, value in values.items():
        setattr(found, name, value)
    return found


def file_of(dataset: Dataset) -> bytes:
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.67"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=False, implicit_vr=False, little_endian=True)
    return file.getvalue()


def test_each_item_says_what_it_is_its_value_and_its_unit() -> None:
    measured = Dataset()
    measured.NumericValue = "8.20"
    measured.MeasurementUnitsCodeSequence = [code("mGy", "UCUM", "mGy")]
    root = item(
        "CONTAINER",
        code("113701", "DCM", "X-Ray Radiation Dose Report"),
        ContentSequence=[
            item("NUM", code("113830", "DCM", "Mean CTDIvol"), MeasuredValueSequence=[measured]),
            item("TEXT", code("125203", "DCM", "Acquisition Protocol"), TextValue="머리"),
            item("CODE", code("123014", "DCM", "Target Region"), ConceptCodeSequence=[code("T-A0100", "SRT", "Brain")]),
        ],
    )
    content = read_content(file_of(root))
    assert content.node_count == 4
    assert content.root.concept == "X-Ray Radiation Dose Report"
    assert [(node.concept, node.value, node.unit) for node in content.root.children] == [
        ("Mean CTDIvol", "8.20", "mGy"),
        ("Acquisition Protocol", "머리", ""),
        ("Target Region", "Brain", ""),
    ]
    assert content.root.children[0].code == "113830, DCM"


def test_an_image_has_a_root_alone() -> None:
    content = read_content(file_of(Dataset()))
    assert (content.node_count, content.root) == (
        1,
        ContentNode(relationship="", value_type="", concept="", code="", value="", value_code="", unit="", children=[]),
    )


def test_bytes_that_are_no_dicom_are_unreadable() -> None:
    with pytest.raises(UnreadableObject):
        read_content(b"\x00" * 3 + b"DICM" * 40)
