"""Which objects of a study are delivered."""

from __future__ import annotations

import random
from typing import Any

from treegarth.features.deliveries.selection import CT_IMAGE, Candidate, Selection, choose

DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"
ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.22"
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
PET = "1.2.840.10008.5.1.4.1.1.128"
PRESENTATION = "1.2.840.10008.5.1.4.1.1.11.1"
AXIAL = ("ORIGINAL", "PRIMARY", "AXIAL")


def candidate(name: str, series: str, sop_class_uid: str, number: int = 1, **given: Any) -> Candidate:
    values: dict[str, Any] = {
        "orthanc_instance_id": name,
        "orthanc_series_id": series,
        "orthanc_study_id": "study",
        "study_instance_uid": "1.2.3",
        "series_instance_uid": f"1.2.3.{series}",
        "modality": "CT",
        "sop_instance_uid": f"1.2.3.4.{number}",
        "sop_class_uid": sop_class_uid,
        "instance_number": number,
        "image_type": AXIAL,
        "size_bytes": 1000,
        **given,
    }
    return Candidate(**values)


def ids(chosen: list[Candidate]) -> list[str]:
    return [one.orthanc_instance_id for one in chosen]


STUDY = [
    candidate("scout", "ct", CT_IMAGE, 1, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")),
    *(candidate(f"ct{number}", "ct", CT_IMAGE, number) for number in range(2, 7)),
    *(candidate(f"pt{number}", "pt", PET, number, modality="PT") for number in range(1, 4)),
    candidate("dose", "sr", DOSE_SR, modality="SR", image_type=()),
    candidate("report", "sr2", ENHANCED_SR, modality="SR", image_type=()),
    candidate("page", "sc", CAPTURE, image_type=("DERIVED", "SECONDARY")),
    candidate("view", "pr", PRESENTATION, modality="PR", image_type=()),
]


def test_all_means_every_object_in_its_order() -> None:
    assert choose(STUDY, Selection.ALL) == STUDY


def test_dose_objects_are_those_of_dose_classes_and_what_dose_was_read_from() -> None:
    assert ids(choose(STUDY, Selection.DOSE)) == ["dose"]
    assert ids(choose(STUDY, Selection.DOSE, read_as_dose={"report", "page", "ct3"})) == ["dose", "report", "page"]


def test_a_captured_x_ray_image_is_no_dose_object_though_its_header_tells_of_dose() -> None:
    captured = [candidate(f"mg{n}", "mg", CAPTURE, n, modality="MG") for n in (1, 2)]
    assert choose(captured, Selection.DOSE, read_as_dose={"mg1", "mg2"}) == []


def test_one_image_of_each_series_is_the_middle_axial_one_and_of_pet_the_first() -> None:
    chosen = ids(choose(STUDY, Selection.DOSE_AND_ONE, read_as_dose={"page"}))
    assert chosen == ["ct4", "pt1", "dose", "page"]


def test_the_choice_does_not_depend_on_the_order_of_arrival() -> None:
    shuffled = random.Random(3).sample(STUDY, len(STUDY))
    assert set(ids(choose(shuffled, Selection.DOSE_AND_ONE))) == set(ids(choose(STUDY, Selection.DOSE_AND_ONE)))


def test_the_image_that_was_chosen_once_stays_when_others_arrive() -> None:
    chosen = ids(choose(STUDY, Selection.DOSE_AND_ONE, represented={"ct": "ct2"}))
    assert chosen == ["ct2", "pt1", "dose", "page"]


def test_a_series_without_axial_images_is_represented_all_the_same() -> None:
    derived = [candidate(f"d{number}", "d", CT_IMAGE, number, image_type=()) for number in (3, 1, 2)]
    assert ids(choose(derived, Selection.DOSE_AND_ONE)) == ["d2"]
