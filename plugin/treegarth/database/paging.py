"""Keyset paging: pages that stay right while rows are added and cost the same however deep. No feature's SQL.

A page's cursor holds the sort values of its last row. What comes after that row is asked for in segments, each of
which an index in the sort's order answers by a range: with keys (a, b) first `a = ? and b > ?`, then `a > ?`, then
`a is null`. One OR of them would be read from the index's beginning.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, UnaryExpression, and_

from treegarth.errors import InvalidRequest


@dataclass(frozen=True, kw_only=True)
class SortKey:
    """One column of an order. The last of an order is unique and never NULL."""

    column: ColumnElement[Any]
    read: Callable[[Any], Any]  # its value out of JSON: str, int, date.fromisoformat
    descending: bool = False
    nullable: bool = False
    nulls_first: bool = False

    def order(self) -> UnaryExpression[Any]:
        direction = self.column.desc() if self.descending else self.column.asc()
        if not self.nullable:
            return direction
        return direction.nulls_first() if self.nulls_first else direction.nulls_last()

    def equals(self, value: Any) -> ColumnElement[bool]:
        return self.column.is_(None) if value is None else self.column == value

    def after(self, value: Any) -> list[ColumnElement[bool]]:
        """What follows a value in this order, as conditions in the order of their rows."""
        if value is None:
            return [self.column.is_not(None)] if self.nulls_first else []
        beyond = self.column < value if self.descending else self.column > value
        nulls_follow = self.nullable and not self.nulls_first
        return [beyond, self.column.is_(None)] if nulls_follow else [beyond]


@dataclass(frozen=True, kw_only=True)
class RowPage:
    """Rows, and the cursor of what follows them; None at the end."""

    rows: Sequence[Row[Any]]
    next: str | None


def read_page(
    connection: Connection, query: Select[Any], keys: Sequence[SortKey], *, name: str, limit: int, cursor: str | None
) -> RowPage:
    """One page of a query in the order of the keys, which the query must select under their columns' names.

    `name` stands for the order: a cursor of another order is refused. Raises InvalidRequest.
    """
    order = [key.order() for key in keys]
    rows: list[Row[Any]] = []
    for condition in _segments(keys, None if cursor is None else _values(cursor, keys, name)):
        segment = query if condition is None else query.where(condition)
        rows.extend(connection.execute(segment.order_by(*order).limit(limit + 1 - len(rows))))
        if len(rows) > limit:
            last = rows[limit - 1]
            return RowPage(rows=rows[:limit], next=_cursor([getattr(last, str(k.column.key)) for k in keys], name))
    return RowPage(rows=rows, next=None)


def _segments(keys: Sequence[SortKey], values: Sequence[Any] | None) -> Iterator[ColumnElement[bool] | None]:
    """The conditions of what follows, in the order of their rows: the longest common beginning first."""
    if values is None:
        yield None
        return
    for depth in reversed(range(len(keys))):
        same = [key.equals(value) for key, value in zip(keys[:depth], values[:depth], strict=True)]
        for beyond in keys[depth].after(values[depth]):
            yield and_(*same, beyond)


def _cursor(values: Sequence[Any], name: str) -> str:
    plain = [value.isoformat() if isinstance(value, date | datetime | time) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps([name, *plain]).encode()).decode().rstrip("=")


def _values(cursor: str, keys: Sequence[SortKey], name: str) -> list[Any]:
    refused = InvalidRequest("cursor: is not one that an answer of this list and sort gave. Start without a cursor.")
    try:
        given = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if "\\u0000" in json.dumps(given):  # PostgreSQL has no such character
            raise refused
        if not isinstance(given, list) or len(given) != len(keys) + 1 or given[0] != name:
            raise refused
        return [None if value is None else key.read(value) for key, value in zip(keys, given[1:], strict=True)]
    except (ValueError, TypeError, binascii.Error):
        raise refused from None
