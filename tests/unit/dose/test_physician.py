"""Who performed an exam: the header's physician, else the one person who administered."""

from __future__ import annotations

import pytest

from tests.dose_builder import code, coded, ct_acquisition, ct_dose_report, person
from treegarth.features.dose.reading import read_dose
from treegarth.features.dose.registry.decision.facts import event_facts
from treegarth.features.dose.registry.decision.physician import administering, first_name, performing_physician


def test_the_header_goes_before_who_administered() -> None:
    assert performing_physician([None, "SEO^JUNHO"], ["Lee^Ada"]) == "SEO^JUNHO"
    assert performing_physician([None, " ^^ "], ["Lee^Ada", "Lee^Ada^", None]) == "Lee^Ada"


def test_of_several_who_administered_nobody_is_chosen() -> None:
    assert performing_physician([None], ["Lee^Ada", "Kim^Bora"]) is None
    assert performing_physician([], []) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SEO^JUNHO^^^", "SEO^JUNHO"),
        ("SEO^JUNHO\\BAEK^NARAE", "SEO^JUNHO"),
        ("Seo^Junho^^=徐^俊浩^=서^준호^", "Seo^Junho=徐^俊浩=서^준호"),
        ("Seo^Junho==서^준호", "Seo^Junho==서^준호"),
        ("SEO^^DR^=", "SEO^^DR"),
        ("^^^", None),
        ("=", None),
        ("", None),
        (None, None),
    ],
)
def test_a_name_is_as_in_dicom_without_empty_ends(text: str | None, name: str | None) -> None:
    assert first_name(text) == name


def test_a_role_is_known_by_its_code_whatever_the_device_calls_it() -> None:
    technologist = person("Lee^Ada", coded("113875", code("113851", meaning="조사자")))
    doctor = person("Kim^Bora", coded("113875", code("113850", meaning="Irradiation Administering")))
    report = ct_dose_report(ct_acquisition(extra=[technologist, doctor]))
    report.PerformingPhysicianName = "SEO^JUNHO"
    reading = read_dose(report)
    assert reading.study.performing_physician_name == "SEO^JUNHO"
    (event,) = reading.irradiation_events
    assert administering(event) == "Lee^Ada"
    assert event_facts("ct", event, 1).administered_by == "Lee^Ada"


def test_of_an_event_with_two_who_administered_it_nobody_is_chosen() -> None:
    both = [{"role_in_procedure": "Irradiation Administering", "name": name} for name in ("A", "B")]
    assert administering({"persons": both}) is None
    assert (
        administering({"persons": [{"name": "A"}, "junk", {"role_in_procedure": "Irradiation Administering"}]}) is None
    )
    assert administering({"persons": "junk"}) is None
