"""By what a CTDIvol is multiplied for a patient's size: f(Dw) = a · exp(-b · Dw), AAPM Report 204, one function for
each dosimetry phantom. The numbers stand in `factors.csv`, each row with its source and with how it was checked. Pure.

AAPM Report 220 has these functions taken at the water-equivalent diameter. Both reports are about the trunk; for heads
Report 293 has another function, whose numbers could not be checked: heads have no factor.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import exp
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("factors.csv")


@dataclass(frozen=True, kw_only=True, slots=True)
class Factor:
    """The function of one phantom, with where it is from."""

    phantom: str
    """CTDIw Phantom Type, as the registry has it."""
    phantom_diameter_cm: float
    a: float
    b_per_cm: float
    least_cm: float
    """The smallest and the greatest size of the report's table; there is no factor outside of them."""
    greatest_cm: float
    report: str
    table: str
    page: str
    checked: str

    def at(self, water_equivalent_diameter_mm: float) -> float | None:
        """The factor for this size; None where the report's table does not go so far."""
        size_cm = water_equivalent_diameter_mm / 10
        if not self.least_cm <= size_cm <= self.greatest_cm:
            return None
        return self.a * exp(-self.b_per_cm * size_cm)


NUMBERS = ("phantom_diameter_cm", "a", "b_per_cm", "least_cm", "greatest_cm")


@cache
def factors() -> Mapping[str, Factor]:
    """By phantom."""
    with SOURCE.open(encoding="utf-8", newline="") as lines:
        return {row["phantom"]: _factor(row) for row in csv.DictReader(lines)}


def _factor(row: Mapping[str, str]) -> Factor:
    values: dict[str, Any] = {name: float(text) if name in NUMBERS else text for name, text in row.items()}
    return Factor(**values)
