"""The cast of a seed, and its names through real files in every character set."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.unit.demo.demo_support import study_of
from treegarth.demo.attributes import write
from treegarth.demo.ct_dose_report import CtEvent, ct_dose_report
from treegarth.demo.patients import JAPANESE, KOREAN, LATIN_1, UTF_8, Patient, cast


def test_a_seed_gives_the_same_people_and_another_seed_others() -> None:
    assert cast(1) == cast(1)
    assert {patient.patient_id for patient in cast(1)}.isdisjoint(patient.patient_id for patient in cast(2))


def test_every_character_set_is_on_stage() -> None:
    assert {patient.character_set for patient in cast(1)} == {LATIN_1, UTF_8, KOREAN, JAPANESE}


@pytest.mark.parametrize("place", range(12))
def test_names_come_back_from_a_file_as_they_were(place: int, tmp_path: Path) -> None:
    report = ct_dose_report(study=study_of(place), events=[CtEvent(mean_ctdi_vol_mgy=1, dlp_mgy_cm=2)])
    write(report, tmp_path / "report.dcm")
    assert str(dcmread(tmp_path / "report.dcm").PatientName) == cast(1)[place].patient_name


def test_korean_names_are_escaped_in_every_component(tmp_path: Path) -> None:
    """PS3.5 I.2: the designation of KS X 1001 starts anew after each ^ and =."""
    report = ct_dose_report(study=study_of(1), events=[])
    write(report, tmp_path / "report.dcm")
    written = (tmp_path / "report.dcm").read_bytes()
    hangul = b"\x1b$)C" + "이".encode("euc-kr") + b"^\x1b$)C" + "서연".encode("euc-kr")
    assert hangul in written


@pytest.mark.parametrize(
    ("born", "age"),
    [(date(1961, 5, 5), "064Y"), (date(1961, 5, 4), "065Y"), (date(2025, 5, 5), "011M"), (date(2024, 5, 4), "002Y")],
)
def test_age_is_told_in_months_below_two_years(born: date, age: str) -> None:
    patient = Patient(patient_id="1", patient_name="A^B", birth_date=born, sex="F", size_m=1.6, weight_kg=60)
    assert patient.age_at(date(2026, 5, 4)) == age
