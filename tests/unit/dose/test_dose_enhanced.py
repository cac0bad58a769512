"""Enhanced X-Ray and Patient Radiation Dose reports, and what no real object at hand shows: built and read right."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from tests.dose_builder import (
    code,
    coded,
    container,
    ct_acquisition,
    ct_dose_report,
    named,
    num,
    report,
    text,
    uidref,
)
from treegarth.features.dose.reading import read_dose

ENHANCED, PATIENT = "1.2.840.10008.5.1.4.1.1.88.76", "1.2.840.10008.5.1.4.1.1.88.73"


def enhanced(*content):
    return read_dose(report(*content, sop_class_uid=ENHANCED))


def summary(uid, *items):
    return container("130501", uidref("113769", uid), *items)


def test_an_enhanced_report_of_a_biplane_system():
    reading = enhanced(
        container(
            "130500", coded("113764", code("113620")), num("113722", "0.001", "Gy.m2"), num("113725", "0.1", "Gy")
        ),
        container("130500", coded("113764", code("113621")), num("113722", "0.0005", "Gy.m2")),
        summary(
            "1.2.3.4",
            coded("113764", code("113621")),
            coded("113721", code("113613")),
            container("130502", num("122130", "5", "dGy.cm2"), num("113738", "7", "mGy")),
            coded("130503", code("373067005", "SCT")),
        ),
        container("130505", uidref("113769", "1.2.3.4"), container("130508", num("113733", ("80", "82"), "kV"))),
    )
    assert reading.kind == "projection"
    assert reading.totals["dose_area_product_total_gy_m2"] == pytest.approx(0.0015)
    assert reading.totals["dose_rp_total_gy"] == 0.1
    (event,) = reading.irradiation_events
    assert event["acquisition_plane"] == "Plane B"
    assert event["irradiation_event_type"] == "Rotational Acquisition"
    assert event["dose_area_product_gy_m2"] == pytest.approx(5e-5)
    assert event["dose_rp_gy"] == pytest.approx(0.007)
    assert (event["kvp"], event["kvp_values"], event["is_rejected_acquisition"]) == (80, [80, 82], False)
    (issue,) = reading.issues  # plane B has no dose at the reference point
    assert issue.path == "dose_rp_total_gy"


def test_an_enhanced_report_of_ct():
    reading = enhanced(
        container("130500", num("113813", "310.5", "mGy.cm")),
        summary("1.2.3.4", container("113829", num("113830", "8.2", "mGy"), num("113838", "310.5", "mGy.cm"))),
    )
    assert (reading.kind, reading.totals) == ("ct", {"dlp_total_mgy_cm": 310.5})
    (event,) = reading.irradiation_events
    assert (event["mean_ctdi_vol_mgy"], event["dlp_mgy_cm"]) == (8.2, 310.5)


def test_a_value_that_the_containers_of_an_event_give_differently_is_an_issue():
    reading = enhanced(
        summary("1.2.3.4", *(container("130502", num("113738", dose, "Gy")) for dose in ("0.1", "0.2"))),
    )
    assert reading.irradiation_events[0]["dose_rp_gy"] == 0.1
    assert len(reading.issues) == 1


def test_a_patient_dose_report_lists_its_estimates_and_is_no_exposure():
    estimate = container(
        "128402",
        text("128403", "Liver and whole body"),
        uidref("128429", "1.2.3.4"),
        container(None, coded(code("363698007", "SCT"), code("10200004", "SCT", "Liver")), num("128513", "12", "mGy")),
        num("113839", "3.5", "mSv"),
    )
    reading = read_dose(report(estimate, title="128401", sop_class_uid=PATIENT))
    assert (reading.kind, reading.refused, reading.irradiation_events) == (None, None, ())
    (found,) = reading.totals["radiation_dose_estimates"]
    assert (found["radiation_dose_estimate_name"], found["event_uid_used"]) == ("Liver and whole body", "1.2.3.4")
    effective, liver = found["doses"]
    assert effective == {"effective_dose_msv": 3.5}
    assert (liver["absorbed_dose_mgy"], liver["finding_site_code"]["code"]) == (12, "10200004")


def test_an_estimate_says_by_which_model_it_was_made_and_of_which_events_of_which_report():
    used = named("COMPOSITE", "128416", [uidref("128429", "1.2.3.4"), uidref("128429", "1.2.3.5")])
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = ENHANCED, "1.2.3.1"
    used.ReferencedSOPSequence = [reference]
    model = container(
        "128500", coded("128417", code("128404", meaning="Anthropomorphic Model")), text("128426", "ICRP 110")
    )
    skin = container("128412", num("128531", "0.9", "Gy"), num("128533", "120", "mGy"))
    reading = read_dose(report(container("128402", container("128415", used, model), skin), title="128401"))
    (found,) = reading.totals["radiation_dose_estimates"]
    assert found["sr_instance_used"] == "1.2.3.1"
    assert found["event_uid_used_values"] == ["1.2.3.4", "1.2.3.5"]
    assert found["patient_model_type_code"]["code"] == "128404"
    assert found["patient_radiation_dose_model_reference"] == "ICRP 110"
    assert found["doses"] == [{"maximum_absorbed_dose_mgy": 900}, {"mean_absorbed_dose_mgy": 120}]


def test_a_patient_dose_report_without_estimates_is_refused():
    assert "no estimate" in str(read_dose(report(title="128401", sop_class_uid=PATIENT)).refused)


@pytest.mark.parametrize("meaning", ["나선형 획득", "スパイラル収集"])
def test_meanings_in_other_languages_decide_nothing(meaning):
    acquisition = ct_acquisition(protocol="흉부 CT")
    kind = acquisition.ContentSequence[1].ConceptCodeSequence[0]
    kind.CodeMeaning = meaning
    for item in acquisition.ContentSequence:
        item.ConceptNameCodeSequence[0].CodeMeaning = meaning
    (event,) = read_dose(ct_dose_report(acquisition)).irradiation_events
    assert (event["irradiation_event_type"], event["acquisition_protocol"]) == ("Spiral Acquisition", "흉부 CT")
    assert event["dlp_mgy_cm"] == 310.5


def test_cone_beam_ct_of_an_angiography_system_is_a_rotational_acquisition_of_projection():
    event = container(
        "113706",
        coded("113764", code("113622")),
        uidref("113769", "1.2.3.4"),
        coded("113721", code("113613", meaning="CBCT")),
        num("122130", "0.002", "Gy.m2"),
        num("112011", "-100", "deg"),
        num("113739", "100", "deg"),
    )
    reading = read_dose(report(container("113702", num("113722", "0.002", "Gy.m2")), event))
    assert reading.kind == "projection"
    (read,) = reading.irradiation_events
    assert read["irradiation_event_type"] == "Rotational Acquisition"
    assert (read["positioner_primary_angle_deg"], read["positioner_primary_end_angle_deg"]) == (-100, 100)
