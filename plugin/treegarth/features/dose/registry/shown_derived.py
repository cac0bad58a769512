"""What is derived of an exam as its page shows it, and why something is not. No queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from treegarth.features.dose.analysis.store.derived import DerivedDose, NotDerived
from treegarth.features.dose.quantities import DERIVED, ShownQuantity
from treegarth.features.dose.registry.shown_tables import readable_meaning


@dataclass(frozen=True, kw_only=True)
class ShownDerived:
    """A derived quantity, its formula in words, and what went into it."""

    name: str
    shown: ShownQuantity
    value: float
    is_doubted: bool
    formula: str  # a msgid
    lines: list[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ShownReason:
    """Why a quantity is not derived."""

    shown: ShownQuantity
    reason: str


def shown_derived(found: Iterable[DerivedDose]) -> list[ShownDerived]:
    """Those whose names are known."""
    return [
        ShownDerived(
            name=one.quantity,
            shown=DERIVED[one.quantity],
            value=one.value,
            is_doubted=one.is_doubted,
            formula=DERIVED[one.quantity].formula,
            lines=[
                {**line, "of": None if line["of"] is None else readable_meaning(line["of"])}
                for line in one.details.get("lines") or ()
            ],
        )
        for one in found
        if one.quantity in DERIVED
    ]


def shown_reasons(missing: Iterable[NotDerived]) -> list[ShownReason]:
    """Those whose names are known."""
    return [ShownReason(shown=DERIVED[one.quantity], reason=one.reason) for one in missing if one.quantity in DERIVED]
