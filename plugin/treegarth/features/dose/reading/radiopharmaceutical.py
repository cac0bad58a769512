"""Read radiopharmaceutical dose: TID 10021 (report), 10022 (administration), 10023 (organ dose), 10024 (patient).

Pure. The names and units are those of docs/dose.md.
"""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.dicom.codes import concept_of
from treegarth.features.dose.reading.fields import Coded, Moment, Number, Side, Table, Uid, Words, YesNo
from treegarth.features.dose.reading.part import Part

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
    codes.ESTIMATED_EXTRAVASATION_ACTIVITY: Number("estimated_extravasation_activity_mbq", "MBq"),
    codes.INTRAVENOUS_EXTRAVASATION_SYMPTOMS: YesNo("intravenous_extravasation_symptoms"),
    codes.RADIOPHARMACEUTICAL_VOLUME: Number("radiopharmaceutical_volume_ml", "mL"),
    codes.ROUTE_OF_ADMINISTRATION: Coded("route_of_administration_code"),
    codes.BRAND_NAME: Words("brand_name"),
    codes.EFFECTIVE_DOSE: Number("effective_dose_msv", "mSv"),
    codes.COMMENT: Words("comment"),
}

AGENT: Table = {
    codes.RADIONUCLIDE: Coded("radionuclide_code"),
    codes.RADIONUCLIDE_HALF_LIFE: Number("radionuclide_half_life_s", "s"),
}
"""What the template puts below the agent."""

PATIENT: Table = {
    codes.SUBJECT_AGE: Number("subject_age_years", "a"),
    codes.SUBJECT_SEX: Coded("subject_sex_code"),
    codes.PATIENT_HEIGHT: Number("patient_height_m", "m"),
    codes.PATIENT_WEIGHT: Number("patient_weight_kg", "kg"),
    codes.GLUCOSE: Number("glucose_mg_per_dl", "mg/dL"),
}

ORGAN_DOSE = Number("organ_dose_mgy", "mGy")
AUTHORITY = Words("reference_authority")


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
    found |= _effective_dose(part, found)
    organs = [organ for below in part.find(codes.ORGAN_DOSE_INFORMATION, levels=1) if (organ := _organ(below))]
    return found | ({"organ_dose_count": len(organs), "organ_doses": organs} if organs else {})


def _effective_dose(part: Part, found: dict[str, Any]) -> dict[str, Any]:
    """Effective Dose, also where a device puts it into a container of its own (Siemens: 220001, 99SHS)."""
    values = dict(found)
    for holder in (part, *(below for below in part.containers() if concept_of(below.item.concept) is None)):
        for effective in holder.parts(codes.EFFECTIVE_DOSE):
            if "effective_dose_msv" not in values:
                values |= holder.values({codes.EFFECTIVE_DOSE: Number("effective_dose_msv", "mSv")})
            authority = effective.one(codes.REFERENCE_AUTHORITY, AUTHORITY)
            if authority is not None:
                values["effective_dose_reference_authority"] = authority
    return values


def _organ(part: Part) -> dict[str, Any]:
    """One organ's dose (TID 10023): where, on which side, how much, by whose model; {} when it has no number."""
    organ: dict[str, Any] = part.values({codes.ORGAN_DOSE: ORGAN_DOSE})
    if not organ:
        return {}
    organ |= part.values({codes.FINDING_SITE: Coded("finding_site_code"), codes.LATERALITY: Side("laterality")})
    for below in part.parts(codes.ORGAN_DOSE):
        authority = below.one(codes.REFERENCE_AUTHORITY, AUTHORITY)
        if authority is not None:
            organ["reference_authority"] = authority
    return organ
