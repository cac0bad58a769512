"""What objects say themselves about being no patient's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dose_builder import code, coded, ct_dose_report
from tests.dose_image_builder import projection_image
from treegarth.features.dose.reading import read_dose
from treegarth.features.dose.registry.own_words import own_word

DIAGNOSTIC = {"intent_code": {"code": "261004008", "scheme": "SCT", "meaning": "Diagnostic Intent"}}
CONTROL = {"intent_code": {"code": "113680", "scheme": "DCM", "meaning": "Quality Control Intent"}}
IMAGE, NO_IMAGE, BOTH = ({"quality_control_image": said} for said in ("YES", "NO", "BOTH"))
SUBJECT = {"quality_control_subject": "YES"}


@pytest.mark.parametrize(
    ("reports", "word"),
    [
        ([], None),
        ([None, {}], None),
        ([CONTROL, {}], "intent"),
        ([CONTROL, DIAGNOSTIC], None),
        ([DIAGNOSTIC, IMAGE], None),
        ([CONTROL, NO_IMAGE], "intent"),
        ([{"intent_code": {"code": "113680", "scheme": "99X", "meaning": "x"}}], None),
        ([IMAGE, {}], "image"),
        ([IMAGE, NO_IMAGE], None),
        ([BOTH], None),
        ([NO_IMAGE], None),
        ([SUBJECT, IMAGE], "subject"),
    ],
)
def test_an_intent_outranks_images_and_what_disagrees_says_nothing(reports: list[Any], word: str | None) -> None:
    assert own_word(reports) == word


def test_a_header_says_whether_image_and_subject_are_for_quality_control() -> None:
    image = projection_image("1.2.840.10008.5.1.4.1.1.1.1", "1.2.3.1")
    assert "quality_control_image" not in read_dose(image).report
    image.QualityControlImage, image.QualityControlSubject = "YES", "NO"
    report = read_dose(image).report
    assert (report["quality_control_image"], report["quality_control_subject"]) == ("YES", "NO")


def test_the_intent_of_a_reported_procedure_is_read_wherever_it_stands() -> None:
    report = ct_dose_report()
    intent = coded(code("363703001", "SCT", "Has Intent"), code("113680", "DCM", "Quality Control Intent"))
    procedure = coded(code("121058", "DCM", "Procedure reported"), code("77477000", "SCT", "CT"), intent)
    report.ContentSequence.append(procedure)
    assert own_word([read_dose(report).report]) == "intent"
