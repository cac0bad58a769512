"""Read radiopharmaceutical dose: TID 10021 (report), 10022 (administration), 10023 (organ dose), 10024 (patient).

Pure. The names and units are those of docs/dose.md.
"""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.dicom.codes import concept_of
from treegarth.features.dose.reading.acquisition import read_origins
from treegarth.features.dose.reading.effective_dose import read_basis
from treegarth.features.dose.reading.fields import Coded, Meaning, Moment, Number, Side, Table, Uid, Words
from treegarth.features.dose.reading.glucose import Glucose
from treegarth.features.dose.reading.part import Part
from treegarth.features.dose.reading.participants import read_observers, read_persons

ADMINISTRATION: Table = {
    codes.ADMINISTRATION_EVENT_UID: Uid("irradiation_event_uid"),
    codes.RADIOPHARMACEUTICAL_AGENT: Coded("agent_code"),
    codes.RADIONUCLIDE: Coded("radionuclide_code"),
    codes.RADIONUCLIDE_HALF_LIFE: Number("radionuclide_half_life_s", "s"),
    codes.RADIOPHARMACEUTICAL_START: Moment("start"),
    codes.RADIOPHARMACEUTICAL_STOP: Moment("stop"),
    codes.ADMINISTERED_ACTIVITY: Number("administered_activity_mbq", "MBq"),
    codes.PRE_ADMINISTRATION_ACTIVITY: Number("pre_administration_activity_mbq", "MBq"),
    codes.POST_ADMINISTRATION_ACTIVITY: Number("post_administration_activity_mbq", "MBq"),
    codes.ESTIMATED_EXTRAVASATION_ACTIVITY: Number("estimated_extravasation_activity_percent", "%"),
    codes.INTRAVENOUS_EXTRAVASATION_SYMPTOMS: Coded("intravenous_extravasation_symptoms_code", many=True),
    codes.RADIOPHARMACEUTICAL_SPECIFIC_ACTIVITY: Number("radiopharmaceutical_specific_activity_bq_per_mmol", "Bq/mmol"),
    codes.RADIOPHARMACEUTICAL_VOLUME: Number("radiopharmaceutical_volume_ml", "mL"),
    codes.ROUTE_OF_ADMINISTRATION: Coded("route_of_administration_code"),
    codes.BRAND_NAME: Words("brand_name"),
    codes.DRUG_PRODUCT_IDENTIFIER: Coded("drug_product_identifier_code", many=True),
    codes.DISPENSE_UNIT_IDENTIFIER: Words("dispense_unit_identifier"),
    codes.PRESCRIPTION_IDENTIFIER: Words("prescription_identifier"),
    codes.EFFECTIVE_DOSE: Number("effective_dose_msv", "mSv"),
    codes.COMMENT: Words("comment"),
}

AGENT: Table = {
    codes.RADIONUCLIDE: Coded("radionuclide_code"),
    codes.RADIONUCLIDE_HALF_LIFE: Number("radionuclide_half_life_s", "s"),
}
"""What the template puts below the agent."""

VIALS: Table = {
    codes.LOT_IDENTIFIER: Words("lot_identifier", many=True),
    codes.REAGENT_VIAL_IDENTIFIER: Words("reagent_vial_identifier", many=True),
    codes.RADIONUCLIDE_VIAL_IDENTIFIER: Words("radionuclide_vial_identifier", many=True),
}
"""Below the dispensed unit, or beside it."""

MEASUREMENTS = {
    codes.PRE_ADMINISTRATION_ACTIVITY: "pre_administration_measurement",
    codes.POST_ADMINISTRATION_ACTIVITY: "post_administration_measurement",
}
MEASURED_WITH: Table = {
    codes.ACTIVITY_MEASUREMENT_DEVICE: Meaning("activity_measurement_device"),
    codes.DEVICE_OBSERVER_UID: Uid("uid"),
    codes.DEVICE_OBSERVER_NAME: Words("name"),
    codes.DEVICE_OBSERVER_MANUFACTURER: Words("manufacturer"),
    codes.DEVICE_OBSERVER_MODEL_NAME: Words("model_name"),
    codes.DEVICE_OBSERVER_SERIAL_NUMBER: Words("serial_number"),
    codes.DEVICE_OBSERVER_PHYSICAL_LOCATION: Words("physical_location"),
}
"""Below a measured activity: the dose calibrator (TID 10022 rows 14 to 18, TID 1004)."""

