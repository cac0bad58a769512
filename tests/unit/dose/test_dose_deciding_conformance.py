"""Real objects of many vendors make exams without a doubt, but for those that are named here and in docs/dose.md."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tests import conformance
from treegarth.features.dose.reading import read_dose_stream
from treegarth.features.dose.registry.candidates import source_of
from treegarth.features.dose.registry.decision import Device, SourceFacts, decide_exam, event_facts, report_facts

DOUBTED = {
    "CT-SC-Philips_Brilliance16P.dcm": {"dlp_head_mgy_cm:partial_total", "dlp_body_mgy_cm:partial_total"},
    "Dual-RDSR-DX.dcm": {"dose_rp_gy:total_differs"},
    "RF-RDSR-Canon-Alphenix-rotational.dcm": {"total_fluoro_time_s:total_differs"},
    "philips_allura_clarity_u601.dcm": {"dose_area_product_gy_m2:total_differs"},
}
"""A captured dose page that names no phantom: its DLP is known, and of neither part. A dose at the reference point of 0
beside an event of 0.035 mGy; a fluoroscopy time of 70 s beside 6,718 s of its events; a DAP 13 % above its events."""


def exams() -> dict[str, list[SourceFacts]]:
    """By the first file of each exam: the study and the patient."""
    found: dict[tuple[str | None, str | None], list[tuple[str, SourceFacts]]] = defaultdict(list)
    for reference in conformance.references():
        with conformance.path_of(reference).open("rb") as stream:
            reading = read_dose_stream(stream)
        if reading.kind is None:
            continue
        name, device = reference["file"], reading.equipment
        events = [*reading.irradiation_events, *reading.administrations]
        facts = SourceFacts(
            orthanc_instance_id=name,
            sop_instance_uid=reading.sop_instance_uid or name,
            kind=reading.kind,
            source=source_of(reading.sop_class_uid, reading.kind),
            device=Device(
                manufacturer=device.manufacturer,
                model=device.manufacturer_model_name,
                serial=device.device_serial_number,
                station=device.station_name,
            ),
            series=name,
            totals=reading.totals,
            events=tuple(event_facts(reading.kind, event, n) for n, event in enumerate(events, start=1)),
            **report_facts(reading.report),
        )
        found[reading.study_instance_uid, reading.study.patient_id].append((name, facts))
    return {min(name for name, _ in exam): [facts for _, facts in exam] for exam in found.values()}


EXAMS = exams() if conformance.folder() is not None else {}


@pytest.mark.parametrize("name", sorted(EXAMS))
def test_a_real_exam_has_no_doubt_that_is_not_named(name: str) -> None:
    doubts = {f"{doubt.quantity}:{doubt.name}" for doubt in decide_exam(EXAMS[name]).doubts}
    assert doubts == DOUBTED.get(name, set())


@pytest.mark.skipif(not EXAMS, reason="no conformance objects beside the project")
def test_every_named_doubt_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs/dose.md").read_text("utf-8")
    assert all(f"`{name}`" in page for name in DOUBTED)
