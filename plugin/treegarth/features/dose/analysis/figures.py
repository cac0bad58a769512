"""What figures of doses are about: quantities and their words, bands, what leads each modality. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from treegarth.features.dose.analysis.wanted import Level, Phantom
from treegarth.features.dose.quantities import BEST, DERIVED, OF_EVENT, ShownQuantity
from treegarth.phrases import N_

EXAM_COUNT = "irradiation_event_count"
"""The quantity of which each exam has a row, whatever doses it has."""

OF_LEVEL: Mapping[Level, Mapping[str, ShownQuantity]] = {
    "exam": {**BEST, **DERIVED},
    "event": {one.column: one for one in OF_EVENT},
}

LEADING: Mapping[str, tuple[str, ...]] = {
    "CT": ("dlp_body_mgy_cm", "dlp_head_mgy_cm"),
    "MG": ("glandular_dose_left_mgy", "glandular_dose_right_mgy"),
    "PT": ("administered_activity_mbq",),
    "NM": ("administered_activity_mbq",),
}
"""What exams of a modality are known by, without a mix of phantoms or breasts; of the others it is the DAP."""
OF_PROJECTION = ("dose_area_product_gy_m2",)
EVERY_LEADING = tuple(dict.fromkeys((*(one for some in LEADING.values() for one in some), *OF_PROJECTION)))


def leading_of(modality: str) -> tuple[str, ...]:
    return LEADING.get(modality, OF_PROJECTION)


PHANTOM_NAMES: Mapping[Phantom, str] = {
    "body": N_("Body 32 cm"),
    "head": N_("Head 16 cm"),
    "both": N_("both phantoms"),
    "unknown": N_("phantom not told"),
}

By = Literal["month", "quarter", "device", "age", "weight", "name"]
"""By what values are grouped."""

AGES = (1.0, 5.0, 10.0, 15.0, 18.0, 40.0, 60.0, 80.0)
WEIGHTS = (5.0, 15.0, 30.0, 50.0, 80.0, 100.0)
"""Where one band ends and the next begins, in years and kg."""

Size = Literal["weight", "height", "bmi"]


@dataclass(frozen=True, kw_only=True)
class ShownSize:
    label: str
    unit: str


SIZES: Mapping[Size, ShownSize] = {
    "weight": ShownSize(label=N_("Weight"), unit="kg"),
    "height": ShownSize(label=N_("Height"), unit="m"),
    "bmi": ShownSize(label=N_("Body mass index"), unit="kg/m²"),
}


def band_names(ends: tuple[float, ...]) -> list[str]:
    """The bands between these ends, each as it is half-open: `<1`, `1–<5`, `≥80`."""
    inner = [f"{low:g}–<{high:g}" for low, high in pairwise(ends)]
    return [f"<{ends[0]:g}", *inner, f"≥{ends[-1]:g}"]
