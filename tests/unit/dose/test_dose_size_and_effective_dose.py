"""Size specific dose along z, and what an effective dose rests on."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from tests.dose_builder import code, coded, container, ct_acquisition, ct_dose_report, num, report, text, uidref
from treegarth.features.dose.reading import read_dose

METHOD = code("370129005", "SCT", "Measurement Method")


def test_a_size_specific_dose_is_read_along_z_with_the_diameter_and_how_it_was_found() -> None:
    def at(z: str, dose: str, diameter: str) -> Dataset:
        return num("113993", dose, "mGy", num("113994", z, "mm"), num("113995", diameter, "cm"))

    diameter = num("113980", "285", "mm", coded(METHOD, code("113984")), num("113994", "-120", "mm"))
    estimate = num(
        "113930", "11.4", "mGy", coded(METHOD, code("113989")), diameter, uidref("113985", "1.2.3.8"),
        uidref("113985", "1.2.3.9"), at("-100", "11", "28"), at("-95", "11.8", "29"),
    )  # fmt: skip
    reading = read_dose(ct_dose_report(ct_acquisition(dose_extra=[estimate])))
    (event,) = reading.irradiation_events
    (found,) = event["size_specific_dose_estimates"]
    assert found["water_equivalent_diameter_mm"] == 285
    assert found["water_equivalent_diameter_method_code"]["code"] == "113984"
    assert found["water_equivalent_diameter_z_mm"] == -120
    assert found["water_equivalent_diameter_source_uid_values"] == ["1.2.3.8", "1.2.3.9"]
    assert found["size_specific_dose_estimates_at_z"] == [
        {
            "size_specific_dose_estimate_mgy": 11,
            "longitudinal_position_z_mm": -100,
            "water_equivalent_diameter_mm": 280,
        },
        {
            "size_specific_dose_estimate_mgy": 11.8,
            "longitudinal_position_z_mm": -95,
            "water_equivalent_diameter_mm": 290,
        },
    ]
    assert (event["size_specific_dose_estimate_mgy"], reading.issues) == (11.4, ())


@pytest.mark.parametrize(("value", "words"), [("113808", "ICRP Pub 60"), ("113841", "ICRP Pub 103")])
def test_the_total_effective_dose_says_by_whose_weights_and_by_which_model(value: str, words: str) -> None:
    total = num(
        "113814", "4.2", "mSv", coded("121406", code(value, meaning="기준")), coded(METHOD, code("113800")),
        text("113815", "voxel"), container("113816", text("113817", "Alderson"), text("113818", "TLD")),
    )  # fmt: skip
    accumulated = container("113811", num("113813", "310.5", "mGy.cm"), total)
    totals = read_dose(report(accumulated, ct_acquisition())).totals
    assert totals == {
        "dlp_total_mgy_cm": 310.5,
        "effective_dose_total_msv": 4.2,
        "effective_dose_reference_authority": words,
        "effective_dose_measurement_method": "DLP to E conversion via MC computation",
        "effective_dose_patient_model": "voxel",
        "effective_dose_phantom_type": "Alderson",
        "effective_dose_dosimeter_type": "TLD",
    }


def test_the_conversion_factor_is_read_below_the_method_where_the_template_has_it() -> None:
    factor = num("113840", "0.015", "mSv/mGy.cm")
    dose = num("113839", "4.66", "mSv", coded(METHOD, code("113802"), factor))
    (event,) = read_dose(ct_dose_report(ct_acquisition(dose_extra=[dose]))).irradiation_events
    assert event["effective_dose_msv"] == 4.66
    assert event["effective_dose_measurement_method"] == "DLP to E conversion via measurement"
    assert event["effective_dose_conversion_factor_msv_per_mgy_cm"] == 0.015
