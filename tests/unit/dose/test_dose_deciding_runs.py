"""Headers of runs beside a dose report of the same device never add to it, with event UIDs and without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pydicom import Dataset

from tests.dose_builder import code, coded, container, ct_acquisition, ct_dose_report, named, num, report, uidref
from tests.dose_image_builder import (
    BREAST_TOMOSYNTHESIS,
    ENHANCED_CT,
    ENHANCED_XA,
    SECONDARY_CAPTURE,
    XA,
    ct_frame,
    enhanced_image,
    image,
    item,
    projection_image,
)
from treegarth.features.dose.reading import read_dose
from treegarth.features.dose.registry.candidates import source_of
from treegarth.features.dose.registry.decision import (
    Device,
    ExamDecision,
    SourceFacts,
    decide_exam,
    event_facts,
    report_facts,
)
from treegarth.features.dose.registry.rules import Rule

RUNS = (("1.9.1", "20240229101500", "0.00002"), ("1.9.2", "20240229101730", "0.00003"))


def decide(*datasets: Dataset) -> ExamDecision:
    """What the objects of one study make, in any order."""
    facts = [_facts(dataset) for dataset in datasets]
    decision = decide_exam(facts)
    assert decide_exam(list(reversed(facts))) == decision
    return decision


def _facts(dataset: Dataset) -> SourceFacts:
    reading = read_dose(dataset)
    assert reading.kind is not None
    device = reading.equipment
    return SourceFacts(
        orthanc_instance_id=str(dataset.SOPInstanceUID),
        sop_instance_uid=str(dataset.SOPInstanceUID),
        kind=reading.kind,
        source=source_of(reading.sop_class_uid, reading.kind),
        device=Device(manufacturer=device.manufacturer, serial=device.device_serial_number),
        series=str(dataset.SeriesInstanceUID),
        totals=reading.totals,
        events=tuple(event_facts(reading.kind, one, n) for n, one in enumerate(reading.irradiation_events, start=1)),
        **report_facts(reading.report),
    )


def moment(concept: str, value: str) -> Dataset:
    found = named("DATETIME", concept)
    found.DateTime = value
    return found


def dose_report(runs: Sequence[tuple[str, str, str]] = RUNS, *, planes: Sequence[str] = (), total: str = "0.00005",
                **header: str) -> Dataset:  # fmt: skip
    """Of a fluoroscopy and a run, or of one run in each plane."""
    events = [
        container(
            "113706", coded("113764", code(planes[n] if planes else "113622")), uidref("113769", uid),
            moment("111526", began), num("122130", dose, "Gy.m2"), num("113738", "0.01", "Gy"),
        )
        for n, (uid, began, dose) in enumerate(runs)
    ]  # fmt: skip
    found = report(container("113702", num("113722", total, "Gy.m2")), *events, sop_instance_uid="1.2.3.1")
    for keyword, value in header.items():
        setattr(found, keyword, value)
    return found


def run(number: int, *, uid: str | None, began: str | None, dose: str, **header: Any) -> Dataset:
    """One run's image; the dose in dGy·cm²."""
    told = {"IrradiationEventUID": uid, "ImageAndFluoroscopyAreaDoseProduct": dose, "RadiationSetting": "GR"}
    return projection_image(XA, f"1.2.3.{number}", began=began or "", **(told | header))


@pytest.mark.parametrize("with_uids", [True, False], ids=["event UIDs", "no event UIDs"])
@pytest.mark.parametrize("times", ["the same", "seconds later", "others", "none"])
def test_headers_of_runs_are_superseded_by_the_report_of_their_device(with_uids: bool, times: str) -> None:
    began = {
        "the same": ("20240229101500", "20240229101730"), "seconds later": ("20240229101503", "20240229101734"),
        "others": ("20240229102500", "20240229102730"), "none": (None, None),
    }[times]  # fmt: skip
    runs = [
        run(n + 2, uid=uid if with_uids else None, began=began[n], dose=dose)
        for n, (uid, dose) in enumerate((("1.9.1", "2"), ("1.9.2", "3")))
    ]
    decision = decide(dose_report(), *runs)
    assert decision.best["dose_area_product_gy_m2"] == pytest.approx(5e-5)
    assert decision.origin["dose_area_product_gy_m2"] == "reported"
    assert (len(decision.events), decision.counted, decision.doubts) == (2, ("1.2.3.1",), ())
    assert {one.rule for one in decision.decisions if not one.counted} == {Rule.SUPERSEDED}


@pytest.mark.parametrize("with_uids", [True, False], ids=["event UIDs", "no event UIDs"])
def test_an_enhanced_run_is_superseded_too(with_uids: bool) -> None:
    told = {"IrradiationEventUID": "1.9.1"} if with_uids else {}
    enhanced = enhanced_image(ENHANCED_XA, "1.2.3.2", KVP=70.0, AcquiredImageAreaDoseProduct=2.0, **told)
    decision = decide(dose_report(), enhanced)
    assert decision.best["dose_area_product_gy_m2"] == pytest.approx(5e-5)
    assert (len(decision.events), decision.counted, decision.doubts) == (2, ("1.2.3.1",), ())


