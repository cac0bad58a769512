"""Read dose from image headers, for modalities that write no dose report. Pure.

By the SOP class, which fixes the attributes and their units (PS3.3): radiography C.8.1, C.8.11, mammography C.8.11.7,
fluoroscopy and angiography C.8.7, C.8.19, X-ray volumes C.8.21, CT C.8.2, C.8.15, PET C.8.9.2, C.8.22, nuclear medicine
C.8.4.10. A Secondary Capture is read by its modality.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydicom.uid import UID

from treegarth.features.dose.reading.captured_images import is_x_ray, reason_for_refusal
from treegarth.features.dose.reading.ct_images import read_ct_capture, read_ct_image, read_enhanced_ct_image
from treegarth.features.dose.reading.exposure import mammography_event, projection_event
from treegarth.features.dose.reading.header import Header
from treegarth.features.dose.reading.model import DoseReading
from treegarth.features.dose.reading.nuclear_images import read_enhanced_pet_image, read_nm_image, read_pet_image
from treegarth.features.dose.reading.x_ray_images import acquisition_events, enhanced_events
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
    """One exposure of radiography, fluoroscopy or angiography: a picture, or a run of many frames."""
    return _exposures("projection", [projection_event(header)])


def read_mammography_image(header: Header) -> DoseReading:
    """One exposure of mammography."""
    return _exposures("mammography", [mammography_event(header)])


def read_enhanced_projection_image(header: Header) -> DoseReading:
    """The exposures of the frames of an Enhanced XA or XRF object."""
    return _exposures("projection", enhanced_events(header, projection_event))


def read_breast_projections(header: Header) -> DoseReading:
    """The exposures of the frames of a Breast Projection X-Ray object."""
    return _exposures("mammography", enhanced_events(header, mammography_event))


def read_tomosynthesis(header: Header) -> DoseReading:
    """The exposures of which a breast tomosynthesis was made."""
    return _exposures("mammography", acquisition_events(header, mammography_event))


def read_x_ray_volume(header: Header) -> DoseReading:
    """The exposures of which a 3D angiographic or craniofacial image was made."""
    return _exposures("projection", acquisition_events(header, projection_event))


def read_capture(header: Header) -> DoseReading:
    """A captured CT dose page; or, in an X-ray series, the header of an original image."""
    if not is_x_ray(header):
        return read_ct_capture(header)
    read = read_mammography_image if header.text("Modality") == "MG" else read_projection_image
    found = read(header)
    reason = reason_for_refusal(header)
    return DoseReading(refused=reason) if found.refused is None and reason is not None else found


def _exposures(kind: Literal["projection", "mammography"], events: Sequence[dict[str, Any]]) -> DoseReading:
    told = tuple(event for event in events if any(name in event for name in DOSE_OR_EXPOSURE))
    if not told:
        return DoseReading(refused=P_("The image's header holds neither dose nor exposure."))
    return DoseReading(kind=kind, irradiation_events=told)


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
    "1.2.840.10008.5.1.4.1.1.12.1": read_projection_image,  # XA
    "1.2.840.10008.5.1.4.1.1.12.2": read_projection_image,  # RF
    "1.2.840.10008.5.1.4.1.1.12.1.1": read_enhanced_projection_image,  # Enhanced XA
    "1.2.840.10008.5.1.4.1.1.12.2.1": read_enhanced_projection_image,  # Enhanced XRF
    "1.2.840.10008.5.1.4.1.1.13.1.1": read_x_ray_volume,  # 3D angiographic
    "1.2.840.10008.5.1.4.1.1.13.1.2": read_x_ray_volume,  # 3D craniofacial
    "1.2.840.10008.5.1.4.1.1.13.1.3": read_tomosynthesis,
    "1.2.840.10008.5.1.4.1.1.13.1.4": read_breast_projections,  # for presentation
    "1.2.840.10008.5.1.4.1.1.13.1.5": read_breast_projections,  # for processing
    "1.2.840.10008.5.1.4.1.1.2": read_ct_image,
    "1.2.840.10008.5.1.4.1.1.2.1": read_enhanced_ct_image,
    "1.2.840.10008.5.1.4.1.1.2.2": read_enhanced_ct_image,  # legacy converted
    "1.2.840.10008.5.1.4.1.1.7": read_capture,  # Secondary Capture
    "1.2.840.10008.5.1.4.1.1.7.2": read_capture,  # multi-frame, grayscale byte
    "1.2.840.10008.5.1.4.1.1.7.3": read_capture,  # multi-frame, grayscale word
    "1.2.840.10008.5.1.4.1.1.7.4": read_capture,  # multi-frame, true color
    "1.2.840.10008.5.1.4.1.1.128": read_pet_image,
    "1.2.840.10008.5.1.4.1.1.128.1": read_pet_image,  # legacy converted enhanced
    "1.2.840.10008.5.1.4.1.1.130": read_enhanced_pet_image,
    "1.2.840.10008.5.1.4.1.1.20": read_nm_image,
}
"""SOP classes (PS3.6 A)."""
