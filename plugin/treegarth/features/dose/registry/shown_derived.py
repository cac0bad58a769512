"""What is derived of an exam as its page shows it, and why something is not. No queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
            lines=[*_lines(one.details), *_of_series(one)],
        )
        for one in found
        if one.quantity in DERIVED
    ]


def _lines(details: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        {"is_left_out": False, **line, "of": None if line["of"] is None else readable_meaning(line["of"])}
        for line in details.get("lines") or ()
    ]


def _of_series(one: DerivedDose) -> Iterator[Mapping[str, Any]]:
    """Of what was measured in images: the numbers of each series, the one that the value is of first."""
    series = sorted(one.details.get("series") or (), key=lambda some: -some["ssde_mean_mgy"])
    for some in series:
        size = some["water_equivalent_diameter_mean_mm"]
        given = (
            ("SSDE", some["ssde_mean_mgy"], "mGy"),
            ("CTDIvol", some["ctdi_vol_mgy"], "mGy"),
            ("Dw", None if size is None else size / 10, "cm"),
            ("a", some["a"], ""),
            ("b", some["b_per_cm"], "/cm"),
        )
        inputs = [{"name": name, "value": value, "unit": unit} for name, value, unit in given if value is not None]
        yield {"of": None, "inputs": inputs, "source": some["source"], "is_site": False, "is_left_out": False}


def shown_reasons(missing: Iterable[NotDerived]) -> list[ShownReason]:
    """Those whose names are known."""
    return [ShownReason(shown=DERIVED[one.quantity], reason=one.reason) for one in missing if one.quantity in DERIVED]
