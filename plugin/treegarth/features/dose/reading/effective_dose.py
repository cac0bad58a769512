"""Read what an effective dose rests on: the tissue weights, the method, the model (TID 10012, 10013, 10022). Pure."""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.reading.fields import Meaning, Number, Table, Words
from treegarth.features.dose.reading.part import Part

CONVERSION_FACTOR = Number("effective_dose_conversion_factor_msv_per_mgy_cm", "mSv/mGy.cm")
FACTOR: Table = {codes.EFFECTIVE_DOSE_CONVERSION_FACTOR: CONVERSION_FACTOR}
"""Below the method, where the template has it, below the dose, or beside it."""

BASIS: Table = {
    codes.REFERENCE_AUTHORITY: Meaning("effective_dose_reference_authority"),
    codes.MEASUREMENT_METHOD: Meaning("effective_dose_measurement_method"),
    codes.PATIENT_MODEL: Words("effective_dose_patient_model"),
    **FACTOR,
}
CONDITION: Table = {
    codes.EFFECTIVE_DOSE_PHANTOM_TYPE: Words("effective_dose_phantom_type"),
    codes.DOSIMETER_TYPE: Words("effective_dose_dosimeter_type"),
}


def read_basis(holder: Part, concept: codes.Concept) -> dict[str, Any]:
    """What stands below the effective dose of this concept, here or in the containers below."""
    found: dict[str, Any] = {}
    for dose in holder.find(concept):
        for method in dose.parts(codes.MEASUREMENT_METHOD):
            found |= method.values(FACTOR)
        for condition in dose.parts(codes.CONDITION_EFFECTIVE_DOSE_MEASURED):
            found |= condition.values(CONDITION)
        found |= dose.values(BASIS)
    return found
