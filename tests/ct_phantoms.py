"""Digital phantoms as axial CT images: bodies of known size and density, a table beneath, a circle of reconstruction.

Edges are drawn as a scanner blurs them: each pixel has the mean of the points in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from math import pi, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless

from tests.dose_builder import as_file, code

CT = "1.2.840.10008.5.1.4.1.1.2"
POINTS = 4
"""Points in a pixel, in each direction."""
AIR = -1000.0
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Ellipse:
    """A disc of one density; lengths in mm, the centre from that of the image, to the right and downwards."""

    half_width: float
    half_height: float
    hu: float = 0.0
    x: float = 0.0
    y: float = 0.0

    def covers(self, x: Array, y: Array) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = ((x - self.x) / self.half_width) ** 2 + (
            (y - self.y) / self.half_height
        ) ** 2 <= 1
        return found

    @property
    def area(self) -> float:
        return pi * self.half_width * self.half_height


@dataclass(frozen=True, kw_only=True)
class Bow:
    """The shell of a table: between two circles with one centre above it, below a height."""

    radius: float
    thick: float
    below: float
    hu: float = 200.0
    y: float = -300.0

    def covers(self, x: Array, y: Array) -> npt.NDArray[np.bool_]:
        distance = np.sqrt(x**2 + (y - self.y) ** 2)
        found: npt.NDArray[np.bool_] = (
            (distance >= self.radius) & (distance <= self.radius + self.thick) & (y > self.below)
        )
        return found


Shape = Ellipse | Bow


def water_equivalent(body: Ellipse, *inside: Ellipse) -> float:
    """Dw in mm of a body with things in it, by its formula: 2 · sqrt(Σ (HU / 1000 + 1) · A / π)."""
    water = (body.hu / 1000 + 1) * body.area
    water += sum((one.hu - body.hu) / 1000 * one.area for one in inside)
    return 2 * sqrt(water / pi)


def drawn(
    *shapes: Shape, pixels: int = 256, spacing: tuple[float, float] = (1.6, 1.6), circle: float | None = None
) -> Array:
    """Hounsfield units: each shape over those before it, in air; NaN outside of a circle of this radius."""
    rows = _places(pixels, spacing[0])
    columns = _places(pixels, spacing[1])
    y, x = np.meshgrid(rows, columns, indexing="ij")
    fine = np.full(y.shape, AIR)
    for one in shapes:
        fine[one.covers(x, y)] = one.hu
    found: Array = fine.reshape(pixels, POINTS, pixels, POINTS).mean(axis=(1, 3))
    if circle is not None:
        centre_y, centre_x = y[POINTS // 2 :: POINTS, ::POINTS], x[::POINTS, POINTS // 2 :: POINTS]
        found[np.sqrt(centre_x**2 + centre_y**2) > circle] = np.nan
    return found


def _places(pixels: int, spacing: float) -> Array:
    found: Array = ((np.arange(pixels * POINTS) + 0.5) / POINTS - pixels / 2) * spacing
    return found


def ct_slice(
    hounsfield: Array,
    *,
    number: int = 1,
    series: str = "1.2.3.8",
    study: str = "1.2.3",
    spacing: tuple[float, float] = (1.6, 1.6),
    slope: float = 1.0,
    intercept: float = -1024.0,
    is_signed: bool = False,
    padding: int | None = None,
    z: float | None = None,
    ctdi_vol: float | None = 8.2,
    phantom: str | None = "113691",
    event: str | None = None,
    **header: Any,
) -> Dataset:
    """A CT image of these numbers; NaN becomes the padding value, or the least that it can hold."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, f"{series}.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
    dataset.PatientID, dataset.Modality, dataset.StudyDate = "4711", "CT", "20240229"
    dataset.ImageType, dataset.InstanceNumber = ["ORIGINAL", "PRIMARY", "AXIAL"], str(number)
    dataset.BodyPartExamined = "CHEST"
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [-200, -200, number * 5.0 if z is None else z]
    dataset.PixelSpacing = list(spacing)
    dataset.Rows, dataset.Columns = hounsfield.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = int(is_signed)
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = slope, intercept, "HU"
    least = -32768 if is_signed else 0
    fill = least if padding is None else padding
    stored = np.where(np.isnan(hounsfield), fill, np.round((hounsfield - intercept) / slope))
    dataset.PixelData = stored.astype(np.int16 if is_signed else np.uint16).tobytes()
    dataset["PixelData"].VR = "OW"
    if padding is not None:
        dataset.add_new(0x00280120, "SS" if is_signed else "US", padding)
    if ctdi_vol is not None:
        dataset.CTDIvol = ctdi_vol
    if phantom is not None:
        dataset.CTDIPhantomTypeCodeSequence = [code(phantom)]
    if event is not None:
        dataset.IrradiationEventUID = event
    for keyword, value in header.items():
        setattr(dataset, keyword, value)
    return dataset


def file_of(dataset: Dataset, transfer_syntax_uid: UID = ExplicitVRLittleEndian) -> bytes:
    """Its bytes, compressed where the transfer syntax is one that compresses."""
    if transfer_syntax_uid == JPEG2000Lossless:
        dataset.PixelData = encapsulate([_jpeg_2000(dataset)])
    elif transfer_syntax_uid.is_encapsulated:
        as_file(dataset)  # gives it the header that the compression asks for
        dataset.compress(transfer_syntax_uid, generate_instance_uid=False)
    return as_file(dataset, transfer_syntax_uid)


def _jpeg_2000(dataset: Dataset) -> bytes:
    """Its unsigned pixels as a code stream: pydicom has no encoder for it."""
    from PIL import Image

    pixels = np.frombuffer(dataset.PixelData, np.uint16).reshape(dataset.Rows, dataset.Columns)
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, format="JPEG2000", irreversible=False, no_jp2=True)
    return stream.getvalue()


def scan(*shapes: Shape, slices: int = 5, **given: Any) -> Sequence[bytes]:
    """The files of a series that shows the same in each image."""
    picture = drawn(*shapes)
    return [file_of(ct_slice(picture, number=number, **given)) for number in range(1, slices + 1)]
