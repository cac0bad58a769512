"""One exposure as a header tells it: where a quantity is written in several units, the first of them that has a value.

Pure. Devices round an attribute to a whole number, so that a short exposure has 0 ms beside 350 µs; others leave 0 in
the finer one. A 0 stands only where no other of them says more. The names are those of docs/dose.md; the attributes
are of PS3.3 C.8.7.2 (XA and RF), C.8.11 (DX, mammography), C.8.19 (Enhanced XA and XRF), C.8.21 (3D and breasts) and
C.4.16 (dose: area dose product in dGy·cm², organ dose in dGy).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from treegarth.dicom import codes
from treegarth.features.dose.reading.header import Header, started

Ways: TypeAlias = tuple[tuple[str, str], ...]
"""Attributes of one quantity in the order in which they are asked, each with the factor to the unit that is kept."""

EXPOSURE_TIME_MS: Ways = (("ExposureTime", "1"), ("ExposureTimeInms", "1"), ("ExposureTimeInuS", "0.001"))
"""The older attribute first, which other systems show: where two are said they differ by its rounding."""

X_RAY_TUBE_CURRENT_MA: Ways = (
    ("XRayTubeCurrentInuA", "0.001"),
    ("XRayTubeCurrentInmA", "1"),
    ("XRayTubeCurrent", "1"),
)
EXPOSURE_UAS: Ways = (("ExposureInuAs", "1"), ("ExposureInmAs", "1000"), ("Exposure", "1000"))
AREA_DOSE_PRODUCT_GY_M2: Ways = (
    ("ImageAndFluoroscopyAreaDoseProduct", "0.00001"),
    ("AcquiredImageAreaDoseProduct", "0.00001"),
)
ORGAN_DOSE_MGY: Ways = (("OrganDose", "100"),)
ENTRANCE_DOSE_MGY: Ways = (("EntranceDoseInmGy", "1"),)

PLANES: Mapping[str, str] = {
    "SINGLE PLANE": codes.SINGLE_PLANE.meaning,
    "MONOPLANE": codes.SINGLE_PLANE.meaning,
    "BIPLANE A": codes.PLANE_A.meaning,
    "PLANE A": codes.PLANE_A.meaning,
    "BIPLANE B": codes.PLANE_B.meaning,
    "PLANE B": codes.PLANE_B.meaning,
}
"""Image Type value 3 of XA and RF (PS3.3 C.8.7.1.1.1) and Plane Identification (0018,9457), in words of CID 10003."""

FLUOROSCOPIC_SETTING = "SC"
"""Radiation Setting (0018,1155), PS3.3 C.8.7.2: low dose, of fluoroscopy. GR is any other exposure."""


def first_told(header: Header, ways: Ways, by: str = "1") -> float | None:
    """The first of the attributes that is not 0; else 0 where one of them says 0. `by` is a further factor."""
    said_zero = False
    for keyword, factor in ways:
        number = header.quantity(keyword, str(Decimal(factor) * Decimal(by)))
        if number:
            return number
        said_zero |= number == 0
    return 0.0 if said_zero else None


def projection_event(header: Header) -> dict[str, Any]:
    """One exposure of radiography, fluoroscopy or angiography."""
    return present(
        irradiation_event_uid=header.uid("IrradiationEventUID"),
        irradiation_event_type=_event_type(header),
        acquisition_plane=_plane(header),
        acquisition_protocol=header.text("ProtocolName") or header.text("AcquisitionProtocolName"),
        date_time_started=started(header),
        kvp=header.quantity("KVP"),
        exposure_time_ms=first_told(header, EXPOSURE_TIME_MS),
        x_ray_tube_current_ma=first_told(header, X_RAY_TUBE_CURRENT_MA),
        exposure_uas=first_told(header, EXPOSURE_UAS),
        pulse_width_ms=header.quantity("AveragePulseWidth"),
        dose_area_product_gy_m2=first_told(header, AREA_DOSE_PRODUCT_GY_M2),
        entrance_exposure_at_rp_mgy=first_told(header, ENTRANCE_DOSE_MGY),
        exposure_index=header.quantity("ExposureIndex"),
        target_exposure_index=header.quantity("TargetExposureIndex"),
        deviation_index=header.quantity("DeviationIndex"),
        relative_x_ray_exposure=header.quantity("RelativeXRayExposure"),
        laterality=header.text("ImageLaterality") or header.text("Laterality") or header.text("FrameLaterality"),
        view_position=header.text("ViewPosition"),
        body_part_examined=header.text("BodyPartExamined"),
        positioner_primary_angle_deg=header.quantity("PositionerPrimaryAngle"),
        positioner_secondary_angle_deg=header.quantity("PositionerSecondaryAngle"),
        distance_source_to_detector_mm=header.quantity("DistanceSourceToDetector"),
        distance_source_to_patient_mm=header.quantity("DistanceSourceToPatient"),
        x_ray_filter_type=header.text("FilterType"),
        x_ray_grid=header.text("Grid"),
    )


def mammography_event(header: Header) -> dict[str, Any]:
    """One exposure of mammography. Images for processing and for presentation describe the same exposure."""
    return projection_event(header) | present(
        average_glandular_dose_mgy=first_told(header, ORGAN_DOSE_MGY),
        half_value_layer_mm=header.quantity("HalfValueLayer"),
        compression_thickness_mm=header.quantity("BodyPartThickness"),
        compression_force_n=header.quantity("CompressionForce"),
        anode_target_material=header.text("AnodeTargetMaterial"),
        x_ray_filter_material=header.text("FilterMaterial"),
    )


def present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _event_type(header: Header) -> str | None:
    return codes.FLUOROSCOPY.meaning if header.text("RadiationSetting") == FLUOROSCOPIC_SETTING else None


def _plane(header: Header) -> str | None:
    parts = (header.text("ImageType") or "").split("\\")
    return PLANES.get(header.text("PlaneIdentification") or "") or PLANES.get(parts[2].strip() if parts[2:] else "")
