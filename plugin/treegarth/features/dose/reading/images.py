"""Read dose from image headers, for modalities that write no dose report. Pure.

By the SOP class, which fixes the attributes and their units (PS3.3): radiography C.8.1, C.8.11, mammography C.8.11.7,
PET C.8.9.2, nuclear medicine C.8.4.10, radiation dose C.4.16 (area dose product in dGy·cm², organ dose in dGy).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydicom.uid import UID

from treegarth.features.dose.reading.ct_images import read_ct_capture, read_ct_image
from treegarth.features.dose.reading.header import Header, started
from treegarth.features.dose.reading.model import DoseReading
from treegarth.features.dose.reading.nuclear_images import read_nm_image, read_pet_image
from treegarth.phrases import P_

DOSE_OR_EXPOSURE = (
    "dose_area_product_gy_m2",
    "average_glandular_dose_mgy",
    "entrance_exposure_at_rp_mgy",
    "exposure_uas",
    "exposure_index",
    "relative_x_ray_exposure",
    "kvp",
)
"""At least one of these makes an image's header a source; nothing else in it says that there was an exposure."""


def read_image(header: Header, sop_class_uid: str) -> DoseReading:
    """The dose in an image's header, by its SOP class; refused where the class or the header has none."""
    read = _READERS.get(sop_class_uid)
    if read is None:
        return DoseReading(refused=P_("Dose is not read from %(name)s.", name=_class_name(sop_class_uid)))
    return read(header)


def read_projection_image(header: Header) -> DoseReading:
    """One exposure of radiography, fluoroscopy or angiography."""
    return _one_event("projection", header, _projection(header))


def read_mammography_image(header: Header) -> DoseReading:
    """One exposure of mammography. Images for processing and for presentation describe the same exposure."""
    event = _projection(header) | _present(
        average_glandular_dose_mgy=header.quantity("OrganDose", "100"),
        entrance_exposure_at_rp_mgy=header.quantity("EntranceDoseInmGy"),
        half_value_layer_mm=header.quantity("HalfValueLayer"),
        compression_thickness_mm=header.quantity("BodyPartThickness"),
        compression_force_n=header.quantity("CompressionForce"),
        anode_target_material=header.text("AnodeTargetMaterial"),
        x_ray_filter_material=header.text("FilterMaterial"),
        positioner_primary_angle_deg=header.quantity("PositionerPrimaryAngle"),
    )
    return _one_event("mammography", header, event)


def _projection(header: Header) -> dict[str, Any]:
    return _present(
        irradiation_event_uid=header.uid("IrradiationEventUID"),
        acquisition_protocol=header.text("ProtocolName"),
        date_time_started=started(header),
        kvp=header.quantity("KVP"),
        exposure_time_ms=_first(header.quantity("ExposureTime"), lambda: header.quantity("ExposureTimeInuS", "0.001")),
        x_ray_tube_current_ma=_first(
            header.quantity("XRayTubeCurrent"), lambda: header.quantity("XRayTubeCurrentInuA", "0.001")
        ),
        exposure_uas=_first(header.quantity("ExposureInuAs"), lambda: header.quantity("Exposure", "1000")),
        dose_area_product_gy_m2=header.quantity("ImageAndFluoroscopyAreaDoseProduct", "0.00001"),
        entrance_exposure_at_rp_mgy=header.quantity("EntranceDoseInmGy"),
        exposure_index=header.quantity("ExposureIndex"),
        target_exposure_index=header.quantity("TargetExposureIndex"),
        deviation_index=header.quantity("DeviationIndex"),
        relative_x_ray_exposure=header.quantity("RelativeXRayExposure"),
        laterality=header.text("ImageLaterality") or header.text("Laterality"),
        view_position=header.text("ViewPosition"),
        body_part_examined=header.text("BodyPartExamined"),
        distance_source_to_detector_mm=header.quantity("DistanceSourceToDetector"),
        distance_source_to_patient_mm=header.quantity("DistanceSourceToPatient"),
        x_ray_filter_type=header.text("FilterType"),
        x_ray_grid=header.text("Grid"),
    )


def _one_event(kind: Any, header: Header, event: dict[str, Any]) -> DoseReading:
    if not any(name in event for name in DOSE_OR_EXPOSURE):
        return DoseReading(refused=P_("The image's header holds neither dose nor exposure."))
    return DoseReading(kind=kind, irradiation_events=(event,))


def _first(value: float | None, otherwise: Callable[[], float | None]) -> float | None:
    return value if value is not None else otherwise()


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _class_name(sop_class_uid: str) -> str:
    name = UID(sop_class_uid).name
    return f"{name} ({sop_class_uid})" if name != sop_class_uid else f"class {sop_class_uid[:64]}"


_READERS: Mapping[str, Callable[[Header], DoseReading]] = {
    "1.2.840.10008.5.1.4.1.1.1": read_projection_image,  # CR
    "1.2.840.10008.5.1.4.1.1.1.1": read_projection_image,  # DX, panoramic too, for presentation
    "1.2.840.10008.5.1.4.1.1.1.1.1": read_projection_image,  # for processing
    "1.2.840.10008.5.1.4.1.1.1.3": read_projection_image,  # intra-oral, for presentation
    "1.2.840.10008.5.1.4.1.1.1.3.1": read_projection_image,  # for processing
    "1.2.840.10008.5.1.4.1.1.1.2": read_mammography_image,  # for presentation
    "1.2.840.10008.5.1.4.1.1.1.2.1": read_mammography_image,  # for processing
    "1.2.840.10008.5.1.4.1.1.2": read_ct_image,
    "1.2.840.10008.5.1.4.1.1.7": read_ct_capture,  # Secondary Capture
    "1.2.840.10008.5.1.4.1.1.128": read_pet_image,
    "1.2.840.10008.5.1.4.1.1.20": read_nm_image,
}
"""SOP classes (PS3.6 A)."""
