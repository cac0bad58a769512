"""The made-up day is large enough to show something, small enough to be quick, valid, and the same every time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr._concepts_dict import concepts

from tests.unit.demo.demo_support import content_items, errors_of_dciodvfy, measured
from treegarth.demo.attributes import write
from treegarth.demo.examinations import Extent
from treegarth.demo.expected import BuiltStudy
from treegarth.demo.hospital_day import hospital_day
from treegarth.features.dose.reading import read_dose

DAY = date(2026, 5, 4)
EIGHTH = Extent(detail=0.125)
TINY = Extent(slices=0.1, detail=0.125)


@pytest.fixture(scope="module")
def day() -> list[BuiltStudy]:
    """The whole day with pictures an eighth as wide and high."""
    return list(hospital_day(1, DAY, extent=EIGHTH))


def objects(day: list[BuiltStudy]) -> Iterator[Dataset]:
    for built in day:
        yield from built.datasets


def digests(seed: int, day: date, folder: Path, *, studies: int = 12) -> list[str]:
    found = []
    built = list(islice(hospital_day(seed, day, extent=TINY), studies))
    for number, dataset in enumerate(objects(built)):
        path = folder / f"{number}.dcm"
        write(dataset, path)
        found.append(hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def test_a_day_has_every_kind_of_study(day: list[BuiltStudy]) -> None:
    kinds = [built.expected.modalities for built in day]
    assert 10 <= len(kinds) <= 14
    assert kinds.count(("CT", "SR")) >= 3
    assert {("CT", "PT", "SR"), ("SR", "XA"), ("RF", "SR"), ("MG",), ("MR",)} <= set(kinds)


def test_a_day_is_quick_to_send(day: list[BuiltStudy]) -> None:
    count = sum(1 for _ in objects(day))
    full_size = sum(len(dataset.get("PixelData", b"")) * 64 + 10_000 for dataset in objects(day))
    assert 150 <= count <= 400
    assert full_size < 80_000_000


def test_uids_are_unique_and_valid(day: list[BuiltStudy]) -> None:
    uids = [dataset.SOPInstanceUID for dataset in objects(day)]
    assert len(set(uids)) == len(uids)
    assert all(uid.is_valid for uid in uids)


def test_the_same_seed_and_date_give_the_same_bytes(tmp_path: Path) -> None:
    first = digests(1, DAY, tmp_path)
    assert digests(1, DAY, tmp_path) == first
    another_day = digests(1, date(2026, 5, 5), tmp_path, studies=2)
    another_seed = digests(2, DAY, tmp_path, studies=2)
    assert set(first).isdisjoint([*another_day, *another_seed])


def test_what_is_expected_is_what_the_objects_say(day: list[BuiltStudy]) -> None:
    for built in day:
        expected = built.expected
        assert {str(dataset.PatientName) for dataset in built.datasets} == {expected.patient_name}
        assert {dataset.StudyDate for dataset in built.datasets} == {"20260504"}
        reports = [dataset for dataset in built.datasets if next(content_items(dataset, "113813"), None)]
        if expected.ct_dose is None:
            assert not reports
            continue
        assert [measured(report, "113813") for report in reports] == [[(expected.ct_dose.dlp_total_mgy_cm, "mGy.cm")]]
        uids = [item.UID for item in content_items(reports[0], "113769")]
        assert uids == [event.irradiation_event_uid for event in expected.ct_dose.events]
        assert len(uids) >= 2


def test_our_own_reader_reads_every_ct_dose_without_an_issue(day: list[BuiltStudy]) -> None:
    for built in day:
        readings = [read_dose(dataset) for dataset in built.datasets if dataset.Modality == "SR"]
        totals = [reading.totals["dlp_total_mgy_cm"] for reading in readings if reading.kind == "ct"]
        dose = built.expected.ct_dose
        assert totals == ([] if dose is None else [dose.dlp_total_mgy_cm])
        assert [issue for reading in readings if reading.kind == "ct" for issue in reading.issues] == []


def test_every_text_comes_back_from_a_file_as_it_was(day: list[BuiltStudy], tmp_path: Path) -> None:
    for built in day:
        write(built.datasets[-1], tmp_path / "object.dcm")
        read = dcmread(tmp_path / "object.dcm")
        assert str(read.PatientName) == built.study.patient.patient_name
        assert read.StudyDescription == built.study.procedure.description
        assert read.AdmittingDiagnosesDescription == built.study.procedure.reason


def test_no_value_is_longer_than_its_representation_allows(day: list[BuiltStudy]) -> None:
    """PS3.5 Table 6.2-1; dciodvfy lets some pass."""
    longest = {"AE": 16, "CS": 16, "DS": 16, "IS": 12, "LO": 64, "SH": 16, "UI": 64}
    too_long = {
        (element.keyword, str(value))
        for dataset in objects(day)
        for element in dataset.iterall()
        if element.VR in longest
        for value in (element.value if element.VM > 1 else [element.value])
        if value is not None and len(str(value)) > longest[element.VR]
    }
    assert too_long == set()


def test_dciodvfy_finds_no_error_in_any_kind_of_any_device(tmp_path: Path) -> None:
    seen = set()
    for dataset in objects(list(hospital_day(1, DAY, extent=TINY))):
        kind = (dataset.StudyInstanceUID, dataset.SOPClassUID, tuple(dataset.get("ImageType", ())))
        if kind not in seen:
            assert errors_of_dciodvfy(dataset, tmp_path) == [], dataset.SeriesDescription
        seen.add(kind)
    assert len({sop_class for _, sop_class, _ in seen}) == 8


def test_dicom_codes_mean_what_the_standard_says(day: list[BuiltStudy]) -> None:
    """Against pydicom's dictionary of PS3.16 Annex D."""
    standard = {code: entry[0] for known in concepts["DCM"].values() for code, entry in known.items()}
    items = {
        (element.CodeValue, element.CodeMeaning)
        for built in day
        for dataset in (built.datasets[0], built.datasets[-1])
        for element in code_items(dataset)
        if element.CodingSchemeDesignator == "DCM"
    }
    assert len(items) > 60
    assert {code: meaning for code, meaning in items if standard.get(code) != meaning} == {}


def test_clinical_codes_are_in_the_standards_context_groups(day: list[BuiltStudy]) -> None:
    known = {code for entries in concepts["SCT"].values() for code in entries}
    used = {
        element.CodeValue
        for built in day
        for dataset in (built.datasets[0], built.datasets[-1])
        for element in code_items(dataset)
        if element.CodingSchemeDesignator == "SCT"
    }
    # PS3.16 TID 10021 and CID 3629 name this one; pydicom's list has it by its SNOMED RT code only.
    assert used - known <= {"363589002"}


def code_items(dataset: Dataset) -> Iterator[Dataset]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                if "CodeValue" in item:
                    yield item
                yield from code_items(item)
