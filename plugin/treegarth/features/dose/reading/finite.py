"""Keep of a reading what the registry and JSON can hold: sums may be too large for a number. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from treegarth.features.dose.reading.model import DoseReading, Issue, Values
from treegarth.features.dose.sums import known_sum
from treegarth.phrases import P_

SUMMED = (
    "dlp_mgy_cm",
    "dose_area_product_gy_m2",
    "dose_rp_gy",
    "administered_activity_mbq",
    "effective_dose_msv",
)
"""What a study's row has the sum of, over its events or administrations."""


def finite_reading(reading: DoseReading, issues: list[Issue]) -> DoseReading:
    """The reading without numbers that are not finite; each of them is an issue, and each sum that will be unknown."""
    kept = replace(
        reading,
        totals=_kept(reading.totals, "totals", issues),
        irradiation_events=_each_kept(reading.irradiation_events, "irradiation event", issues),
        administrations=_each_kept(reading.administrations, "administration", issues),
        report=_kept(reading.report, "report", issues),
    )
    for place, entries in (("irradiation events", kept.irradiation_events), ("administrations", kept.administrations)):
        for name in SUMMED:
            numbers = [entry[name] for entry in entries if isinstance(entry.get(name), float)]
            if numbers and known_sum(numbers) is None:
                issues.append(Issue(f"{place}/{name}", P_("the sum of these numbers is too large to be kept")))
    return kept


def _each_kept(entries: Sequence[Values], name: str, issues: list[Issue]) -> tuple[Values, ...]:
    return tuple(_kept(entry, f"{name} {number}", issues) for number, entry in enumerate(entries, start=1))


def _kept(value: Any, path: str, issues: list[Issue]) -> Any:
    """What stays of it: a name goes, a place in a list stays empty."""
    if isinstance(value, Mapping):
        kept = {name: _kept(part, f"{path}/{name}", issues) for name, part in value.items()}
        return {name: part for name, part in kept.items() if part is not None or value[name] is None}
    if isinstance(value, list):
        return [_kept(part, f"{path} {number}", issues) for number, part in enumerate(value, start=1)]
    if isinstance(value, float) and not isfinite(value):
        issues.append(Issue(path, P_("the number is too large to be kept")))
        return None
    return value
