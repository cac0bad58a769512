"""Take one CT image apart: numbers in Hounsfield units, spacing, place; or say why it is not used. Pure.

Only axial originals are measured: localizers are no cross-sections, reformatted and derived images no other patient.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset, dcmread
from pydicom.pixels import pixel_array

from treegarth.errors import TreegarthError
from treegarth.features.dose.analysis.size.masks import Mask, reaching_border
from treegarth.features.dose.analysis.size.measurement import AIR_HU, PADDED_BELOW_HU, Slice
from treegarth.features.dose.analysis.size.reasons import Reason
from treegarth.phrases import P_, Phrase

LEAST_AXIAL = 0.95
"""How much of the normal of an axial image points along the patient: gantries tilt by up to 18° here, reformatted
images are coronal, sagittal or oblique."""
CORNER = 4
"""Pixels in each direction that a corner has."""
MOST_PIXELS = 4096 * 4096
LEAST_SPACING_MM, GREATEST_SPACING_MM = 0.01, 20.0
MOST_CTDI_VOL_MGY = 1e6


@dataclass(frozen=True, kw_only=True, slots=True)
class Exposure:
    """What an image says of the exposure that it is of."""

    irradiation_event_uids: tuple[str, ...]
    """(0008,3010)"""
    ctdi_vol_mgy: float | None
    """CTDIvol (0018,9345) at this image."""


@dataclass(frozen=True, kw_only=True)
class ReadImage:
    """What of an image is measured, and what it says of its exposure."""

    slice: Slice
    exposure: Exposure


class NotUsed(TreegarthError):
    """An image that is not measured; `reason` says why in one of the words of `Reason`."""

    def __init__(self, reason: Reason, sentence: Phrase) -> None:
        super().__init__(sentence)
        self.reason = reason


def read_image(data: bytes) -> ReadImage:
    """The image of a DICOM file. Raises NotUsed, whatever the bytes are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pydicom warns of is refused here, or does not matter
        try:
            return _read(dcmread(BytesIO(data)))
        except NotUsed:
            raise
        except Exception as error:  # of a header that holds anything
            raise NotUsed(
                Reason.UNREADABLE, P_("It could not be read: %(kind)s.", kind=type(error).__name__)
            ) from error


def _read(dataset: Dataset) -> ReadImage:
    _refuse_others(dataset)
    rows, columns = _numbers(dataset, "PixelSpacing", 2)
    if not LEAST_SPACING_MM <= min(rows, columns) <= max(rows, columns) <= GREATEST_SPACING_MM:
        raise NotUsed(Reason.UNREADABLE, P_("Its %(name)s is missing or no number.", name="PixelSpacing"))
    turned = _orientation(dataset)
    hounsfield, measured = _pixels(dataset)
    return ReadImage(
        slice=Slice(
            hounsfield=hounsfield,
            is_measured=measured,
            row_spacing_mm=rows,
            column_spacing_mm=columns,
            is_turned=turned,
            z_mm=_position(dataset),
        ),
        exposure=Exposure(irradiation_event_uids=_uids(dataset), ctdi_vol_mgy=_ctdi_vol(dataset)),
    )


def is_original(image_type: Sequence[str] | None) -> bool:
    """Whether Image Type (0008,0008) says that an image is an original cross-section (PS3.3 C.8.2.1.1.1)."""
    given = [str(one).strip().upper() for one in image_type or ()]
    return given[:2] == ["ORIGINAL", "PRIMARY"] and "LOCALIZER" not in given


def _refuse_others(dataset: Dataset) -> None:
    image_type = dataset.get("ImageType")
    if not is_original([image_type] if isinstance(image_type, str) else image_type):
        raise NotUsed(Reason.NOT_ORIGINAL, P_("It is a localizer, or derived from other images."))
    if int(dataset.get("NumberOfFrames") or 1) > 1:
        raise NotUsed(Reason.MULTI_FRAME, P_("Objects of several frames are not measured."))
    unit = str(dataset.get("RescaleType") or "HU").strip().upper()
    if unit not in ("HU", "US"):
        raise NotUsed(Reason.NOT_HOUNSFIELD, P_("Its numbers are %(unit)s, no Hounsfield units.", unit=unit))
    if "RescaleSlope" not in dataset or "RescaleIntercept" not in dataset:
        raise NotUsed(Reason.NOT_HOUNSFIELD, P_("It does not say how its numbers become Hounsfield units."))
    if int(dataset.Rows) * int(dataset.Columns) > MOST_PIXELS or int(dataset.get("SamplesPerPixel") or 1) != 1:
        raise NotUsed(Reason.UNREADABLE, P_("It is no image of one number for each pixel, or too large."))


