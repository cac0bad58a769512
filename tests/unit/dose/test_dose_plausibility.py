"""Every limit of plausibility doubts what lies outside it, and only that; nothing is changed by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.dose.test_dose_deciding_cases import F_SCT, source
from treegarth.features.dose.plausibility import BUILT_IN, OF_EVENT, Limit
from treegarth.features.dose.quantities import BEST
from treegarth.features.dose.registry.decision import ExamDecision, SourceFacts, decide_exam
from treegarth.features.dose.registry.decision.plausibility import OF_REPORT

HEAD, BODY = "IEC Head Dosimetry Phantom", "IEC Body Dosimetry Phantom"
KINDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "mean_ctdi_vol_mgy": ("ct", {}),
    "dlp_mgy_cm": ("ct", {"ctdiw_phantom_type": BODY}),
    "dose_area_product_gy_m2": ("projection", {}),
    "dose_rp_gy": ("projection", {}),
    "average_glandular_dose_mgy": ("mammography", {"laterality": "L"}),
    "administered_activity_mbq": ("radiopharmaceutical", {"radionuclide_code": F_SCT}),
}
"""The kind of an event that has the number, and what else it says."""
EVENTS = sorted(OF_EVENT)
EXAMS = sorted(name for name, one in BUILT_IN.items() if one.of == "exam")


def exam_of_event(name: str, value: float) -> ExamDecision:
    kind, more = KINDS[name]
    return decide_exam([source("a", kind, {"irradiation_event_uid": "1.9", name: value, **more})])


def exam_of(name: str, value: float, limits: Mapping[str, Limit] = BUILT_IN) -> ExamDecision:
    """Whose best known dose of the quantity is this, of a report's total or of an event."""
    return decide_exam([telling(name, value)], limits=limits)


def telling(name: str, value: float) -> SourceFacts:
    total = next((total for total, quantity in OF_REPORT.items() if quantity == name), None)
    if name.startswith("dlp_"):
        phantom = {"dlp_head_mgy_cm": HEAD}.get(name, BODY)
        totals: dict[str, Any] = {"dlp_total_mgy_cm": value, "dlp_total_ctdiw_phantom_type": phantom}
        return source("a", "ct", totals=totals)
    if total is not None:
        return source("a", "mammography" if "glandular" in name else "projection", totals={total: value})
    of_event = {"ctdi_vol_max_mgy": "mean_ctdi_vol_mgy"}.get(name, name)
    kind, more = KINDS[of_event]
    return source("a", kind, {"irradiation_event_uid": "1.9", of_event: value, **more})


def implausible(decision: ExamDecision) -> set[str]:
    return {one.quantity for one in decision.doubts if one.name == "implausible"}


def test_every_number_of_an_event_and_every_best_known_dose_has_a_limit_with_its_reason() -> None:
    assert set(OF_EVENT.values()) == {name for name, one in BUILT_IN.items() if one.of == "event"}
    assert set(EXAMS) == set(BEST)
    assert set(KINDS) == set(OF_EVENT)
    assert all(one.reason.endswith(".") and one.least < one.greatest for one in BUILT_IN.values())


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_believed_up_to_its_limit(name: str) -> None:
    limit = BUILT_IN[OF_EVENT[name]]
    assert implausible(exam_of_event(name, limit.greatest)) == set()


@pytest.mark.parametrize("value", [-99999.0, -0.001, 1e9])
@pytest.mark.parametrize("name", EVENTS)
def test_an_event_outside_its_limit_is_doubted_with_the_numbers_and_stays(name: str, value: float) -> None:
    decision = exam_of_event(name, value)
    doubts = [one for one in decision.doubts if one.name == "implausible"]
    assert doubts
    for doubt in doubts:
        of_event = [one for one in decision.evidence[doubt] if one.what == "event"]
        assert [(one.value, one.position, one.orthanc_instance_id) for one in of_event] == [(value, 1, "a")]
        assert any(one.what == ("least" if value < 0 else "greatest") for one in decision.evidence[doubt])
    assert value in decision.best.values()


@pytest.mark.parametrize("name", EXAMS)
def test_an_exam_is_believed_up_to_its_limit_and_doubted_above(name: str) -> None:
    limit = BUILT_IN[name]
    believed, doubted = exam_of(name, limit.greatest), exam_of(name, limit.greatest * 1.01)
    assert believed.best[name] == limit.greatest
    assert name not in implausible(believed)
    assert doubted.best[name] == pytest.approx(limit.greatest * 1.01)
    assert name in implausible(doubted)


@pytest.mark.parametrize("name", EXAMS)
def test_a_site_can_widen_and_narrow_each_limit(name: str) -> None:
    limit = BUILT_IN[name]
    value = limit.greatest / 2
    narrow = {**BUILT_IN, name: replace(limit, greatest=value * 0.9)}
    low = {**BUILT_IN, name: replace(limit, least=value * 1.1)}
    assert name not in implausible(exam_of(name, value))
    assert name in implausible(exam_of(name, value, narrow))
    assert name in implausible(exam_of(name, value, low))


def test_a_slip_of_units_of_a_mammogram_is_found() -> None:
    """150 mGy of one view: 1.5 mGy read as dGy."""
    assert "glandular_dose_left_mgy" in implausible(exam_of_event("average_glandular_dose_mgy", 150.0))
