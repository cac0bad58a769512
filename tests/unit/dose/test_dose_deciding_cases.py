"""Kinds of exams that are easily decided wrongly, on built data: the best known dose, its origin, its doubts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from treegarth.features.dose.registry.decision import (
    Device,
    Elsewhere,
    SourceFacts,
    decide_exam,
    event_facts,
    report_facts,
)
from treegarth.features.dose.registry.decision.instants import gap, instant_of
from treegarth.features.dose.registry.decision.nuclides import nuclide_of
from treegarth.features.dose.registry.rules import Rule, Source

HEAD, BODY = "IEC Head Dosimetry Phantom", "IEC Body Dosimetry Phantom"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TC = {"code": "72454002", "scheme": "SCT", "meaning": "^99m^Technetium"}
F_SCT = {"code": "77004003", "scheme": "SCT", "meaning": "^18^Fluorine"}
F_SRT = {"code": "C-111A1", "scheme": "SRT", "meaning": "^18^Fluorine"}


def source(name: str, kind: str, *events: dict[str, Any], header: bool = False, device: str = "D1", series: str = "s",
           totals: dict[str, Any] | None = None, day: int = 0, **report: Any) -> SourceFacts:  # fmt: skip
    offset = report.get("timezone_offset_from_utc")
    return SourceFacts(
        orthanc_instance_id=name,
        sop_instance_uid=name,
        kind=kind,
        source=Source.HEADER if header else Source.REPORT,
        device=Device(manufacturer="Ent", serial=device),
        series=series,
        totals=totals or {},
        events=tuple(event_facts(kind, event, n, offset=offset) for n, event in enumerate(events, start=1)),
        received_at=NOON + timedelta(days=day),
        **report_facts(report),
    )


FLUOROSCOPY_AT_NINE = {"date_time_started": "20261120090000", "irradiation_event_type": "Fluoroscopy"}


def breast(uid: str, dose: float | None) -> dict[str, object]:
    told = {} if dose is None else {"average_glandular_dose_mgy": dose}
    return {"irradiation_event_uid": uid, "laterality": "L", **told}


def ct(uid: str | None, dlp: float | None, phantom: str | None = BODY, **more: Any) -> dict[str, Any]:
    values = {"irradiation_event_uid": uid, "dlp_mgy_cm": dlp, "ctdiw_phantom_type": phantom, **more}
    return {name: value for name, value in values.items() if value is not None}


def xa(
    uid: str | None, dap: float, plane: str = "Single Plane", rp: float | None = None, **more: Any
) -> dict[str, Any]:
    values = {
        "irradiation_event_uid": uid,
        "dose_area_product_gy_m2": dap,
        "acquisition_plane": plane,
        "dose_rp_gy": rp,
    }
    return {name: value for name, value in (values | more).items() if value is not None}


def given(activity: float | None, nuclide: Any = TC, **more: Any) -> dict[str, Any]:
    values = {"administered_activity_mbq": activity, "radionuclide_code": nuclide, **more}
    return {name: value for name, value in values.items() if value is not None}


def dlp(total: float) -> dict[str, Any]:
    return {"dlp_total_mgy_cm": total}


CASES: dict[str, tuple[list[SourceFacts], dict[str, float | None], set[str]]] = {
    "rest and stress without times are two by their activities": (
        [source(n, "radiopharmaceutical", given(a), header=True, series=n) for n, a in (("r", 300.0), ("s", 900.0))],
        {"administered_activity_mbq": 1200.0},
        set(),
    ),
    "one injection by SCT and SRT, in UTC and local, 12 seconds apart": (
        [
            source("sr", "radiopharmaceutical", given(300.0, F_SCT, start="20261120014030+0000")),
            source("pt", "radiopharmaceutical",
                   given(300.0, F_SRT, start_time="104042", acquired="20261120114000"), header=True),
        ],
        {"administered_activity_mbq": 300.0},
        set(),
    ),
    "one injection that the image's header puts 8 minutes later": (
        [
            source("sr", "radiopharmaceutical", given(394.0, F_SCT, start="20261120104030")),
            source("pt", "radiopharmaceutical", given(394.0, F_SCT, start_time="104830"), header=True),
        ],
        {"administered_activity_mbq": 394.0},
        set(),
    ),
    "one clock on two days is two injections": (
        [
            source(n, "radiopharmaceutical", given(300.0, start_time="100000", acquired=f"{day}130000"), header=True,
                   series=n)
            for n, day in (("a", "20261120"), ("b", "20261121"))
        ],
        {"administered_activity_mbq": 600.0},
        set(),
    ),
    "two items of one object are two injections": (
        [source("nm", "radiopharmaceutical", given(300.0), given(300.0), header=True)],
        {"administered_activity_mbq": 600.0},
        set(),
    ),
    "two nuclides have no sum": (
        [source("sr", "radiopharmaceutical", given(300.0), given(200.0, F_SCT))],
        {"administered_activity_mbq": None},
        set(),
    ),
    "a total to this point does not win": (
        [
            source("a", "ct", ct("1", 100.0), totals=dlp(100.0), scope_of_accumulation="Procedure Step To This Point"),
            source("b", "ct", ct("1", 100.0), ct("2", 200.0), totals=dlp(300.0)),
        ],
        {"dlp_mgy_cm": 300.0},
        set(),
    ),
    "a total to this point alone is a least": (
        [source("a", "ct", totals=dlp(100.0), scope_of_accumulation="Procedure Step To This Point")],
        {"dlp_mgy_cm": 100.0},
        {"dlp_mgy_cm:partial_total", "dlp_head_mgy_cm:partial_total", "dlp_body_mgy_cm:partial_total"},
    ),
    "a total of 0 does not win": (
        [source("a", "projection", xa("1", 3.5e-5), totals={"dose_area_product_total_gy_m2": 0.0})],
        {"dose_area_product_gy_m2": 3.5e-5},
        {"dose_area_product_gy_m2:total_differs"},
    ),
    "a total of few digits is the rounded sum of its events": (
        [source("a", "projection", xa("1", 6.6e-5), totals={"dose_area_product_total_gy_m2": 1e-4})],
        {"dose_area_product_gy_m2": 1e-4},
        set(),
    ),
    "a total that differs from its events by 5 % is doubted": (
        [source("a", "ct", ct("1", 100.0), ct("2", 95.0), totals=dlp(205.3))],
        {"dlp_mgy_cm": 205.3},
        {"dlp_mgy_cm:total_differs", "dlp_body_mgy_cm:total_differs"},
    ),
    "a total that differs from its events by 4 % is not": (
        [source("a", "ct", ct("1", 100.0), ct("2", 96.0), totals=dlp(204.0))],
        {"dlp_mgy_cm": 204.0},
        set(),
    ),
    "a total to this point is not held against the events": (
        [
            source("a", "ct", ct("1", 100.0), ct("2", 96.0), totals=dlp(100.0),
                   scope_of_accumulation="Procedure Step To This Point")
        ],
        {"dlp_mgy_cm": 196.0},
        set(),
    ),
    "an activity of a unit slip is doubted and stays": (
        [source("a", "radiopharmaceutical", {"administered_activity_mbq": 370_000.0, "radionuclide_code": F_SCT})],
        {"administered_activity_mbq": 370_000.0},
        {"administered_activity_mbq:implausible"},
    ),
    "a DLP that does not fit CTDIvol and length is doubted": (
        [source("a", "ct", ct("1", 950.0, mean_ctdi_vol_mgy=10.0, scanning_length_mm=300.0,
                              irradiation_event_type="Spiral Acquisition"))],
        {"dlp_mgy_cm": 950.0, "ctdi_vol_max_mgy": 10.0},
        {"dlp_mgy_cm:inconsistent", "ctdi_vol_max_mgy:inconsistent"},
    ),
    "a stationary acquisition has no length to multiply": (
        [source("a", "ct", ct("1", 950.0, mean_ctdi_vol_mgy=10.0, scanning_length_mm=10.0,
                              irradiation_event_type="Stationary Acquisition"))],
        {"dlp_mgy_cm": 950.0, "ctdi_vol_max_mgy": 10.0},
        set(),
    ),
    "a total that stands for unknown loses, and is doubted": (
        [source("a", "ct", ct("1", 100.0), totals=dlp(-99999.0))],
        {"dlp_mgy_cm": 100.0},
        {"dlp_mgy_cm:implausible", "dlp_mgy_cm:total_differs", "dlp_body_mgy_cm:total_differs"},
    ),
    "a doubtful area product does not hide a good dose at the reference point": (
        [source("a", "projection", xa("1", 1e9, dose_rp_gy=0.05))],
        {"dose_area_product_gy_m2": 1e9, "dose_rp_gy": 0.05},
        {"dose_area_product_gy_m2:implausible"},
    ),
    "a total that one of two reports lacks does not win": (
        [source("a", "ct", ct("1", 100.0), totals=dlp(100.0)), source("b", "ct", ct("2", 200.0))],
        {"dlp_mgy_cm": 300.0},
        set(),
    ),
    "two events of one UID in one report are two, and doubted": (
        [source("a", "ct", ct("1", 100.0), ct("1", 200.0))],
        {"dlp_mgy_cm": 300.0},
        {f"{name}:event_uid_repeated" for name in ("dlp_mgy_cm", "dlp_head_mgy_cm", "dlp_body_mgy_cm")},
    ),
    "of a corrected report the later version counts": (
        [
            source("z", "ct", ct("1", 900.0), totals=dlp(900.0)),
            source("a", "ct", ct("1", 90.0), totals=dlp(90.0), predecessor_sop_instance_uids=["z"]),
        ],
        {"dlp_mgy_cm": 90.0},
        set(),
    ),
    "what a correction leaves out is not known by a report that is no version of it": (
        [
            source("a", "mammography", breast("1", 2.5), content_date_time="20261120100000"),
            source("b", "mammography", breast("1", None), predecessor_sop_instance_uids=["a"]),
            source("c", "mammography", breast("1", 3.25), content_date_time="20261120110000"),
        ],
        {"glandular_dose_left_mgy": 3.25},
        {"glandular_dose_left_mgy:reports_disagree"},
    ),
    "nor where events are told apart by their instants alone": (
        [
            source("a", "projection", xa(None, 2e-4, **FLUOROSCOPY_AT_NINE, irradiation_duration_s=30.0)),
            source("b", "projection", xa(None, 1e-4, **FLUOROSCOPY_AT_NINE), predecessor_sop_instance_uids=["a"]),
            source("c", "projection", xa(None, 1e-4, **FLUOROSCOPY_AT_NINE, irradiation_duration_s=40.0), day=1),
        ],
        {"dose_area_product_gy_m2": 1e-4, "total_fluoro_time_s": 40.0},
        {"total_fluoro_time_s:reports_disagree"},
    ),
    "of two that disagree the later counts, and it is said": (
        [
            source("z", "ct", ct("1", 900.0), totals=dlp(900.0), content_date_time="20261120100000"),
            source("a", "ct", ct("1", 90.0), totals=dlp(90.0), content_date_time="20261120110000"),
        ],
        {"dlp_mgy_cm": 90.0},
        {"dlp_mgy_cm:reports_disagree", "dlp_body_mgy_cm:reports_disagree"},
    ),
    "sent again under new event UIDs it counts once": (
        [
            source(n, "projection", xa(n, 1e-5, date_time_started="20261120101500.2"),
                   totals={"dose_area_product_total_gy_m2": 1e-5}, day=day)
            for day, n in enumerate("ab")
        ],
        {"dose_area_product_gy_m2": 1e-5},
        set(),
    ),
    "totals only, sent again, count once": (
        [
            source(n, "projection", totals={"dose_area_product_total_gy_m2": 1e-5, "dose_rp_total_gy": 0.1},
                   start_of_x_ray_irradiation="20261120101500")
            for n in "ab"
        ],
        {"dose_area_product_gy_m2": 1e-5, "dose_rp_gy": 0.1},
        set(),
    ),
    "totals of two runs add": (
        [
            source(n, "projection", totals={"dose_area_product_total_gy_m2": 1e-5},
                   start_of_x_ray_irradiation=f"20261120{hour}1500")
            for n, hour in (("a", "10"), ("b", "11"))
        ],
        {"dose_area_product_gy_m2": 2e-5},
        set(),
    ),
    "another device is not superseded by a report": (
        [
            source("xa", "projection", xa("1", 2e-5), totals={"dose_area_product_total_gy_m2": 2e-5}),
            source("dx", "projection", xa(None, 5e-6, date_time_started="20261120120000"), header=True, device="D2"),
            source("own", "projection", xa(None, 2e-5, date_time_started="20261120101500"), header=True),
        ],
        {"dose_area_product_gy_m2": 2.5e-5},
        set(),
    ),
    "an exposure that the report does not have counts beside it": (
        [
            source("xa", "projection", xa("1", 2e-5), totals={"dose_area_product_total_gy_m2": 2e-5}),
            source("dx", "projection", xa("2", 5e-6, date_time_started="20261120120000"), header=True),
        ],
        {"dose_area_product_gy_m2": 2.5e-5},
        set(),
    ),
    "head and body stand together as reported, and apart": (
        [source("a", "ct", ct("1", 900.0, HEAD), ct("2", 400.0), totals=dlp(1300.0))],
        {"dlp_mgy_cm": 1300.0, "dlp_head_mgy_cm": 900.0, "dlp_body_mgy_cm": 400.0},
        {"dlp_mgy_cm:phantoms_mixed"},
    ),
    "a localizer of the other phantom is no reason to doubt a reported total": (
        [
            source("a", "ct", ct("1", 5.0, irradiation_event_type="Constant Angle Acquisition"), ct("2", 900.0, HEAD),
                   totals=dlp(905.0))
        ],
        {"dlp_mgy_cm": 905.0, "dlp_head_mgy_cm": 900.0, "dlp_body_mgy_cm": 5.0},
        set(),
    ),
    "without a total head and body are not added": (
        [source("a", "ct", ct("1", 900.0, HEAD), ct("2", 400.0))],
        {"dlp_mgy_cm": None, "dlp_head_mgy_cm": 900.0, "dlp_body_mgy_cm": 400.0},
        {"dlp_mgy_cm:phantoms_mixed"},
    ),
    "sub-totals say the phantoms where there are no events": (
        [
            source("a", "ct", totals=dlp(1300.0) | {"dlp_subtotals": [
                {"dlp_mgy_cm": 900.0, "ctdiw_phantom_type": HEAD}, {"dlp_mgy_cm": 400.0, "ctdiw_phantom_type": BODY}]})
        ],
        {"dlp_mgy_cm": 1300.0, "dlp_head_mgy_cm": 900.0, "dlp_body_mgy_cm": 400.0},
        {"dlp_mgy_cm:phantoms_mixed"},
    ),
    "two CT doses of one event go to their phantoms": (
        [
            source("a", "ct", {"irradiation_event_uid": "1", "ct_doses": [
                {"dlp_mgy_cm": 300.0, "ctdiw_phantom_type": HEAD}, {"dlp_mgy_cm": 100.0, "ctdiw_phantom_type": BODY}]})
        ],
        {"dlp_mgy_cm": None, "dlp_head_mgy_cm": 300.0, "dlp_body_mgy_cm": 100.0},
        {"dlp_mgy_cm:phantoms_mixed"},
    ),
    "DAP of planes adds, the dose at the reference point is that of one": (
        [
            source("a", "projection", totals={
                "dose_area_product_total_gy_m2": 3e-3, "dose_rp_total_gy": 0.5,
                "planes": [{"acquisition_plane": "Plane A", "dose_rp_total_gy": 0.3},
                           {"acquisition_plane": "Plane B", "dose_rp_total_gy": 0.2}]})
        ],
        {"dose_area_product_gy_m2": 3e-3, "dose_rp_gy": 0.3},
        set(),
    ),
    "the X-ray sources of an Enhanced report are planes": (
        [
            source("e", "projection", *(
                {"irradiation_event_uid": uid, "x_ray_source_identification": name, "dose_area_product_gy_m2": dap,
                 "dose_rp_gy": rp} for uid, name, dap, rp in (("1", "A", 1e-3, 0.5), ("2", "B", 2e-3, 0.7))),
                totals={"x_ray_source_identification": "A and B", "dose_area_product_total_gy_m2": 3e-3})
        ],
        {"dose_area_product_gy_m2": 3e-3, "dose_rp_gy": 0.7},
        set(),
    ),
    "a dose report beside an Enhanced one of the same events by instants, planes and sources named": (
        [
            source("sr", "projection", *(xa(None, dap, plane, rp, date_time_started=f"202611201{n}1500")
                for n, (dap, plane, rp) in enumerate(((1e-3, "Plane A", 0.5), (2e-3, "Plane B", 0.7))))),
            source("e", "projection", *(
                {"date_time_started": f"202611201{n}1500", "x_ray_source_identification": name,
                 "dose_area_product_gy_m2": dap, "dose_rp_gy": rp}
                for n, (name, dap, rp) in enumerate((("A", 1e-3, 0.5), ("B", 2e-3, 0.7))))),
        ],
        {"dose_area_product_gy_m2": 3e-3, "dose_rp_gy": 0.7},
        set(),
    ),
    "the only X-ray source of an Enhanced report is the single plane of the other report": (
        [
            source("sr", "projection", xa(None, 1e-3, "Single Plane", 0.5, date_time_started="20261120101500")),
            source("e", "projection", {"date_time_started": "20261120101500", "x_ray_source_identification": "A",
                                       "dose_area_product_gy_m2": 1e-3, "dose_rp_gy": 0.5}),
        ],
        {"dose_area_product_gy_m2": 1e-3, "dose_rp_gy": 0.5},
        set(),
    ),
    "an image without a time, of an event whose dose only the earlier of two reports tells": (
        [
            source("a", "projection", xa(None, 1e-3, rp=0.5, date_time_started="20261120101500")),
            source("b", "projection", {"dose_rp_gy": 0.5, "date_time_started": "20261120101500"}, day=1),
            source("i", "projection", {"dose_area_product_gy_m2": 1e-3}, header=True),
        ],
        {"dose_area_product_gy_m2": 1e-3, "dose_rp_gy": 0.5},
        set(),
    ),
    "of two images of one injection the one without a time goes with the other, not with a report in UTC": (
        [
            source("r", "radiopharmaceutical", given(None, F_SRT, start="20260302013916+0000")),
            source("i", "radiopharmaceutical", given(200.0, F_SCT, acquired="20260302113916"), header=True),
            source("j", "radiopharmaceutical",
                   given(200.0, F_SCT, start_time="103928", acquired="20260302113916"), header=True),
        ],
        {"administered_activity_mbq": 200.0},
        {"administered_activity_mbq:partial_total"},
    ),
    "a corrected report and its correction, to both of which Orthanc gave new UIDs": (
        [
            replace(source("a1", "ct", ct("1", 130.0)), former_uids=frozenset({"a"})),
            source("b1", "ct", ct("1", 100.0), day=1, predecessor_sop_instance_uids=["a"]),
        ],
        {"dlp_mgy_cm": 100.0},
        set(),
    ),
    "mammograms alone add by breast": (
        [
            source(n, "mammography", {"average_glandular_dose_mgy": dose, "laterality": side,
                                      "date_time_started": f"2026112010{n}00"}, header=True)
            for n, side, dose in (("10", "L", 1.5), ("11", "L", 1.25), ("12", "R", 2.0))
        ],
        {"glandular_dose_left_mgy": 2.75, "glandular_dose_right_mgy": 2.0},
        set(),
    ),
    "acquisitions with one number in two series are two, and the greatest CTDIvol counts": (
        [
            source(n, "ct", {"mean_ctdi_vol_mgy": dose, "acquisition_number": 2.0}, header=True, series=series)
            for n, series, dose in (("a", "s1", 10.0), ("b", "s1", 8.0), ("c", "s2", 40.0))
        ],
        {"ctdi_vol_max_mgy": 40.0},
        set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_best_known_dose(name: str) -> None:
    sources, best, doubts = CASES[name]
    decision = decide_exam(sources)
    assert {quantity: decision.best.get(quantity) for quantity in best} == pytest.approx(best)
    assert {f"{doubt.quantity}:{doubt.name}" for doubt in decision.doubts} == doubts
    assert decide_exam(list(reversed(sources))) == decision


def test_ct_acquisitions_of_one_number_in_two_series_are_counted_apart() -> None:
    sources, _, _ = CASES["acquisitions with one number in two series are two, and the greatest CTDIvol counts"]
    assert len(decide_exam(sources).events) == 2


def test_each_origin_is_said() -> None:
    sources = [
        source("a", "ct", ct("1", 100.0), totals=dlp(100.0)),
        source("m", "mammography", {"average_glandular_dose_mgy": 1.0, "laterality": "L"}, header=True, device="D2"),
        source("x", "projection", xa("2", 1e-5), {"irradiation_event_uid": "3"}, device="D3"),
        source("n", "radiopharmaceutical", given(100.0)),
    ]
    origin = decide_exam(sources).origin
    assert origin["dlp_mgy_cm"] == "reported"
    assert origin["administered_activity_mbq"] == "events"
    assert origin["glandular_dose_left_mgy"] == "headers"
    assert origin["dose_area_product_gy_m2"] == "partial"


def test_what_lives_on_elsewhere_is_taken_out_and_what_is_left_is_added() -> None:
    report = source("a", "ct", ct("1", 100.0), ct("2", 200.0), totals=dlp(300.0))
    some = decide_exam([report], Elsewhere(event_uids={"2": "other"}))
    assert (some.best["dlp_mgy_cm"], some.origin["dlp_mgy_cm"], some.replaced_by) == (100.0, "events", None)
    everything = decide_exam([report], Elsewhere(sources={"a": "other"}))
    assert (everything.best["dlp_mgy_cm"], everything.replaced_by) == (300.0, "other")
    assert everything.rules == (Rule.ELSEWHERE,)


@pytest.mark.parametrize(
    ("first", "second", "seconds", "is_shifted"),
    [
        ("20261120101500", "20261120101500.4", 0.4, False),
        ("20261120101500+0900", "20261120011500+0000", 0.0, False),
        ("20261120011512+0000", "20261120101500", 12.0, True),
        ("20261120101500+0900", "20261120101503", 3.0, False),
        ("202611201015", "20261120101559", 0.0, False),
        ("20261120101500", "20261121101500", 86_400.0, False),
    ],
)
def test_instants_are_compared_as_far_as_both_tell(first: str, second: str, seconds: float, is_shifted: bool) -> None:
    one, other = instant_of(first), instant_of(second)
    assert one is not None
    assert other is not None
    assert (gap(one, other).seconds, gap(one, other).is_shifted) == (pytest.approx(seconds, abs=0.001), is_shifted)


def test_a_day_alone_is_no_instant() -> None:
    assert instant_of("20261120") is None
    assert instant_of("20261131101500") is None


@pytest.mark.parametrize("words", ["F-18", "18F", "^18^Fluorine", "F^18^", "Fluorine 18", "Fluorodeoxyglucose F^18^"])
def test_a_nuclide_has_one_name_whatever_its_spelling(words: str) -> None:
    assert nuclide_of(None, words) == nuclide_of(F_SCT) == nuclide_of(F_SRT) == "F-18"
