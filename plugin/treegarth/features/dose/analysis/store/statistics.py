"""What the values of a quantity are like: how many, how large, how spread. Queries only.

Percentiles are exact, between two neighbours in proportion (PostgreSQL's `percentile_cont`; R's type 7, numpy's
`linear`). What is doubted is left out and counted, unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import floor
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Subquery,
    case,
    cast,
    func,
    literal,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, array

from treegarth.database.finite_double import finite
from treegarth.features.dose.analysis.median_interval import HALF_WIDTH, NEAR, about_low, interval_ranks
from treegarth.features.dose.analysis.store.rows import select_rows
from treegarth.features.dose.analysis.wanted import Wanted
from treegarth.record import Record

PARTS = (0.05, 0.25, 0.5, 0.75, 0.95)
ADDED = 1e150
"""Sums are of numbers up to this: more would end PostgreSQL's addition with an error."""


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


def distribution(connection: Connection, wanted: Wanted) -> Distribution:
    """Of everything that is wanted."""
    return distributions(connection, wanted, select_rows(wanted), true()).get(True, NOTHING)


def distributions(
    connection: Connection, wanted: Wanted, rows: Subquery, by: ColumnElement[Any]
) -> Mapping[Hashable, Distribution]:
    """Of each group of these rows, by what they have in common; rows of which that is not known are in none."""
    return grouped(connection, rows, by, with_doubted=wanted.with_doubted)


def grouped(
    connection: Connection, rows: Subquery, by: ColumnElement[Any], *, with_doubted: bool
) -> Mapping[Hashable, Distribution]:
    """The same of any rows with `value` and `is_doubted`. They are read and sorted once: each part is a place in the
    sorted values of its group."""
    counts = true() if with_doubted else rows.c.is_doubted.is_(False)
    value = type_coerce(rows.c.value, Double)
    ascending = func.array_agg(aggregate_order_by(value, value), type_=ARRAY(Double)).filter(counts)
    total = func.sum(case((func.abs(value) <= ADDED, value))).filter(counts).label("total")
    of = (
        select(by.label("of"), func.count().label("every"), total, ascending.label("ascending"))
        .where(by.is_not(None))
        .group_by("of")
        .subquery("of")
    )
    n = func.coalesce(func.cardinality(of.c.ascending), 0, type_=Integer)
    places = [cast(one, Integer) for one in _places(n)]
    found = select(of.c.of, of.c.every, of.c.total, n.label("n"), array([of.c.ascending[one] for one in places]))
    return {one.of: _distribution(one.n, one.every, one.total, one[4]) for one in connection.execute(found)}


def _places(n: ColumnElement[int]) -> list[ColumnElement[Any]]:
    """From 1, of the least and the greatest value, of the two neighbours of each percentile, and of those around the
    ends of the median's interval; outside of the values is null."""
    ranks = [cast(part, Double) * (n - 1) for part in PARTS]
    neighbours = [rounded(rank) + 1 for rank in ranks for rounded in (func.floor, func.ceil)]
    about = func.floor((n + 1) / 2.0 - HALF_WIDTH * func.sqrt(n))  # as about_low() does, before the number is known
    lows = [about + step for step in range(-NEAR, NEAR + 1)]
    return [literal(1), n, *neighbours, *lows, *(n + 1 - one for one in lows)]


def _distribution(n: int, every: int, total: float | None, found: Sequence[float | None]) -> Distribution:
    minimum, maximum, *found = found
    is_added = minimum is not None and maximum is not None and max(abs(minimum), abs(maximum)) <= ADDED
    p5, p25, median, p75, p95 = (_between(part * (n - 1), *found[2 * at : 2 * at + 2]) for at, part in enumerate(PARTS))
    low, high = _interval_ends(n, found[2 * len(PARTS) :])
    return Distribution(
        n=n,
        doubted_left_out=every - n,
        minimum=minimum,
        p5=p5,
        p25=p25,
        median=median,
        p75=p75,
        p95=p95,
        maximum=maximum,
        mean=total / n if is_added and total is not None else None,
        median_low=low,
        median_high=high,
    )


def _between(rank: float, below: float | None, above: float | None) -> float | None:
    if below is None or above is None:
        return None
    return finite(below + (rank - floor(rank)) * (above - below))


def _interval_ends(n: int, found: Sequence[float | None]) -> tuple[float | None, float | None]:
    """Of the values around both ranks, each from the lower rank on, those with the ranks of the interval."""
    ranks = interval_ranks(n)
    if ranks is None:
        return None, None
    at = ranks[0] - about_low(n) + NEAR
    return found[at], found[at + 2 * NEAR + 1]
