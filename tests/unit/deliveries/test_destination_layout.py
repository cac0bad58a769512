"""Paths of objects in a folder: readable, and never out of it, whatever the object's values are."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treegarth.dicom.headers import Header
from treegarth.features.deliveries.address_parts import DEFAULT_LAYOUT, LAYOUT_KEYWORDS
from treegarth.features.deliveries.layout import LONGEST_PART_BYTES, marked, path_of


def a_header() -> Header:
    values: dict[str, Any] = {field.name: None for field in dataclasses.fields(Header)}
    known = {"study_instance_uid": "1", "series_instance_uid": "2", "sop_instance_uid": "3", "issues": ()}
    return Header(**{**values, **known, "modality": "CT", "series_description": "lung"})


def path(layout: str = DEFAULT_LAYOUT, **values: Any) -> str:
    return str(path_of(dataclasses.replace(a_header(), **values), layout))


def test_the_default_layout_is_readable() -> None:
    assert path(
        patient_id="P1",
        study_date=date(2026, 11, 20),
        study_description="CT CHEST",
        series_number=3,
        modality="CT",
        series_description="lung",
        sop_instance_uid="1.2.3",
    ) == ("P1/20261120 CT CHEST/3 CT lung/1.2.3.dcm")


def test_a_year_has_four_digits_also_before_the_year_1000() -> None:
    assert path("{StudyDate}/{SOPInstanceUID}", study_date=date(987, 3, 4), sop_instance_uid="1") == "09870304/1.dcm"


def test_what_is_absent_leaves_no_gap() -> None:
    assert (
        path(patient_id=None, study_date=None, study_description=None, series_number=None, sop_instance_uid="1")
        == "unknown/unknown/CT lung/1.dcm"
    )


def test_korean_stays_and_composed_letters_are_one_letter() -> None:
    assert path("{PatientName}/{SOPInstanceUID}", patient_name="홍^길동", sop_instance_uid="1") == "홍^길동/1.dcm"
    assert path("{StudyDescription}", study_description="흉부") == "흉부.dcm"


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("../../etc", "_.._etc"),
        ("..", "unknown"),
        (".hidden", "hidden"),
        ("a/b\\c:d", "a_b_c_d"),
        ("a\x00b\x1bc\n d", "abc d"),
        ("\u202egpj.exe", "gpj.exe"),
        ("CON", "CON_"),
        ("nul.txt", "nul.txt_"),
        (" . ", "unknown"),
        ("-rf", "rf"),
        (". -.- --x", "x"),
        ("~root", "~root"),
    ],
)
def test_a_value_means_nothing_to_a_file_system(value: str, part: str) -> None:
    assert path("{PatientID}/{SOPInstanceUID}", patient_id=value, sop_instance_uid="1") == f"{part}/1.dcm"


def test_a_long_name_keeps_its_suffix_and_whole_letters() -> None:
    name = path("{StudyDescription}.dcm", study_description="가" * 300)
    assert name.endswith("가.dcm")
    assert len(name.encode()) <= LONGEST_PART_BYTES


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("{PatientID}.pth", "P.pth.dcm"),
        ("{PatientID}", "P.dcm"),
        ("{PatientID}.DCM", "P.dcm"),
        (".bashrc", "bashrc.dcm"),
        ("authorized_keys", "authorized_keys.dcm"),
        (".dcm", "unknown.dcm"),
        ("-{PatientID}", "P.dcm"),
        ("...", "unknown.dcm"),
        ("/etc/cron.d/x", "etc/cron.d/x.dcm"),
        ("", "unknown.dcm"),
        ("nul", "nul_.dcm"),
    ],
)
def test_a_file_is_named_as_dicom_whatever_the_layout_says(layout: str, name: str) -> None:
    assert path(layout, patient_id="P") == name


def test_a_mark_stands_before_the_suffix() -> None:
    assert str(marked(PurePosixPath("a/b.dcm"), "0123")) == "a/b 0123.dcm"


texts = st.text(max_size=80) | st.sampled_from(
    ["..", "-", "--x", ".-.", "/", "../..", "\u200f..", ". .", "．．", "‥", "a\u0301"]
)


@settings(max_examples=150)
@given(texts, texts, texts)
def test_no_value_leads_out_hides_or_looks_like_an_option(patient: str, study: str, series: str) -> None:
    found = path_of(
        dataclasses.replace(
            a_header(), patient_id=patient or None, study_description=study or None, series_description=series or None
        ),
        DEFAULT_LAYOUT,
    )
    assert len(found.parts) == 4
    assert not found.is_absolute()
    assert found.suffix == ".dcm"
    for part in found.parts:
        assert part[0] not in ".-"
        assert part not in ("", ".", "..")
        assert not set(part) & set('/\\:*?"<>|\x00\r\n')
        assert 0 < len(part.encode()) <= LONGEST_PART_BYTES


@pytest.mark.parametrize("keyword", LAYOUT_KEYWORDS)
def test_every_keyword_can_be_used(keyword: str) -> None:
    assert path(f"{{{keyword}}}/x")
