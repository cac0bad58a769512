"""What the values of a quantity are like: how many, how large, how spread. Queries only.

Percentiles are exact, between two neighbours in proportion (PostgreSQL's `percentile_cont`; R's type 7, numpy's
`linear`). What is doubted is left out and counted, unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Double,
    Row,
    Subquery,
    case,
    cast,
    column,
    func,
    select,
    true,
    type_coerce,
    values,
)
from sqlalchemy.dialects.postgresql import array

from treegarth.database.finite_double import finite
from treegarth.features.dose.analysis.median_interval import interval_ranks
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
AT_ONCE = 10_000
"""Groups of which one statement asks: it names each with three parameters, of which PostgreSQL takes 65,535."""
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
    connection: Connection, rows: Subquery, by: ColumnElement[Any], *, with_doubted: bool, with_interval: bool = True
) -> Mapping[Hashable, Distribution]:
    """The same of any rows with `value` and `is_doubted`. Without the interval of the median they are sorted once."""
    counts = true() if with_doubted else rows.c.is_doubted.is_(False)
    value = rows.c.value
    parts = type_coerce(
        func.percentile_cont(cast(list(PARTS), ARRAY(Double))).within_group(value).filter(counts), ARRAY(Double)
    )
    found = connection.execute(
        select(
            by.label("of"),
            func.count().filter(counts).label("n"),
            func.count().label("every"),
            func.min(value).filter(counts).label("minimum"),
            func.max(value).filter(counts).label("maximum"),
            func.sum(case((func.abs(value) <= ADDED, value))).filter(counts).label("total"),
            parts.label("parts"),
        )
        .where(by.is_not(None))
        .group_by("of")
    ).all()
    counted = {one.of: one.n for one in found} if with_interval else {}
    ends = _interval_ends(connection, counted, rows, by, counts)
    return {one.of: _distribution(one, ends.get(one.of, (None, None))) for one in found}


def _distribution(row: Row[Any], ends: tuple[float | None, float | None]) -> Distribution:
    is_added = row.n > 0 and max(abs(row.minimum), abs(row.maximum)) <= ADDED
    p5, p25, median, p75, p95 = (finite(one) for one in row.parts or (None,) * len(PARTS))
    return Distribution(
        n=row.n,
        doubted_left_out=row.every - row.n,
        minimum=row.minimum,
        p5=p5,
        p25=p25,
        median=median,
        p75=p75,
        p95=p95,
        maximum=row.maximum,
        mean=row.total / row.n if is_added else None,
        median_low=ends[0],
        median_high=ends[1],
    )


def _interval_ends(
    connection: Connection,
    counted: Mapping[Hashable, int],
    rows: Subquery,
    by: ColumnElement[Any],
    counts: ColumnElement[bool],
) -> dict[Hashable, tuple[float, float]]:
    """The two values of each group that its interval of the median ends with: `percentile_disc` at (rank - 1/2) / n is
    the value of that rank."""
    ranks = [(of, n, rank) for of, n in counted.items() if (rank := interval_ranks(n))]
    ends: dict[Hashable, tuple[float, float]] = {}
    for part in range(0, len(ranks), AT_ONCE):
        ends |= _ends_of(connection, ranks[part : part + AT_ONCE], rows, by, counts)
    return ends


def _ends_of(
    connection: Connection,
    ranks: Sequence[tuple[Hashable, int, tuple[int, int]]],
    rows: Subquery,
    by: ColumnElement[Any],
    counts: ColumnElement[bool],
) -> dict[Hashable, tuple[float, float]]:
    asked = values(column("of", by.type), column("low", Double), column("high", Double), name="asked").data(
        [(of, (low - 0.5) / n, (high - 0.5) / n) for of, n, (low, high) in ranks]
    )
    ends = func.percentile_disc(array([asked.c.low, asked.c.high])).within_group(rows.c.value)
    found = connection.execute(
        select(asked.c.of, type_coerce(ends, ARRAY(Double)).label("ends"))
        .join_from(rows, asked, asked.c.of == by)
        .where(counts)
        .group_by(asked.c.of, asked.c.low, asked.c.high)
    )
    return {one.of: (one.ends[0], one.ends[1]) for one in found}
