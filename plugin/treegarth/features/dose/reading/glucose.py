"""Read blood glucose, which is written by amount or by mass (TID 10024 row 11). Pure.

The template has LOINC 14749-6, moles per volume, in mmol/l. Where a device writes a mass per volume, as in mg/dl, it is
divided by the molar mass of C6H12O6 (IUPAC, Standard Atomic Weights 2021, abridged: C 12.011, H 1.008, O 15.999).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from treegarth.dicom.sr_tree import ContentItem
from treegarth.features.dose.reading.fields import Number

MOLAR_MASS_G_PER_MOL = 6 * Decimal("12.011") + 12 * Decimal("1.008") + 6 * Decimal("15.999")

BY_AMOUNT = frozenset({"mmol/l", "mmol/L", "mol/m3", "umol/ml", "umol/mL"})
"""Codes of units that are the same: mmol/l."""


@dataclass(frozen=True, slots=True)
class Glucose:
    """A NUM in mmol/l."""

    name: str
    many: bool = False

    def read(self, item: ContentItem) -> float | None:
        if item.unit is not None and item.unit.value in BY_AMOUNT:
            amount = Number(self.name, item.unit.value).read(item)
            return amount if isinstance(amount, float) else None
        mass_mg_per_l = Number(self.name, "mg/L").read(item)
        if not isinstance(mass_mg_per_l, float):
            return None
        return float(Decimal(repr(mass_mg_per_l)) / MOLAR_MASS_G_PER_MOL)
