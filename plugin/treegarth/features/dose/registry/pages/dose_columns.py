"""Which quantities the dose list shows for which kind of examination, and between which limits it can be asked for.

Tables only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from treegarth.features.dose.quantities import QUANTITIES, ShownQuantity, asked_for
from treegarth.phrases import N_


@dataclass(frozen=True, kw_only=True)
class DoseColumn:
    """A column of the list: the totals that it shows; `narrow` says how early it goes where space is short."""

    names: tuple[str, ...]
    quantity: ShownQuantity
    narrow: str = ""


@dataclass(frozen=True, kw_only=True)
class Range:
    """Two fields of the filter, and where they belong."""

    first: str
    last: str
    label: str
    unit: str = ""
    whole: bool = False


def _column(name: str, narrow: str = "") -> DoseColumn:
    return DoseColumn(names=(name,), quantity=QUANTITIES[name], narrow=narrow)


OF_KIND: dict[str, tuple[DoseColumn, ...]] = {
    "ct": (_column("best_ctdi_vol_max_mgy", "c-0"), _column("best_dlp_mgy_cm")),
    "projection": (_column("best_dose_area_product_gy_m2"), _column("best_dose_rp_gy", "c-0")),
    "mammography": (_column("best_glandular_dose_left_mgy"), _column("best_glandular_dose_right_mgy")),
    "radiopharmaceutical": (_column("best_administered_activity_mbq"), _column("effective_dose_msv", "c-1")),
}
"""Where the list shows one kind of examination."""

BREASTS = DoseColumn(
    names=("best_glandular_dose_left_mgy", "best_glandular_dose_right_mgy"),
    quantity=ShownQuantity(label=N_("AGD left / right"), unit="mGy"),
    narrow="c-2",
)
ALWAYS = (_column("best_dlp_mgy_cm"), _column("best_dose_area_product_gy_m2", "c-1"))
WHERE_PRESENT: dict[str, tuple[DoseColumn, ...]] = {
    "mammography": (BREASTS,),
    "radiopharmaceutical": (_column("best_administered_activity_mbq", "c-2"),),
}
"""Where it shows all kinds: what most have, and what the studies of the page have."""


def _ranges(*, usual: bool) -> list[Range]:
    return [
        Range(first=asked.parameters[0], last=asked.parameters[1], label=asked.label, unit=quantities[0].unit)
        for asked, quantities in asked_for().items()
        if asked.is_usual is usual
    ]


EVERY = tuple(
    {one.names: one for columns in (*OF_KIND.values(), *WHERE_PRESENT.values(), ALWAYS) for one in columns}.values()
)
"""Every column that the list can have, once."""

RANGES = _ranges(usual=True)
MORE_RANGES = [
    *_ranges(usual=False),
    Range(first="events_from", last="events_to", label=N_("Events"), whole=True),
]


def columns_of(kind: str | None, kinds_shown: Iterable[str]) -> tuple[DoseColumn, ...]:
    """The columns where the list is restricted to a kind, or shows these kinds."""
    if kind is not None:
        return OF_KIND[kind]
    shown = set(kinds_shown)
    return ALWAYS + tuple(column for kind, columns in WHERE_PRESENT.items() if kind in shown for column in columns)
