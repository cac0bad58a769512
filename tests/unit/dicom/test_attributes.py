"""The attributes of an object as lines: nothing that is there is left out, and nothing of it raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.dose_builder import as_file, ct_dose_report
from treegarth.dicom.attributes import LONGEST_VALUE, MOST_LINES, AttributeLine, read_attributes
from treegarth.errors import UnreadableObject


def an_object(**given: object) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    for keyword, value in given.items():
        setattr(dataset, keyword, value)
    return dataset


def named(data: bytes) -> dict[str, AttributeLine]:
    return {line.name: line for line in read_attributes(data).lines}


def test_text_is_read_by_the_character_set_in_force_and_items_have_their_own() -> None:
    inner = an_object()
    inner.SpecificCharacterSet, inner.CodeMeaning = "ISO_IR 192", "흉부"
    outer = an_object(SpecificCharacterSet="ISO_IR 100", StudyDescription="Schädel")
    outer.ProcedureCodeSequence = [inner]
    lines = named(as_file(outer))
    assert (lines["Study Description"].value, lines["Study Description"].vr) == ("Schädel", "LO")
    assert (lines["Code Meaning"].value, lines["Code Meaning"].level) == ("흉부", 1)
    assert lines["Procedure Code Sequence"].value == ""


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_numbers_bytes_and_several_values_are_said(syntax: str) -> None:
    dataset = an_object(Rows=512, ImageType=["ORIGINAL", "PRIMARY", "AXIAL"], PixelAspectRatio=[1, 2])
    dataset.add_new(0x00091001, "OB", b"12345678")
    lines = read_attributes(as_file(dataset, syntax)).lines  # type: ignore[arg-type]
    values = {line.tag: line.value for line in lines}
    assert values["(0028,0010)"] == "512"
    assert values["(0008,0008)"] == "ORIGINAL\\PRIMARY\\AXIAL"
    assert values["(0009,1001)"] == "8 bytes"
    assert [line.tag for line in lines if line.tag] == sorted(values)


def test_the_content_of_a_report_is_left_to_its_tree() -> None:
    assert "Content Sequence" not in named(as_file(ct_dose_report()))


def test_what_is_long_or_much_is_cut_and_said_to_be() -> None:
    assert len(named(as_file(an_object(StudyComments="x" * 5000)))["Study Comments"].value) == LONGEST_VALUE
    many = an_object()
    many.ProcedureCodeSequence = [an_object(CodeMeaning=str(number)) for number in range(MOST_LINES)]
    found = read_attributes(as_file(many))
    assert (len(found.lines), found.is_cut) == (MOST_LINES, True)
    assert not read_attributes(as_file(an_object())).is_cut


def test_what_is_no_dicom_is_said() -> None:
    with pytest.raises(UnreadableObject):
        read_attributes(b"DICM" * 50)


@given(st.binary(max_size=300), st.integers(min_value=140, max_value=700))
def test_damage_never_raises_anything_else(damage: bytes, place: int) -> None:
    file = as_file(ct_dose_report())
    try:
        lines = read_attributes(file[:place] + damage + file[place + len(damage) :]).lines
    except UnreadableObject:
        return
    assert all("\x1b" not in line.value for line in lines)
