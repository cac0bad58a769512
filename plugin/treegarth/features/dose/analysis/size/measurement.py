"""How large the patient is in one axial CT image: water-equivalent and effective diameter, and how much of the patient
the image cuts off. Pure.

AAPM Report 220: Dw = 2 · sqrt((mean CT number / 1000 + 1) · A / π) over the patient's region of area A. AAPM Report
204: effective diameter = sqrt(AP · lateral).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, pi, sqrt

import numpy as np
import numpy.typing as npt

from treegarth.features.dose.analysis.size.masks import Mask, dilated, eroded, largest_region, without_holes

TISSUE_ABOVE_HU = -383.0
"""What is denser is patient, or table: the threshold of figure 2 of AAPM Report 220."""
THIN_MM = 5.0
"""What is thinner and sticks to the patient is the shell of a table or a sheet, and is taken off."""
SMALLEST_MM2 = 1_000.0
"""A region below that is no patient: AAPM 204's smallest is a disc of 6 cm, 2,800 mm²."""
MOST_HU = 4_000.0
"""No body is denser as a whole than bone: such numbers are no Hounsfield units."""
AIR_HU = -1000.0
PADDED_BELOW_HU = -1010.0
"""A corner that is emptier than air was never measured: many devices fill what lies outside of the circle so."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One axial image, in Hounsfield units; `is_measured` says which pixels the scanner measured."""

    hounsfield: npt.NDArray[np.float32]
    is_measured: Mask
    row_spacing_mm: float
    """Between the centres of neighbouring rows."""
    column_spacing_mm: float
    is_turned: bool = False
    """Whether rows run from front to back of the patient, as where he lies on his side."""
    z_mm: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """The patient in one image."""

    z_mm: float | None
    water_equivalent_diameter_mm: float
    effective_diameter_mm: float
    lateral_mm: float
    ap_mm: float
    area_mm2: float
    mean_hu: float
    truncated_fraction: float
    """Of the patient's border, how much lies on the edge of the field of view: 0 where all of him is seen."""


def measure(image: Slice) -> Size | None:
    """The patient's size; None where the image shows nobody."""
    region = patient_region(image)
    area = float(np.count_nonzero(region)) * image.row_spacing_mm * image.column_spacing_mm
    if area < SMALLEST_MM2:
        return None
    mean = float(image.hounsfield[region].mean(dtype=np.float64))
    if not isfinite(mean) or mean > MOST_HU:
        return None
    down, across = _extent(region, 1) * image.row_spacing_mm, _extent(region, 0) * image.column_spacing_mm
    ap, lateral = (across, down) if image.is_turned else (down, across)
    return Size(
        z_mm=image.z_mm,
        water_equivalent_diameter_mm=2 * sqrt(max(mean / 1000 + 1, 0.0) * area / pi),
        effective_diameter_mm=sqrt(ap * lateral),
        lateral_mm=lateral,
        ap_mm=ap,
        area_mm2=area,
        mean_hu=mean,
        truncated_fraction=_truncated(region, image.is_measured),
    )


def patient_region(image: Slice) -> Mask:
    """The largest region of tissue with all that it encloses, without the table: thin things are taken off first, and
    what hangs on the patient by them."""
    tissue = (image.hounsfield > TISSUE_ABOVE_HU) & image.is_measured
    rows = max(1, round(THIN_MM / 2 / image.row_spacing_mm))
    columns = max(1, round(THIN_MM / 2 / image.column_spacing_mm))
    core = largest_region(eroded(tissue, rows, columns, beyond=True))
    return without_holes(dilated(core, rows + 1, columns + 1) & tissue)


def _extent(region: Mask, axis: int) -> int:
    found = np.nonzero(region.any(axis=axis))[0]
    return int(found[-1] - found[0]) + 1


def _truncated(region: Mask, is_measured: Mask) -> float:
    border = region & ~eroded(region, 1, 1)
    at_edge = border & ~eroded(is_measured, 1, 1)
    return float(np.count_nonzero(at_edge)) / float(np.count_nonzero(border))
