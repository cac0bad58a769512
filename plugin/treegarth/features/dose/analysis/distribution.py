"""What the values of a quantity are like: how many, how large, how spread. Pure.

Percentiles are exact, between two neighbours in proportion (R's type 7, numpy's `linear`, PostgreSQL's
`percentile_cont`).
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from treegarth.database.finite_double import finite
from treegarth.features.dose.analysis.median_interval import interval_ranks
from treegarth.record import Record

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

PARTS = (0.05, 0.25, 0.5, 0.75, 0.95)
ADDED = 1e150
"""Sums are of numbers up to this: more would not be a number."""


class Distribution(Record):
    """Of n values, in the stored unit of their quantity. Without values every part is null."""

    n: int
    """Values that count."""
    doubted_left_out: int
    """Values that do not, because something speaks against them."""
    minimum: float | None
    p5: float | None
    """Percentiles: exact, between two neighbours in proportion. Null too where these are too far apart for a number."""
    p25: float | None
    median: float | None
    p75: float | None
    p95: float | None
    maximum: float | None
    mean: float | None
    median_low: float | None
    """The 95 % confidence interval of the median, by order statistics: null for less than 6 values."""
    median_high: float | None


_PARTS = ("minimum", "p5", "p25", "median", "p75", "p95", "maximum", "mean", "median_low", "median_high")
NOTHING = Distribution(n=0, doubted_left_out=0, **dict.fromkeys(_PARTS))


def distribution_of(ascending: NDArray[float64], doubted_left_out: int) -> Distribution:
    """Of these values, which are sorted."""
    n = len(ascending)
    if not n:
        return NOTHING.model_copy(update={"doubted_left_out": doubted_left_out})
    p5, p25, median, p75, p95 = (_between(ascending, part * (n - 1)) for part in PARTS)
    low, high = (None if rank is None else float(ascending[rank - 1]) for rank in interval_ranks(n) or (None, None))
    minimum, maximum = float(ascending[0]), float(ascending[-1])
    return Distribution(
        n=n,
        doubted_left_out=doubted_left_out,
        minimum=minimum,
        p5=p5,
        p25=p25,
        median=median,
        p75=p75,
        p95=p95,
        maximum=maximum,
        mean=float(ascending.mean()) if max(abs(minimum), abs(maximum)) <= ADDED else None,
        median_low=low,
        median_high=high,
    )


def _between(ascending: NDArray[float64], rank: float) -> float | None:
    below, above = float(ascending[floor(rank)]), float(ascending[ceil(rank)])
    return finite(below + (rank - floor(rank)) * (above - below))
