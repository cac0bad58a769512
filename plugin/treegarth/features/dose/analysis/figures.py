"""What figures of doses are about: quantities and their words, bands, what leads each modality. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, TypeAlias

from treegarth.features.dose.analysis.wanted import Level, Phantom
from treegarth.features.dose.quantities import BEST, DERIVED, OF_EVENT, ShownQuantity
from treegarth.phrases import N_

EXAM_COUNT = "irradiation_event_count"
"""The quantity of which each exam has a row, whatever doses it has."""

_PARTS = {
    "dlp_head_mgy_cm": N_("Part of the DLP in the 16 cm phantom"),
    "dlp_body_mgy_cm": N_("Part of the DLP in the 32 cm phantom"),
}
"""Beside the DLP of whole exams by phantom they would else have its name."""
OF_LEVEL: Mapping[Level, Mapping[str, ShownQuantity]] = {
    "exam": {**BEST, **DERIVED, **{name: replace(BEST[name], label=label) for name, label in _PARTS.items()}},
    "event": {one.column: one for one in OF_EVENT},
}

Leads: TypeAlias = tuple[str, Phantom | None]
LEADING: Mapping[str, tuple[Leads, ...]] = {
    "CT": (("dlp_mgy_cm", "body"), ("dlp_mgy_cm", "head")),
    "MG": (("glandular_dose_left_mgy", None), ("glandular_dose_right_mgy", None)),
    "PT": (("administered_activity_mbq", None),),
    "NM": (("administered_activity_mbq", None),),
}
"""What exams of a modality are known by, without a mix of phantoms or breasts; of the others it is the DAP. Of CT the
DLP of whole exams: the part of either phantom would hold the localizers of exams of the other one as well."""
OF_PROJECTION = "dose_area_product_gy_m2"


def leading_of(modality: str) -> tuple[Leads, ...]:
    return LEADING.get(modality, ((OF_PROJECTION, None),))


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