def _orientation(dataset: Dataset) -> bool:
    """Whether its rows run from front to back. Raises NotUsed for what is not axial."""
    row = np.array(_numbers(dataset, "ImageOrientationPatient", 6)[:3])
    column = np.array(_numbers(dataset, "ImageOrientationPatient", 6)[3:])
    if abs(float(np.cross(row, column)[2])) < LEAST_AXIAL:
        raise NotUsed(Reason.NOT_AXIAL, P_("It is no axial image."))
    return bool(abs(row[1]) > abs(row[0]))


def _pixels(dataset: Dataset) -> tuple[npt.NDArray[np.float32], Mask]:
    """Hounsfield units, and which pixels were measured; the others count as air."""
    try:
        stored = pixel_array(dataset)
    except Exception as error:  # of whichever decoder is installed
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        kind = getattr(syntax, "name", None) or type(error).__name__
        sentence = P_("Its pixels could not be decoded (%(syntax)s).", syntax=kind)
        raise NotUsed(Reason.UNREADABLE, sentence) from error
    if stored.ndim != 2:
        raise NotUsed(Reason.UNREADABLE, P_("It is no image of one number for each pixel, or too large."))
    slope, intercept = _number(dataset, "RescaleSlope"), _number(dataset, "RescaleIntercept")
    if slope is None or intercept is None or slope == 0:
        raise NotUsed(Reason.NOT_HOUNSFIELD, P_("It does not say how its numbers become Hounsfield units."))
    hounsfield = stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    measured = ~reaching_border(_padding(dataset, stored) | _empty_corners(hounsfield))
    hounsfield[~measured] = AIR_HU
    return hounsfield, measured


def _padding(dataset: Dataset, stored: npt.NDArray[Any]) -> Mask:
    """What Pixel Padding Value (0028,0120) and its limit (0028,0121) say to be no measurement (PS3.3 C.7.5.1.1.2)."""
    first = _stored_number(dataset, "PixelPaddingValue")
    if first is None:
        return np.zeros(stored.shape, dtype=np.bool_)
    last = _stored_number(dataset, "PixelPaddingRangeLimit")
    low, high = sorted((first, first if last is None else last))
    return (stored >= low) & (stored <= high)


def _empty_corners(hounsfield: npt.NDArray[np.float32]) -> Mask:
    """What is as empty as a corner that is emptier than air, and has no noise: filled up outside of the circle, without
    being named."""
    nothing: Mask = np.zeros(hounsfield.shape, dtype=np.bool_)
    near, far = slice(None, CORNER), slice(-CORNER, None)
    for corner in (hounsfield[one, other] for one in (near, far) for other in (near, far)):
        value = corner.min()
        if value <= PADDED_BELOW_HU and value == corner.max():
            alike: Mask = hounsfield == value
            return alike
    return nothing


def _stored_number(dataset: Dataset, keyword: str) -> int | None:
    """A value of the kind of the pixels: devices write -2000 as 63536 too, by another VR than the pixels have."""
    value = _number(dataset, keyword)
    if value is None:
        return None
    bits, number = int(dataset.get("BitsAllocated") or 16), int(value)
    if int(dataset.get("PixelRepresentation") or 0) == 1:
        return number - (1 << bits) if number >= 1 << (bits - 1) else number
    return number + (1 << bits) if number < 0 else number


def _numbers(dataset: Dataset, keyword: str, count: int) -> list[float]:
    found = [float(one) for one in dataset.get(keyword) or ()]
    if len(found) != count or not np.isfinite(found).all():
        raise NotUsed(Reason.UNREADABLE, P_("Its %(name)s is missing or no number.", name=keyword))
    return found


def _number(dataset: Dataset, keyword: str) -> float | None:
    try:
        value = float(dataset.get(keyword))
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) else None


def _ctdi_vol(dataset: Dataset) -> float | None:
    value = _number(dataset, "CTDIvol")
    return value if value is not None and 0 < value <= MOST_CTDI_VOL_MGY else None


def _position(dataset: Dataset) -> float | None:
    try:
        place = float(dataset.ImagePositionPatient[2])
    except (AttributeError, IndexError, TypeError, ValueError):
        return None
    return place if np.isfinite(place) else None


def _uids(dataset: Dataset) -> tuple[str, ...]:
    given = dataset.get("IrradiationEventUID") or ()
    return tuple(sorted({str(one) for one in ([given] if isinstance(given, str) else given)}))
