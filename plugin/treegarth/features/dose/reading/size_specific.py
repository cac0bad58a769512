"""Read Size Specific Dose Estimates of a CT acquisition: TID 10013 rows 30 to 34h, AAPM 204, 220 and 293. Pure."""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.reading.fields import Coded, Number, Table, Uid
from treegarth.features.dose.reading.part import Part

ESTIMATE = Number("size_specific_dose_estimate_mgy", "mGy")

SIZE_SPECIFIC: Table = {
    codes.MEASUREMENT_METHOD: Coded("measurement_method_code"),
    codes.MEASURED_LATERAL_DIMENSION: Number("measured_lateral_dimension_mm", "mm"),
    codes.MEASURED_AP_DIMENSION: Number("measured_ap_dimension_mm", "mm"),
    codes.DERIVED_EFFECTIVE_DIAMETER: Number("derived_effective_diameter_mm", "mm"),
    codes.WATER_EQUIVALENT_DIAMETER: Number("water_equivalent_diameter_mm", "mm"),
    codes.WATER_EQUIVALENT_DIAMETER_SOURCE: Uid("water_equivalent_diameter_source_uid", many=True),
    codes.WATER_EQUIVALENT_DIAMETER_Z: Number("water_equivalent_diameter_z_mm", "mm"),
}
DIAMETER: Table = {
    codes.MEASUREMENT_METHOD: Coded("water_equivalent_diameter_method_code"),
    codes.LONGITUDINAL_POSITION_Z: Number("water_equivalent_diameter_z_mm", "mm"),
    codes.WATER_EQUIVALENT_DIAMETER_Z: Number("water_equivalent_diameter_z_mm", "mm"),
    codes.WATER_EQUIVALENT_DIAMETER_SOURCE: Uid("water_equivalent_diameter_source_uid", many=True),
}
"""Below a water equivalent diameter: how and where it was found."""

AT_Z: Table = {
    codes.LONGITUDINAL_POSITION_Z: Number("longitudinal_position_z_mm", "mm"),
    codes.WATER_EQUIVALENT_DIAMETER_AT_Z: Number("water_equivalent_diameter_mm", "mm"),
}
"""Below one SSDE(z)."""


def read_size_specific(dose: Part) -> dict[str, Any]:
    """One or more estimates, each by its own method; a single one also by its own name."""
    estimates = []
    for part in dose.find(codes.SIZE_SPECIFIC_DOSE_ESTIMATE):
        value = dose.read(codes.SIZE_SPECIFIC_DOSE_ESTIMATE, ESTIMATE, part.item)
        if value is not None:
            estimates.append({ESTIMATE.name: value} | _diameter(part) | part.values(SIZE_SPECIFIC) | _along_z(part))
    if not estimates:
        return {}
    only = {ESTIMATE.name: estimates[0][ESTIMATE.name]} if len(estimates) == 1 else {}
    return only | {"size_specific_dose_estimates": estimates}


def _diameter(estimate: Part) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for diameter in estimate.parts(codes.WATER_EQUIVALENT_DIAMETER):
        found |= diameter.values(DIAMETER)
    return found


def _along_z(estimate: Part) -> dict[str, Any]:
    """SSDE(z), in the order of the report."""
    given = []
    for part in estimate.parts(codes.SIZE_SPECIFIC_DOSE_ESTIMATE_AT_Z):
        value = estimate.read(codes.SIZE_SPECIFIC_DOSE_ESTIMATE_AT_Z, ESTIMATE, part.item)
        if value is not None:
            given.append({ESTIMATE.name: value} | part.values(AT_Z))
    return {"size_specific_dose_estimates_at_z": given} if given else {}
