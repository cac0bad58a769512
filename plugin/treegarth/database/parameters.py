"""How values reach a statement: many of them as one array, and those of partial indexes as a part of the text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, any_, literal


def is_among(column: ColumnElement[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column has one of these texts. Unlike IN it is one parameter: the same statement however many there
    are, and no end at the 65,535 that PostgreSQL takes."""
    return column == any_(literal(list(values), ARRAY(Text)))


def is_among_numbers(column: ColumnElement[Any], values: Iterable[int]) -> ColumnElement[bool]:
    """The same of whole numbers."""
    return column == any_(literal(list(values), ARRAY(BigInteger)))


def written_out(value: str | int) -> ColumnElement[Any]:
    """A constant of a partial index's condition: as a parameter, a plan for all values could not use the index."""
    return literal(value, literal_execute=True)