@pytest.mark.parametrize("with_uids", [True, False], ids=["event UIDs", "no event UIDs"])
def test_the_two_images_of_a_biplane_run_are_superseded_each_by_its_plane(with_uids: bool) -> None:
    planes, began = ("113620", "113621"), "20240229101500"
    both = [
        run(n + 2, uid=f"1.9.{n + 1}" if with_uids else None, began=began, dose=dose,
            ImageType=["ORIGINAL", "PRIMARY", plane])
        for n, (plane, dose) in enumerate((("BIPLANE A", "2"), ("BIPLANE B", "3")))
    ]  # fmt: skip
    told = [(uid, began, dose) for uid, _, dose in RUNS]
    decision = decide(dose_report(told, planes=planes), *both)
    assert decision.best["dose_area_product_gy_m2"] == pytest.approx(5e-5)
    assert (len(decision.events), decision.counted) == (2, ("1.2.3.1",))
    alone = decide(*both)
    assert alone.best["dose_area_product_gy_m2"] == pytest.approx(5e-5)
    assert len(alone.events) == 2


def test_runs_without_a_report_are_added_and_a_copy_of_one_is_not() -> None:
    runs = [run(n, uid=None, began=f"202402291015{n}0", dose="2") for n in (2, 3)]
    copy = run(4, uid=None, began="20240229101520", dose="2", ImageType=["DERIVED", "SECONDARY", "SINGLE PLANE"])
    decision = decide(*runs, copy)
    assert decision.best["dose_area_product_gy_m2"] == pytest.approx(4e-5)
    assert decision.origin["dose_area_product_gy_m2"] == "headers"


def test_a_run_of_another_device_is_added_to_the_report() -> None:
    report_of_one = dose_report(DeviceSerialNumber="1")
    run_of_another = run(2, uid=None, began="20240229101500", dose="2", DeviceSerialNumber="2")
    assert decide(report_of_one, run_of_another).best["dose_area_product_gy_m2"] == pytest.approx(7e-5)


def test_stored_fluoroscopy_leaves_the_fluoroscopy_time_of_the_report_alone() -> None:
    told = dose_report()
    told.ContentSequence[0].ContentSequence.append(num("113730", "90", "s"))
    stored = run(2, uid=None, began="20240229101500", dose="2", RadiationSetting="SC")
    decision = decide(told, stored)
    assert (decision.best["total_fluoro_time_s"], decision.doubts) == (90.0, ())


@pytest.mark.parametrize("event", ["1.9.1", None])
def test_an_enhanced_ct_is_superseded_by_the_report_of_its_device(event: str | None) -> None:
    frames = [ct_frame(value, event=event) for value in (8.0, 8.2, 7.5)]
    decision = decide(ct_dose_report(ct_acquisition("1.9.1")), enhanced_image(ENHANCED_CT, "1.2.3.2", *frames))
    assert (decision.best["ctdi_vol_max_mgy"], decision.best["dlp_mgy_cm"]) == (8.2, 310.5)
    assert (len(decision.events), decision.doubts) == (1, ())


def test_two_reconstructions_of_one_scan_are_one_event_and_nothing_was_sampled() -> None:
    frames = [ct_frame(value, event="1.9.1") for value in (8.0, 12.0)]
    decision = decide(*(enhanced_image(ENHANCED_CT, f"1.2.3.{n}", *frames) for n in (2, 3)))
    assert (decision.best["ctdi_vol_max_mgy"], len(decision.events), decision.doubts) == (12.0, 1, ())


def test_slices_of_one_tomosynthesis_and_its_captured_projections_are_one_exposure() -> None:
    acquisition = item(KVP="29", OrganDose="0.018")
    shared = item(FrameAnatomySequence=[item(FrameLaterality="L")])
    slices = enhanced_image(
        BREAST_TOMOSYNTHESIS, "1.2.3.2", shared=shared, XRay3DAcquisitionSequence=[acquisition],
        SourceIrradiationEventSequence=[item(IrradiationEventUID="1.9.1")],
    )  # fmt: skip
    projections = image(
        SECONDARY_CAPTURE, "1.2.3.3", Modality="MG", ImageType=["ORIGINAL", "PRIMARY"], KVP="29", OrganDose="0.018",
        IrradiationEventUID="1.9.1", ImageLaterality="L",
    )  # fmt: skip
    decision = decide(slices, projections)
    assert decision.best["glandular_dose_left_mgy"] == pytest.approx(1.8)
    assert {one.rule for one in decision.decisions if not one.counted} == {Rule.SAME_EXPOSURE}
