"""A column of numbers that JSON, spreadsheets and sums can take: no infinity, and not what is no number.

PostgreSQL's double precision keeps both. A sum of doses that is too large for a number is unknown, which is NULL.
"""

from __future__ import annotations

from math import isfinite

from sqlalchemy import Dialect, Double
from sqlalchemy.types import TypeDecorator


class FiniteDouble(TypeDecorator[float]):
    """Takes and gives finite numbers; anything else is NULL, also where an earlier version has stored it."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        return finite(value)

    def process_result_value(self, value: float | None, dialect: Dialect) -> float | None:
        return finite(value)


def finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
