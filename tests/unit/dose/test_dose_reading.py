"""Dose reports as devices write them: read by their codes, units converted, nothing guessed."""

from __future__ import annotations

import pytest

from tests.dose_builder import (
    ENHANCED_SR,
    code,
    coded,
    container,
    ct_acquisition,
    ct_dose_report,
    ct_source,
    named,
    num,
    report,
    text,
    uidref,
)
from treegarth.features.dose.reading import read_dose


def issues(reading):
    return [(issue.path, issue.reason) for issue in reading.issues]


def event_x_ray(uid="1.2.3.4", *items, plane="113622"):
    return container("113706", coded("113764", code(plane)), uidref("113769", uid), *items)


def accumulated(*items, plane="113622"):
    return container("113702", coded("113764", code(plane)), *items)


def test_a_report_is_known_by_its_codes_whatever_its_class_title_and_meanings():
    content = ct_dose_report().ContentSequence
    for sop_class_uid in (ENHANCED_SR, "1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.88.76"):
        for title in ("113701", code("999", "99SITE", "Dosisbericht"), None):
            reading = read_dose(report(*content, title=title, sop_class_uid=sop_class_uid))
            assert (reading.kind, reading.totals["dlp_total_mgy_cm"]) == ("ct", 310.5)


def test_every_number_is_in_the_unit_of_its_name():
    acquisition = ct_acquisition()
    acquisition.ContentSequence[4].ContentSequence[0] = num("113830", "0.82", "cGy")
    reading = read_dose(ct_dose_report(acquisition, dlp_total="3.105", unit="Gy.mm"))
    assert reading.irradiation_events[0]["mean_ctdi_vol_mgy"] == 8.2
    assert reading.totals["dlp_total_mgy_cm"] == pytest.approx(310.5)


def test_a_number_without_a_unit_or_in_an_unknown_one_is_an_issue_and_no_number():
    acquisition = ct_acquisition(extra=[])
    acquisition.ContentSequence[4].ContentSequence[0] = num("113830", "8.2", None)
    reading = read_dose(ct_dose_report(acquisition, unit="furlong"))
    assert "mean_ctdi_vol_mgy" not in reading.irradiation_events[0]
    assert "dlp_total_mgy_cm" not in reading.totals
    assert issues(reading) == [
        ("CT Accumulated Dose Data/CT Dose Length Product Total", "the unit “furlong” is unknown"),
        ("CT Acquisition/CT Dose/Mean CTDIvol", "the number has no unit"),
    ]


def test_what_was_not_measured_is_absent_and_not_zero():
    reading = read_dose(ct_dose_report(ct_acquisition(mean_ctdi_vol_mgy=None), ct_acquisition("1.2.5", dlp_mgy_cm="0")))
    assert "mean_ctdi_vol_mgy" not in reading.irradiation_events[0]
    assert reading.irradiation_events[1]["dlp_mgy_cm"] == 0.0
    assert reading.issues == ()


def test_a_dual_source_acquisition_has_one_value_per_source_in_their_order():
    one_without_current = container("113831", num("113733", "140", "kV"))
    acquisition = ct_acquisition(sources=[ct_source("80", "300"), one_without_current])
    (event,) = read_dose(ct_dose_report(acquisition)).irradiation_events
    assert event["kvp"] == [80.0, 140.0]
    assert event["x_ray_tube_current_ma"] == [300.0, None]


def test_totals_of_two_phantoms_are_never_added():
    totals = [num("113813", number, "mGy.cm", coded("113835", code(phantom))) for number, phantom in
              (("100", "113690"), ("200", "113691"))]  # fmt: skip
    reading = read_dose(report(container("113811", *totals), ct_acquisition()))
    assert "dlp_total_mgy_cm" not in reading.totals
    assert [total["ctdiw_phantom_type"][:8] for total in reading.totals["dlp_totals"]] == ["IEC Head", "IEC Body"]
    assert len(reading.issues) == 1


