"""The quantities of an exam that are asked of every device: where a report has the total, an event its share. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from treegarth.features.dose.registry.decision.facts import EventFacts, SourceFacts
from treegarth.features.dose.registry.decision.quantities import Asked

DLP = Asked(
    total=lambda source: number_of(source, "dlp_total_mgy_cm"),
    value=lambda event: _sum(one.dlp_mgy_cm for one in event.doses),
    concerns=lambda account: account.source.kind == "ct",
    kind="ct",
)
DAP = Asked(
    total=lambda source: number_of(source, "dose_area_product_total_gy_m2"),
    value=lambda event: event.numbers.get("dose_area_product_gy_m2"),
    concerns=lambda account: account.source.kind == "projection" or "dose_area_product_gy_m2" in account.event.numbers,
    kind="projection",
)
FLUORO_TIME = Asked(
    total=lambda source: number_of(source, "total_fluoro_time_s"),
    value=lambda event: event.fluoro_time_s if event.is_fluoroscopy else None,
    concerns=lambda account: account.event.is_fluoroscopy,
    kind="projection",
)


def glandular_dose(side: str, name: str) -> Asked:
    """Of one breast; an event that does not say of which is not of the other."""
    return Asked(
        total=lambda source: number_of(source, f"accumulated_average_glandular_dose_{name}_mgy"),
        value=lambda event: event.numbers.get("average_glandular_dose_mgy") if event.side == side else None,
        concerns=lambda account: account.source.kind == "mammography" and account.event.side in (side, None),
        kind="mammography",
    )


SUMS: Mapping[str, Asked] = {
    "dose_area_product_gy_m2": DAP,
    "glandular_dose_left_mgy": glandular_dose("L", "left"),
    "glandular_dose_right_mgy": glandular_dose("R", "right"),
    "total_fluoro_time_s": FLUORO_TIME,
}


def quantities_of(event: EventFacts) -> list[str]:
    """The quantities of the exam into which an event's numbers enter as terms of a sum."""
    names = {
        "dose_area_product_gy_m2": ["dose_area_product_gy_m2"],
        "dose_rp_gy": ["dose_rp_gy"],
        "administered_activity_mbq": ["administered_activity_mbq"],
        "average_glandular_dose_mgy": ["glandular_dose_left_mgy", "glandular_dose_right_mgy"],
    }
    found = [quantity for name, quantities in names.items() if event.numbers.get(name) for quantity in quantities]
    if event.side is not None:
        other = "right" if event.side == "L" else "left"
        found = [one for one in found if one != f"glandular_dose_{other}_mgy"]
    if any(one.dlp_mgy_cm for one in event.doses):
        found += ["dlp_mgy_cm", "dlp_head_mgy_cm", "dlp_body_mgy_cm"]
    return found + (["total_fluoro_time_s"] if event.is_fluoroscopy and event.fluoro_time_s else [])


def number_of(source: SourceFacts, name: str) -> float | None:
    value = source.totals.get(name)
    return float(value) if isinstance(value, int | float) else None


def _sum(numbers: Iterable[float | None]) -> float | None:
    known = [one for one in numbers if one is not None]
    return sum(known) if known else None
