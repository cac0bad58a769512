"""What a radiopharmaceutical report says beside the activity: extravasation, lots, dose calibrator, patient."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from tests.dose_builder import code, coded, container, num, person, report, text, uidref
from treegarth.features.dose.reading import read_dose
from treegarth.features.dose.reading.model import DoseReading

METHOD = code("370129005", "SCT", "Measurement Method")


def read(*items: Dataset, patient: Dataset | None = None) -> DoseReading:
    given = container("113502", uidref("113503", "1.2.7"), num("113507", "370", "MBq"), *items)
    return read_dose(report(given, *([patient] if patient is not None else []), title="113500"))


def test_extravasation_is_a_percentage_and_its_symptoms_are_codes() -> None:
    reading = read(
        num("113506", "12", "%"),
        coded("113505", code("423341008", "SCT", "Edema")),
        coded("113505", code("22253000", "SCT", "Pain")),
    )
    (administration,) = reading.administrations
    assert administration["estimated_extravasation_activity_percent"] == 12
    symptoms = administration["intravenous_extravasation_symptoms_code_values"]
    assert [symptom["meaning"] for symptom in symptoms] == ["Edema", "Pain"]
    assert reading.issues == ()


def test_an_extravasation_in_becquerels_is_an_issue_and_no_percentage() -> None:
    reading = read(num("113506", "12", "MBq"))
    assert "estimated_extravasation_activity_percent" not in reading.administrations[0]
    assert len(reading.issues) == 1


@pytest.mark.parametrize(
    ("number", "unit", "mmol_per_l"),
    [("5.5", "mmol/l", 5.5), ("5.5", "mmol/L", 5.5), ("100", "mg/dl", 5.5507), ("1.0", "g/L", 5.5507)],
)
def test_glucose_is_kept_by_amount_however_it_was_written(number: str, unit: str, mmol_per_l: float) -> None:
    glucose = num(code("14749-6", "LN", "Glucose"), number, unit)
    reading = read(patient=container("121118", glucose))
    assert reading.report["glucose_mmol_per_l"] == pytest.approx(mmol_per_l, rel=1e-4)
    assert reading.issues == ()


@pytest.mark.parametrize("unit", ["MBq", None])
def test_glucose_in_no_unit_of_concentration_is_an_issue(unit: str | None) -> None:
    reading = read(patient=container("121118", num(code("14749-6", "LN", "Glucose"), "5.5", unit)))
    assert "glucose_mmol_per_l" not in reading.report
    assert len(reading.issues) == 1


def test_the_patient_is_described_for_the_administration() -> None:
    patient = container(
        "121118", num(code("8277-6", "LN"), "1.9", "m2"), num(code("60621009", "SCT"), "24.5", "kg/m2"),
        num("113550", "360", "min"), num("113551", "500", "ml"), text("113552", "none"),
        num(code("2160-0", "LN"), "0.9", "mg/dl"),
    )  # fmt: skip
    reading = read(patient=patient)
    assert {
        "body_surface_area_m2": 1.9,
        "body_mass_index_kg_per_m2": 24.5,
        "fasting_duration_h": 6,
        "hydration_volume_ml": 500,
        "recent_physical_activity": "none",
        "serum_creatinine_mg_per_dl": 0.9,
    }.items() <= reading.report.items()
    assert reading.issues == ()


def test_lots_and_vials_are_read_below_the_dispensed_unit_or_beside_it() -> None:
    unit = text("113511", "U-1")
    unit.ContentSequence = [text("113512", "L-1"), text("113512", "L-2"), text("113514", "V-9")]
    (administration,) = read(unit, text("113513", "R-3"), text("113516", "RX-5")).administrations
    assert administration["dispense_unit_identifier"] == "U-1"
    assert administration["lot_identifier_values"] == ["L-1", "L-2"]
    assert administration["radionuclide_vial_identifier"] == "V-9"
    assert administration["reagent_vial_identifier"] == "R-3"
    assert administration["prescription_identifier"] == "RX-5"


def test_a_measured_activity_says_with_which_calibrator_and_by_whom() -> None:
    measured = num(
        "113508", "381", "MBq", coded("113540", code("113541", meaning="교정기")), text("121014", "Capintec"),
        text("121015", "CRC-55tR"), text("121016", "552101"), person("Lee^Ada", concept="121008"),
    )  # fmt: skip
    (administration,) = read(measured, num("113509", "11", "MBq")).administrations
    assert administration["pre_administration_activity_mbq"] == 381
    assert administration["pre_administration_measurement"] == {
        "activity_measurement_device": "Dose Calibrator",
        "manufacturer": "Capintec",
        "model_name": "CRC-55tR",
        "serial_number": "552101",
        "persons": [{"name": "Lee^Ada", "is_observer": True}],
    }
    assert "post_administration_measurement" not in administration


def test_the_site_of_injection_has_a_side_and_an_organ_its_mass() -> None:
    side = coded(code("272741003", "SCT"), code("7771000", "SCT", "Left"))
    route = coded(
        code("410675002", "SCT"), code("47625008", "SCT"),
        coded(code("272737002", "SCT"), code("83936004", "SCT", "Antecubital fossa"), side),
    )  # fmt: skip
    mass_method = text(METHOD, "CT volume")
    organ = container(
        "113517", coded(code("363698007", "SCT"), code("10200004", "SCT", "Liver")), num("113518", "8", "mGy"),
        num(code("118538004", "SCT"), "1.8", "kg", mass_method),
    )  # fmt: skip
    (administration,) = read(route, organ).administrations
    assert administration["site_of_administration_code"]["code"] == "83936004"
    assert administration["site_of_administration_laterality"] == "L"
    (dose,) = administration["organ_doses"]
    assert (dose["organ_mass_g"], dose["organ_mass_measurement_method"]) == (1800, "CT volume")


def test_the_effective_dose_of_an_administration_names_its_authority() -> None:
    dose = num("113839", "7.03", "mSv", text("121406", "ICRP Publication 128"))
    (administration,) = read(dose).administrations
    assert administration["effective_dose_msv"] == 7.03
    assert administration["effective_dose_reference_authority"] == "ICRP Publication 128"