def test_size_specific_dose_and_dose_check_are_read():
    estimate = num(
        "113930", "11.4", "mGy", coded(code("370129005", "SCT"), code("113987")), num("113980", "24.5", "cm")
    )
    check = container("113900", coded("113901", code("373066001", "SCT", "Yes")), num("113903", "100", "mGy.cm"))
    (event,) = read_dose(ct_dose_report(ct_acquisition(dose_extra=[estimate, check]))).irradiation_events
    assert event["size_specific_dose_estimate_mgy"] == 11.4
    assert event["size_specific_dose_estimates"][0]["water_equivalent_diameter_mm"] == 245.0
    assert event["size_specific_dose_estimates"][0]["measurement_method_code"]["code"] == "113987"
    assert event["dose_check"] == {"dlp_alert_value_configured": True, "dlp_alert_value_mgy_cm": 100.0}


def test_meanings_in_korean_and_japanese_change_nothing_but_text():
    spiral = coded("113820", code("116152004", "SCT", "나선형 획득"))
    region = coded("123014", code("51185008", "SCT", "胸部"))
    acquisition = ct_acquisition(protocol="흉부 CT (저선량)", extra=[region, spiral])
    (event,) = read_dose(ct_dose_report(acquisition)).irradiation_events
    assert event["irradiation_event_type"] == "Spiral Acquisition"
    assert event["acquisition_protocol"] == "흉부 CT (저선량)"
    assert event["target_region_code"] == {"code": "51185008", "scheme": "SCT", "meaning": "胸部"}


def test_wrong_types_and_unnamed_items_cost_nothing_but_themselves():
    uid_as_text = text("113769", "1.2.3.4.5")
    acquisition = ct_acquisition(extra=[named("TEXT", None), named("", "113838"), named("CODE", "123014")])
    acquisition.ContentSequence[2] = uid_as_text
    (event,) = read_dose(ct_dose_report(acquisition)).irradiation_events
    assert event["irradiation_event_uid"] == "1.2.3.4.5"
    assert event["dlp_mgy_cm"] == 310.5


def test_text_where_a_number_belongs_is_an_issue():
    acquisition = ct_acquisition()
    acquisition.ContentSequence[4].ContentSequence[0] = text("113830", "8.2 mGy")
    reading = read_dose(ct_dose_report(acquisition))
    assert issues(reading) == [("CT Acquisition/CT Dose/Mean CTDIvol", "a NUM was expected, the item is a TEXT")]


def test_two_different_doses_for_one_quantity_are_an_issue_and_neither_is_taken():
    reading = read_dose(ct_dose_report(ct_acquisition(dose_extra=[num("113838", "11", "mGy.cm")])))
    assert "dlp_mgy_cm" not in reading.irradiation_events[0]
    assert issues(reading)[0][1] == "2 different values are given for one; none is taken"


def test_the_planes_of_a_biplane_system_add_up_and_stay_visible():
    planes = [
        accumulated(num("113722", dap, "Gy.m2"), num("113725", rp, "mGy"), num("113730", "60", "s"), plane=plane)
        for dap, rp, plane in (("0.001", "100", "113620"), ("0.0005", "50", "113621"))
    ]
    events = [event_x_ray("1.2.3.4", num("122130", "5", "dGy.cm2"), plane="113621")]
    reading = read_dose(report(*planes, *events))
    assert reading.kind == "projection"
    assert reading.totals["dose_area_product_total_gy_m2"] == pytest.approx(0.0015)
    assert reading.totals["dose_rp_total_gy"] == pytest.approx(0.15)
    assert reading.totals["total_fluoro_time_s"] == 120
    assert [plane["acquisition_plane"] for plane in reading.totals["planes"]] == ["Plane A", "Plane B"]
    assert reading.irradiation_events[0]["acquisition_plane"] == "Plane B"
    assert reading.irradiation_events[0]["dose_area_product_gy_m2"] == pytest.approx(5e-5)


def test_a_plane_without_a_total_is_an_issue():
    planes = [
        accumulated(num("113722", dap, "Gy.m2"), plane=plane) for dap, plane in (("0.001", "113620"), (None, "113621"))
    ]
    reading = read_dose(report(*planes))
    assert reading.totals["dose_area_product_total_gy_m2"] == 0.001
    assert issues(reading) == [
        ("dose_area_product_total_gy_m2", "only 1 of 2 planes have a total; it is the sum of these")
    ]


