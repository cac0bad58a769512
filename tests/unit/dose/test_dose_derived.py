"""What is derived of an exam is what its formula and the cited coefficients say, or there is none and it says why."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st

from tests import conformance
from tests.unit.dose.test_dose_deciding_cases import BODY, F_SCT, F_SRT, HEAD, TC, ct, dlp, given, source
from treegarth.dicom.ages import age_in_years
from treegarth.features.dose.analysis.derived import Coefficient, Coefficients, Found, Missing, Patient, derive, shipped
from treegarth.features.dose.analysis.derived.administrations import decayed
from treegarth.features.dose.analysis.derived.ages import AGE_GROUPS, age_group
from treegarth.features.dose.analysis.derived.coefficients import TITLES, UNITS
from treegarth.features.dose.analysis.derived.files import rows_of
from treegarth.features.dose.analysis.derived.regions import REGIONS, region_of
from treegarth.features.dose.analysis.store.derived import WRITTEN
from treegarth.features.dose.quantities import DERIVED
from treegarth.features.dose.reading import read_dose_stream
from treegarth.features.dose.registry.candidates import source_of
from treegarth.features.dose.registry.decision import SourceFacts, decide_exam, event_facts, report_facts
from treegarth.features.dose.registry.decision.nuclides import ELEMENTS

CHEST = {"code": "816094009", "scheme": "SCT", "meaning": "Chest"}
SKULL = {"code": "89546000", "scheme": "SCT", "meaning": "Skull"}
ABDOMEN_SRT = {"code": "T-D4000", "scheme": "SRT", "meaning": "Abdomen"}
WHOLE_BODY = {"code": "38266002", "scheme": "SCT", "meaning": "Entire body"}
FDG = {"code": "35321007", "scheme": "SCT", "meaning": "Fluorodeoxyglucose F^18^"}
FDG_SRT = {"code": "C-B1031", "scheme": "SRT", "meaning": "Fluorodeoxyglucose F^18^"}
ADULT = Patient(age_years=63.0, weight_kg=80.0)


def derived(*sources: SourceFacts, patient: Patient = ADULT, own: tuple[Coefficient, ...] = ()) -> dict[str, Any]:
    """By quantity: the value, or the reason for which there is none."""
    found = derive(decide_exam(sources), patient, Coefficients(own))
    return {one.quantity: one.value if isinstance(one, Found) else str(one.reason) for one in found}


def fdg(activity: float | None = 394.0, **more: Any) -> dict[str, Any]:
    return given(activity, F_SCT, **({"agent_code": FDG} | more))


def test_fdg_of_394_mbq_is_7_486_msv() -> None:
    for agent in (FDG, FDG_SRT):
        found = derived(source("sr", "radiopharmaceutical", fdg(agent_code=agent)))
        assert found["effective_dose_nm_msv"] == pytest.approx(7.486, rel=1e-12)
        assert found["activity_per_weight_mbq_per_kg"] == pytest.approx(394 / 80)


def test_ct_is_summed_event_by_event_each_by_its_region_and_phantom() -> None:
    scans = [
        ct("1", 400.0, BODY, target_region_code=CHEST),
        ct("2", 600.0, BODY, target_region_code=ABDOMEN_SRT),
        ct("3", 1000.0, HEAD, target_region_code=SKULL),
    ]
    found = derived(source("sr", "ct", *scans))
    assert found == {"effective_dose_ct_msv": pytest.approx(400 * 0.014 + 600 * 0.015 + 1000 * 0.0021)}


@pytest.mark.parametrize(
    ("events", "patient", "reason"),
    [
        ([ct("1", 400.0, BODY)], ADULT, "Event 1 tells no region of the body."),
        (
            [ct("1", 400.0, BODY, target_region_code=CHEST), ct("2", 5.0, BODY)],
            ADULT,
            "Event 2 tells no region of the body.",
        ),
        ([ct("1", 400.0, BODY, target_region_code=CHEST)], Patient(), "The age of the patient is not known."),
        ([ct("1", 400.0, None, target_region_code=CHEST)], ADULT, "Event 1 names no dosimetry phantom."),
        (
            [ct("1", 400.0, HEAD, target_region_code=CHEST)],
            ADULT,
            "Event 1 (Chest): the coefficient refers to the 32 cm phantom, the DLP to that of 16 cm.",
        ),
        (
            [ct("1", 400.0, BODY, target_region_code=CHEST)],
            Patient(age_years=5.0),
            "Event 1 (Chest): the coefficient refers to the 16 cm phantom, the DLP to that of 32 cm.",
        ),
        (
            [ct("1", 400.0, BODY, target_region_code=WHOLE_BODY)],
            ADULT,
            "Event 1: there is no coefficient for this region (Entire body) and age group (adult).",
        ),
        (
            [ct("1", 400.0, BODY, target_region_code=CHEST)],
            Patient(age_years=16.0),
            "Event 1: there is no coefficient for this region (Chest) and age group (15).",
        ),
        (
            [ct("1", None, BODY, target_region_code=CHEST, mean_ctdi_vol_mgy=3.0)],
            ADULT,
            "Event 1 tells no DLP.",
        ),
    ],
)
def test_ct_without_an_input_has_none_and_says_which(
    events: list[dict[str, Any]], patient: Patient, reason: str
) -> None:
    assert derived(source("sr", "ct", *events), patient=patient) == {"effective_dose_ct_msv": reason}


def test_a_report_that_lists_no_event_has_none() -> None:
    found = derived(source("sr", "ct", totals=dlp(300.0)))
    assert found == {"effective_dose_ct_msv": "No irradiation event tells where the dose was given."}


def test_a_localizer_without_dose_is_no_gap() -> None:
    scout = ct("1", None, None, irradiation_event_type="Constant Angle Acquisition")
    found = derived(source("sr", "ct", scout, ct("2", 100.0, BODY, target_region_code=CHEST)))
    assert found["effective_dose_ct_msv"] == pytest.approx(1.4)


SCOUT = {"irradiation_event_type": "Constant Angle Acquisition"}


@pytest.mark.parametrize(
    "scout",
    [
        ct("1", 6.0, BODY, target_region_code=SKULL, **SCOUT),
        ct("1", 6.0, BODY, **SCOUT),
        ct("1", 6.0, None, target_region_code=SKULL, **SCOUT),
    ],
)
def test_a_localizer_of_the_other_phantom_is_left_out_and_named(scout: dict[str, Any]) -> None:
    head = ct("2", 900.0, HEAD, target_region_code=SKULL)
    (found,) = derive(decide_exam([source("sr", "ct", scout, head)]), ADULT, Coefficients())
    assert isinstance(found, Found)
    assert found.value == pytest.approx(900 * 0.0021)
    scan, localizer = found.lines
    assert (scan.is_left_out, localizer.is_left_out, localizer.inputs[0].value) == (False, True, 6.0)


def test_localizers_of_more_than_a_twentieth_are_not_left_out() -> None:
    scout = ct("1", 46.0, BODY, target_region_code=SKULL, **SCOUT)
    found = derived(source("sr", "ct", scout, ct("2", 900.0, HEAD, target_region_code=SKULL)))
    reason = "Event 1 (Skull): the coefficient refers to the 16 cm phantom, the DLP to that of 32 cm."
    assert found == {"effective_dose_ct_msv": reason}
    assert derived(source("sr", "ct", scout)) == {"effective_dose_ct_msv": reason}


def test_a_localizer_with_a_coefficient_counts() -> None:
    scout = ct("1", 6.0, HEAD, target_region_code=SKULL, **SCOUT)
    found = derived(source("sr", "ct", scout, ct("2", 900.0, HEAD, target_region_code=SKULL)))
    assert found["effective_dose_ct_msv"] == pytest.approx(906 * 0.0021)


def test_a_doubted_dose_makes_a_doubted_one_of_it() -> None:
    scan = ct("1", 400.0, BODY, target_region_code=CHEST)
    (found,) = derive(decide_exam([source("sr", "ct", scan, totals=dlp(900.0))]), ADULT, Coefficients())
    assert isinstance(found, Found)
    assert found.is_doubted
    (right,) = derive(decide_exam([source("sr", "ct", scan, totals=dlp(400.0))]), ADULT, Coefficients())
    assert isinstance(right, Found)
    assert not right.is_doubted


def test_both_phantoms_in_one_exam_are_no_doubt_of_what_is_reckoned_event_by_event() -> None:
    scans = [ct("1", 400.0, BODY, target_region_code=CHEST), ct("2", 900.0, HEAD, target_region_code=SKULL)]
    decision = decide_exam([source("sr", "ct", *scans)])
    assert {one.name for one in decision.doubts} == {"phantoms_mixed"}
    (found,) = derive(decision, ADULT, Coefficients())
    assert isinstance(found, Found)
    assert not found.is_doubted


def test_the_activity_at_the_scan_is_what_decay_left_by_the_image_s_own_clocks() -> None:
    image = fdg(
        400.0, start="20261120100000", radionuclide_half_life_s=6586.2, acquired="20261120114946.2",
        series_started="20261120114946.2",
    )  # fmt: skip
    found = derived(source("pt", "radiopharmaceutical", image, header=True))
    assert found["activity_at_scan_mbq"] == pytest.approx(200.0)  # one half-life: 6,586.2 s


def test_the_scan_began_when_its_series_did() -> None:
    late = fdg(400.0, start="20261120100000", acquired="20261120120000", series_started="20261120114946.2")
    found = derived(source("pt", "radiopharmaceutical", late, header=True))
    assert found["activity_at_scan_mbq"] == pytest.approx(200.0)


def test_the_report_s_time_of_injection_goes_before_the_image_s() -> None:
    found = derived(
        source("sr", "radiopharmaceutical", fdg(start="20261120104030")),
        source("pt", "radiopharmaceutical", fdg(start_time="104830", acquired="20261120124030"), header=True),
    )
    assert found["activity_at_scan_mbq"] == pytest.approx(394.0 * 2 ** (-7200 / 6586.2))


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"start": "20261120130000", "acquired": "20261120120000"},
         "By its clocks the scan began before the administration."),
        ({"start": "20261118120000", "acquired": "20261120120000"},
         "By its clocks the scan began more than ten half-lives after the administration."),
        ({"start": "20261120100000"}, "No image tells when the scan began."),
        ({"acquired": "20261120100000"}, "Nothing tells when the radiopharmaceutical was given."),
        ({"start": "20261120100000+0900", "acquired": "20261120110000"},
         "One of the two clocks, of the administration and of the scan, tells no time zone."),
        ({"start": "20261120100000", "acquired": "20261120110000", "radionuclide_half_life_s": 109.77},
         "The half-life that the object tells (109.77 s) is not that of F-18."),
    ],
)  # fmt: skip
def test_clocks_that_cannot_be_believed_give_no_activity(told: dict[str, Any], reason: str) -> None:
    found = derived(source("pt", "radiopharmaceutical", fdg(**told), header=True))
    assert found["activity_at_scan_mbq"] == reason


def test_zones_are_reckoned_with() -> None:
    told = fdg(400.0, start="20261120100000+0900", acquired="20261120024946.2+0000")
    assert derived(source("pt", "radiopharmaceutical", told, header=True))["activity_at_scan_mbq"] == pytest.approx(200)


def test_what_was_given_without_a_code_or_to_a_child_has_no_dose() -> None:
    words = given(394.0, F_SRT, radiopharmaceutical="FDG")
    found = derived(source("pt", "radiopharmaceutical", words, header=True))
    assert found["effective_dose_nm_msv"] == "No code tells which radiopharmaceutical was given."
    child = derived(source("sr", "radiopharmaceutical", fdg()), patient=Patient(age_years=3.0, weight_kg=15.0))
    assert child["effective_dose_nm_msv"] == (
        "There is no coefficient for Fluorodeoxyglucose F^18^ (SCT:35321007) and this age group (1)."
    )


def test_two_radionuclides_add_their_doses_and_not_their_activities() -> None:
    mdp = {"code": "96390006", "scheme": "SCT", "meaning": "Technetium Tc^99m^ medronate"}
    found = derived(
        source("a", "radiopharmaceutical", fdg(200.0)),
        source("b", "radiopharmaceutical", given(700.0, TC, agent_code=mdp), device="D2"),
    )
    assert found["effective_dose_nm_msv"] == pytest.approx(200 * 0.019 + 700 * 0.0057)
    assert found["activity_at_scan_mbq"] == "Several radionuclides were given: their activities are not added."
    assert found["activity_per_weight_mbq_per_kg"] == "No administered activity of one radionuclide is known."


def test_a_site_s_own_coefficient_stands_for_the_shipped_one() -> None:
    own = Coefficient(
        table="radiopharmaceutical", of="SCT:35321007", name="ours", age_group="adult", value=0.02, source="us",
        is_site=True,
    )  # fmt: skip
    sources = [source("sr", "radiopharmaceutical", fdg(100.0))]
    found = derive(decide_exam(sources), ADULT, Coefficients([own]))[0]
    assert isinstance(found, Found)
    assert (found.value, found.lines[0].source, found.lines[0].is_site) == (2.0, "us", True)


def test_numbers_that_nothing_can_hold_give_none() -> None:
    light = Patient(age_years=63.0, weight_kg=1e-308)
    found = derived(source("sr", "radiopharmaceutical", fdg(20_000.0)), patient=light)
    assert found["activity_per_weight_mbq_per_kg"] == "A number is too great or too small to be reckoned with."
    assert found["effective_dose_nm_msv"] == pytest.approx(380.0)


def test_what_counts_elsewhere_derives_nothing() -> None:
    assert derive(decide_exam([]), ADULT, Coefficients()) == []


@pytest.mark.parametrize(
    ("years", "group"),
    [(0.0, "0"), (0.05, "0"), (0.1, "1"), (3.99, "1"), (4.0, "5"), (9.9, "5"), (10.0, "10"), (13.9, "10"),
     (14.0, "15"), (17.9, "15"), (18.0, "adult"), (100.0, "adult")],
)  # fmt: skip
def test_age_groups_are_those_of_radiation_protection_185(years: float, group: str) -> None:
    assert age_group(years) == group


@pytest.mark.parametrize("one", shipped(), ids=lambda one: f"{one.table} {one.of} {one.age_group}")
def test_every_shipped_coefficient_has_its_citation(one: Coefficient) -> None:
    assert one.source.strip()
    assert (one.checked or "").strip()
    assert one.name.strip()
    assert math.isfinite(one.value)
    assert one.value > 0
    assert (one.phantom is not None) == (one.table == "ct")
    assert (one.age_group in AGE_GROUPS) == (one.table != "half_life")
    if one.table == "ct":
        assert one.of in REGIONS
    if one.table == "half_life":
        assert one.of.split("-")[0] in ELEMENTS.values()


def test_no_coefficient_is_given_twice_and_each_table_has_its_words() -> None:
    keys = [one.key for one in shipped()]
    assert len(keys) == len(set(keys))
    assert {one.table for one in shipped()} == {*UNITS} == {*TITLES}
    codes = [row["code"] for row in rows_of("regions.csv")]
    assert len(codes) == len(set(codes))
    assert {row["region"] for row in rows_of("regions.csv")} == {*REGIONS}


def test_regions_are_found_by_snomed_ct_and_by_what_srt_codes_stand_for() -> None:
    srt = {"T-D3000": "chest", "T-D4000": "abdomen_pelvis", "T-D6000": "abdomen_pelvis", "T-D1100": "head",
           "T-A0100": "head", "T-D1600": "neck", "R-FAB56": "trunk", "T-D0010": "whole_body"}  # fmt: skip
    assert {code: region_of({"code": code, "scheme": "SRT"}) for code in srt} == srt
    assert region_of(CHEST) == "chest"
    assert (region_of({"code": "816094009", "scheme": "99X"}), region_of(None)) == (None, None)


def test_what_is_written_is_in_the_table_of_quantities() -> None:
    assert {*WRITTEN} <= {*DERIVED}
    assert all(one.name.endswith(("_msv", "_mbq", "_mbq_per_kg", "_mgy")) for one in DERIVED.values())


@generated(
    activity=st.floats(0.01, 20_000), elapsed=st.floats(0, 1e5), more=st.floats(0, 1e5), half_life=st.floats(60, 1e7)
)
def test_decay_only_takes_away_and_two_waits_are_one(
    activity: float, elapsed: float, more: float, half_life: float
) -> None:
    left = decayed(activity, elapsed, half_life)
    assert 0 <= left <= activity
    assert decayed(left, more, half_life) == pytest.approx(
        decayed(activity, elapsed + more, half_life), rel=1e-9, abs=1e-12
    )
    assert decayed(activity, half_life, half_life) == pytest.approx(activity / 2)


@generated(doses=st.lists(st.floats(0.1, 5_000), min_size=1, max_size=8), factor=st.floats(0.1, 10))
def test_the_effective_dose_is_linear_in_the_dlp(doses: list[float], factor: float) -> None:
    def of(scale: float) -> float:
        scans = [ct(f"1.{n}", one * scale, BODY, target_region_code=CHEST) for n, one in enumerate(doses)]
        return float(derived(source("sr", "ct", *scans))["effective_dose_ct_msv"])

    assert of(1.0) == pytest.approx(0.014 * sum(doses))
    assert of(factor) == pytest.approx(factor * of(1.0))


REAL = {
    "CT-ESR-GE_Optima.dcm": {"effective_dose_ct_msv": 0.015 * 415.82},
    "CT-RDSR-Siemens-Continued-1.dcm": {"effective_dose_ct_msv": 0.014 * 60.17},
    "CT-RDSR-GEPixelMed.dcm": {"effective_dose_ct_msv": "Event 1 tells no region of the body."},
    "CT-SC-Philips_Brilliance16P.dcm": {"effective_dose_ct_msv": "The age of the patient is not known."},
    "NM-RRDSR-Siemens.dcm": {
        "effective_dose_nm_msv": 7.486,  # as the report itself says
        "activity_at_scan_mbq": "No image tells when the scan began.",
        "activity_per_weight_mbq_per_kg": 394 / 110,
    },
    "NM-PetIm-Siemens-2.dcm": {
        "effective_dose_nm_msv": 7.486,
        "activity_at_scan_mbq": 394 * 2 ** (-4050 / 6586.2),  # 10:48:30 to the series' 11:56:00
        "activity_per_weight_mbq_per_kg": 394 / 110,
    },
    "NM-NmIm-Siemens.dcm": {
        "effective_dose_nm_msv": "No code tells which radiopharmaceutical was given.",
        "activity_at_scan_mbq": "Nothing tells when the radiopharmaceutical was given.",
        "activity_per_weight_mbq_per_kg": "The weight of the patient is not known.",
    },
}


@pytest.mark.parametrize(
    "reference", [one for one in conformance.references() if one["file"] in REAL], ids=lambda r: r["file"]
)
def test_real_objects_derive_what_is_reckoned_by_hand(reference: dict[str, Any]) -> None:
    with conformance.path_of(reference).open("rb") as stream:
        reading = read_dose_stream(stream)
    assert reading.kind is not None
    events = [*reading.irradiation_events, *reading.administrations]
    facts = SourceFacts(
        orthanc_instance_id="one",
        sop_instance_uid="1.2",
        kind=reading.kind,
        source=source_of(reading.sop_class_uid, reading.kind),
        totals=reading.totals,
        events=tuple(event_facts(reading.kind, event, n) for n, event in enumerate(events, start=1)),
        **report_facts(reading.report),
    )
    told = reading.study
    age = age_in_years(told.patient_age, told.patient_birth_date, told.study_date)
    found = derived(facts, patient=Patient(age_years=age, weight_kg=told.patient_weight_kg))
    expected = REAL[reference["file"]]
    assert found == {name: one if isinstance(one, str) else pytest.approx(one) for name, one in expected.items()}


def test_a_reason_is_a_phrase_that_pages_translate() -> None:
    (missing,) = derive(decide_exam([source("sr", "ct", totals=dlp(300.0))]), ADULT, Coefficients())
    assert isinstance(missing, Missing)
    assert missing.reason.message == missing.reason
