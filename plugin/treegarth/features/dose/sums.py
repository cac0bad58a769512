"""Sums of doses that no doses are too large for: exact, and unknown where a number cannot keep them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import isfinite


def exact_sum(numbers: Iterable[float]) -> Decimal:
    """Of their shortest digits: 0.1 and 0.2 are 0.3."""
    return sum((Decimal(str(number)) for number in numbers), Decimal(0))


def known_sum(numbers: Sequence[float | None]) -> float | None:
    """The sum of what is known; None when nothing is, or a number cannot keep it."""
    known = [number for number in numbers if number is not None]
    total = float(exact_sum(known))
    return total if known and isfinite(total) else None