def test_a_list_of_pulses_gives_the_first_and_all_values():
    in_one_item = event_x_ray("1.2.3.4", num("113733", ("70", "71.5", "72"), "kV"))
    in_several = event_x_ray("1.2.3.5", num("113733", "34.1", "kV"), num("113733", "33.99", "kV"))
    first, second = read_dose(report(accumulated(), in_one_item, in_several)).irradiation_events
    assert (first["kvp"], first["kvp_values"]) == (70.0, [70.0, 71.5, 72.0])
    assert (second["kvp"], second["kvp_values"]) == (34.1, [34.1, 33.99])


def test_mammography_is_known_by_procedure_or_glandular_dose_and_says_which_breast():
    left = code("80248007", "SCT", "Left breast")
    total = num("111637", "0.13", "cGy", coded(code("G-C171", "SRT"), left))
    breast = coded(code("T-D0005", "SRT"), code("T-04000", "SRT"), coded(code("G-C171", "SRT"), code("G-A101", "SRT")))
    reading = read_dose(report(accumulated(total), event_x_ray("1.2.3.4", num("111631", "1.3", "mGy"), breast)))
    assert reading.kind == "mammography"
    assert reading.totals == {
        "accumulated_average_glandular_dose_left_mgy": 1.3, "acquisition_plane": "Single Plane",
    }  # fmt: skip
    assert reading.irradiation_events[0]["laterality"] == "L"


def test_an_administration_of_another_vendor_is_read_by_sct_codes():
    agent = coded(
        code("349358000", "SCT"),
        code("35321007", "SCT", "FDG"),
        coded(code("89457008", "SCT"), code("77004003", "SCT", "F-18")),
        num(code("304283002", "SCT"), "109.77", "min"),
    )
    organ = container(
        "113517", coded(code("363698007", "SCT"), code("89837001", "SCT", "Bladder")), num("113518", "51", "mGy")
    )
    given = container(
        "113502", agent, uidref("113503", "1.2.7"), num("113507", "10", "mCi"), num("113839", "7.03", "mSv"), organ
    )
    reading = read_dose(report(given, title="113500", sop_class_uid="1.2.840.10008.5.1.4.1.1.88.68"))
    (administration,) = reading.administrations
    assert reading.kind == "radiopharmaceutical"
    assert administration["administered_activity_mbq"] == 370.0
    assert administration["radionuclide_half_life_s"] == pytest.approx(6586.2)
    assert administration["effective_dose_msv"] == 7.03
    assert (administration["organ_dose_count"], administration["organ_doses"][0]["organ_dose_mgy"]) == (1, 51.0)


def test_a_report_of_something_else_is_refused_by_its_title():
    reading = read_dose(report(container("121070"), title=code("126000", "DCM", "Imaging Measurement Report")))
    assert reading.refused.startswith("This structured report, “Imaging Measurement Report” (DCM 126000), is no dose")


def test_a_report_of_two_kinds_loses_neither():
    reading = read_dose(
        report(*ct_dose_report().ContentSequence, accumulated(num("113722", "1", "Gy.m2")), event_x_ray())
    )
    assert reading.kind == "ct"
    assert (reading.totals["dlp_total_mgy_cm"], reading.totals["dose_area_product_total_gy_m2"]) == (310.5, 1.0)
    assert len(reading.irradiation_events) == 2
    assert issues(reading) == [("report", "it holds dose of several kinds (ct, projection) and is listed as the first")]


def test_context_of_the_examination_comes_along():
    dataset = ct_dose_report()
    dataset.PatientSize, dataset.PatientAge, dataset.StationName = "1.78", "063Y", "CT1"
    dataset.add_new(0x00101030, "DS", "110")
    reading = read_dose(dataset)
    assert (reading.study.patient_size_m, reading.study.patient_weight_kg, reading.study.patient_age) == (
        1.78,
        110,
        "063Y",
    )
    assert (reading.equipment.manufacturer, reading.equipment.station_name) == ("Treebeard", "CT1")
    assert str(reading.study.study_date) == "2024-02-29"
