"""Irradiation Details of Enhanced reports: by time and source they belong to events (TID 10043 to 10055)."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from tests.dose_builder import code, coded, container, moment, num, report, text, uidref
from treegarth.features.dose.reading import read_dose
from treegarth.features.dose.reading.model import DoseReading

ENHANCED = "1.2.840.10008.5.1.4.1.1.88.76"
TECHNIQUE, FILTRATION, ATTENUATORS, OUTPUT, SOURCE = "130511", "130512", "130513", "130514", "130508"


def at(second: str) -> str:
    return f"202611201015{second}"


def detail(kind: str, begins: str, ends: str, *items: Dataset, source: str = "A") -> Dataset:
    period = (moment("111526", at(begins)), moment("111527", at(ends)))
    return container(kind, *period, text("113832", source), *items)


def summary(uid: str, begins: str, ends: str | None, *items: Dataset, source: str = "A") -> Dataset:
    ended = [moment("111527", at(ends))] if ends else []
    named = (uidref("113769", uid), moment("111526", at(begins)), text("113832", source))
    return container("130501", *named, *ended, *items)


def read(*content: Dataset) -> DoseReading:
    return read_dose(report(*content, sop_class_uid=ENHANCED))


def filter_of(material: str, thickness: str) -> Dataset:
    return container(
        "130531", text("130527", material), coded("113757", code(material, "SCT", material)),
        num("130509", thickness, "mm"),
    )  # fmt: skip


def test_an_event_has_the_technique_and_the_filters_of_its_time_and_source() -> None:
    reading = read(
        summary("1.1", "10", "20", num("113738", "7", "mGy")),
        summary("1.2", "20", "25", num("113738", "3", "mGy")),
        summary("1.3", "10", "20", num("113738", "5", "mGy"), source="B"),
        container(
            "130505",
            detail(TECHNIQUE, "00", "20", num("113733", "70", "kV"), num("113734", "12", "mA")),
            detail(TECHNIQUE, "20", "40", num("113733", "81", "kV")),
            detail(TECHNIQUE, "00", "40", num("113733", "99", "kV"), source="B"),
            detail(FILTRATION, "00", "40", filter_of("copper", "0.3"), filter_of("aluminum", "1")),
            detail(OUTPUT, "10", "15", num("130515", "4", "mGy")),
            detail(OUTPUT, "15", "20", num("130515", "3", "mGy")),
        ),
    )
    first, second, other = reading.irradiation_events
    assert (first["kvp"], first["x_ray_tube_current_ma"], first["date_time_ended"]) == (70, 12, at("20"))
    assert (second["kvp"], "x_ray_tube_current_ma" in second) == (81, False)
    assert other["kvp"] == 99
    assert [one["x_ray_filter_thickness_mm"] for one in first["x_ray_filters"]] == [0.3, 1]
    assert first["x_ray_filters"][0]["attenuator_identification"] == "copper"
    assert "x_ray_filters" not in other
    assert first["air_kerma_at_output_measurement_point_mgy_values"] == [4, 3]
    assert first["irradiation_event_uid"] == "1.1"
    assert first["date_time_started"] == at("10")
    assert reading.issues == ()


def test_what_changes_during_an_event_has_all_its_values_in_their_order() -> None:
    reading = read(
        summary("1.1", "10", "20"),
        container(
            "130505",
            *(
                detail(TECHNIQUE, begins, ends, num("113733", kvp, "kV"))
                for begins, ends, kvp in (("10", "12", "70"), ("12", "15", "75"), ("15", "20", "75"))
            ),
        ),
    )
    (event,) = reading.irradiation_events
    assert (event["kvp"], event["kvp_values"]) == (70, [70, 75, 75])


@pytest.mark.parametrize(("begins", "kvp"), [("12", 75), ("11", 70), ("30", None)])
def test_an_event_that_says_no_end_is_the_moment_at_which_it_began(begins: str, kvp: float | None) -> None:
    reading = read(
        summary("1.1", begins, None),
        container(
            "130505",
            detail(TECHNIQUE, "10", "12", num("113733", "70", "kV")),
            detail(TECHNIQUE, "12", "20", num("113733", "75", "kV")),
        ),
    )
    assert reading.irradiation_events[0].get("kvp") == kvp


def test_attenuators_are_no_filters() -> None:
    table = container("130531", coded("128458", code("128459", meaning="Table")), num("130509", "20", "mm"))
    reading = read(summary("1.1", "10", "20"), container("130505", detail(ATTENUATORS, "00", "40", table)))
    (event,) = reading.irradiation_events
    assert event["attenuators"][0]["attenuator_category_code"]["meaning"] == "Table"
    assert "x_ray_filters" not in event


def ct_summary(source: str = "1 and 2") -> Dataset:
    return summary("1.1", "10", "20", num("113830", "8", "mGy"), num("113838", "300", "mGy.cm"), source=source)


def test_an_event_of_enhanced_ct_has_a_value_for_each_of_its_x_ray_sources() -> None:
    mean, maximum = (coded("130510", code(value, "SCT")) for value in ("373098007", "56851009"))
    reading = read(
        ct_summary(),
        container(
            "130505",
            detail(TECHNIQUE, "10", "20", num("113733", "80", "kV"), num("113734", "300", "mA", mean),
                   num("113734", "420", "mA", maximum), source="1"),
            detail(TECHNIQUE, "10", "20", num("113733", "140", "kV"), source="2"),
            detail(TECHNIQUE, "10", "20", num("113733", "100", "kV"), source="3"),
            detail(SOURCE, "00", "40", num("113821", "6", "mm"), source="1"),
            detail(FILTRATION, "00", "40", filter_of("tin", "0.4"), source="2"),
        ),
    )  # fmt: skip
    (event,) = reading.irradiation_events
    assert event["x_ray_source_identification"] == ["1", "2"]
    assert event["kvp"] == [80, 140]
    assert event["x_ray_tube_current_ma"] == [300, None]
    assert event["maximum_x_ray_tube_current_ma"] == [420, None]
    assert event["x_ray_filter_aluminum_equivalent_mm"] == [6, None]
    assert event["x_ray_filters"][0]["x_ray_filter_thickness_mm"] == 0.4
    assert (event["mean_ctdi_vol_mgy"], reading.kind, reading.issues) == (8, "ct", ())


def test_a_ct_source_that_changes_during_an_event_has_no_value_and_an_issue() -> None:
    reading = read(
        ct_summary("1"),
        container(
            "130505",
            *(
                detail(TECHNIQUE, begins, ends, num("113733", kvp, "kV"), source="1")
                for begins, ends, kvp in (("10", "12", "80"), ("12", "15", "140"), ("15", "20", "80"))
            ),
        ),
    )
    assert reading.irradiation_events[0]["kvp"] == [None]
    assert len(reading.issues) == 1


def test_details_that_name_an_event_are_of_that_event_whatever_the_time() -> None:
    reading = read(
        summary("1.1", "10", "20"),
        summary("1.2", "20", "30"),
        container(
            "130505",
            uidref("113769", "1.2"),
            container(SOURCE, num("113733", "77", "kV")),
            container("113771", coded("113757", code("66925006", "SCT", "Copper"))),
        ),
    )
    first, second = reading.irradiation_events
    assert ("kvp" in first, second["kvp"]) == (False, 77)
    assert second["x_ray_filters"][0]["x_ray_filter_material_code"]["meaning"] == "Copper"


def test_the_sources_of_enhanced_ct_also_stand_in_the_event_as_in_the_older_template() -> None:
    parameters = container("113822", container("113831", num("113733", "120", "kV"), num("113734", "200", "mA")))
    estimate = num("113930", "11.4", "mGy")
    effective = num("113839", "4.5", "mSv", coded("121406", code("113841")))
    reading = read(
        summary("1.1", "10", "20", num("113838", "300", "mGy.cm"), parameters, container("113829", estimate, effective))
    )
    (event,) = reading.irradiation_events
    assert (event["kvp"], event["x_ray_tube_current_ma"]) == ([120], [200])
    assert event["size_specific_dose_estimate_mgy"] == 11.4
    assert (event["effective_dose_msv"], event["effective_dose_reference_authority"]) == (4.5, "ICRP Pub 103")


def test_each_source_of_an_enhanced_report_has_its_own_calibration() -> None:
    def accumulated(source: str, factor: str) -> Dataset:
        calibration = container("122505", num("122322", factor, "1"))
        return container("130500", text("113832", source), num("113722", "0.001", "Gy.m2"), calibration)

    reading = read(accumulated("A", "1.1"), accumulated("B", "0.9"), summary("1.1", "10", "20"))
    factors = [plane["calibrations"][0]["calibration_factor"] for plane in reading.totals["planes"]]
    assert factors == [1.1, 0.9]