PATIENT: Table = {
    codes.SUBJECT_AGE: Number("subject_age_years", "a"),
    codes.SUBJECT_SEX: Coded("subject_sex_code"),
    codes.PATIENT_HEIGHT: Number("patient_height_m", "m"),
    codes.PATIENT_WEIGHT: Number("patient_weight_kg", "kg"),
    codes.GLUCOSE: Glucose("glucose_mmol_per_l"),
    codes.BODY_SURFACE_AREA: Number("body_surface_area_m2", "m2"),
    codes.BODY_MASS_INDEX: Number("body_mass_index_kg_per_m2", "kg/m2"),
    codes.SERUM_CREATININE: Number("serum_creatinine_mg_per_dl", "mg/dL"),
    codes.FASTING_DURATION: Number("fasting_duration_h", "h"),
    codes.HYDRATION_VOLUME: Number("hydration_volume_ml", "mL"),
    codes.RECENT_PHYSICAL_ACTIVITY: Words("recent_physical_activity"),
    codes.PATIENT_STATE: Coded("patient_state_code", many=True),
}

ORGAN_DOSE = Number("organ_dose_mgy", "mGy")
ORGAN_MASS = Number("organ_mass_g", "g")
AUTHORITY = Words("reference_authority")
SIDE = Side("laterality")


def read_patient_characteristics(report: Part) -> dict[str, Any]:
    """The patient as the report describes them (TID 10024)."""
    found: dict[str, Any] = {}
    for part in report.find(codes.PATIENT_CHARACTERISTICS):
        found |= part.values(PATIENT)
    return found


def read_administration(part: Part) -> dict[str, Any]:
    """One administration (TID 10022)."""
    found = part.values(ADMINISTRATION)
    for agent in part.parts(codes.RADIOPHARMACEUTICAL_AGENT):
        found = agent.values(AGENT) | found
    for route in part.parts(codes.ROUTE_OF_ADMINISTRATION):
        site = route.one(codes.SITE_OF, Coded("site_of_administration_code"))
        if site is not None:
            found["site_of_administration_code"] = site
            laterality = _site_laterality(route)
            found |= {"site_of_administration_laterality": laterality} if laterality else {}
    for unit in (part, *part.parts(codes.DISPENSE_UNIT_IDENTIFIER)):
        found |= unit.values(VIALS)
    found |= _measurements(part) | _effective_dose(part, found)
    organs = [organ for below in part.find(codes.ORGAN_DOSE_INFORMATION, levels=1) if (organ := _organ(below))]
    found |= {"organ_dose_count": len(organs), "organ_doses": organs} if organs else {}
    return found | read_persons(part) | read_origins((part, ADMINISTRATION))


def _site_laterality(route: Part) -> str | None:
    sides = (site.one(codes.LATERALITY, SIDE) for site in route.parts(codes.SITE_OF))
    return next((side for side in sides if side is not None), None)


def _measurements(part: Part) -> dict[str, Any]:
    """With what, and by whom, the activity before and after the administration was measured."""
    found: dict[str, Any] = {}
    for concept, name in MEASUREMENTS.items():
        for measured in part.parts(concept):
            persons = read_observers(measured)
            values = measured.values(MEASURED_WITH) | ({"persons": persons} if persons else {})
            found |= {name: values} if values else {}
    return found


def _effective_dose(part: Part, found: dict[str, Any]) -> dict[str, Any]:
    """Effective Dose, also where a device puts it into a container of its own (Siemens: 220001, 99SHS)."""
    values = dict(found)
    for holder in (part, *(below for below in part.containers() if concept_of(below.item.concept) is None)):
        if "effective_dose_msv" not in values:
            values |= holder.values({codes.EFFECTIVE_DOSE: Number("effective_dose_msv", "mSv")})
        values |= read_basis(holder, codes.EFFECTIVE_DOSE)
    return values


def _organ(part: Part) -> dict[str, Any]:
    """One organ's dose (TID 10023): where, on which side, how much, by whose model; {} when it has no number."""
    organ: dict[str, Any] = part.values({codes.ORGAN_DOSE: ORGAN_DOSE})
    if not organ:
        return {}
    organ |= part.values(
        {codes.FINDING_SITE: Coded("finding_site_code"), codes.LATERALITY: SIDE, codes.MASS: ORGAN_MASS}
    )
    for mass in part.parts(codes.MASS):
        organ |= mass.values({codes.MEASUREMENT_METHOD: Words("organ_mass_measurement_method")})
    for below in part.parts(codes.ORGAN_DOSE):
        authority = below.one(codes.REFERENCE_AUTHORITY, AUTHORITY)
        if authority is not None:
            organ["reference_authority"] = authority
    return organ
