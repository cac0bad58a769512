"""Keyset paging: pages that stay right while rows are added and cost the same however deep. No feature's SQL.

A page's cursor holds the sort values of its last row, each as text, with NUL between them, which no text of PostgreSQL
has. What comes after that row is asked for in segments, each of which an
index in the sort's order answers by a range: with keys (a, b) first `a = ? and b > ?`, then `a > ?`, then `a is null`.
One OR of them would be read from the index's beginning. The page before is the same, in the opposite order.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Double,
    Integer,
    Row,
    Select,
    String,
    Time,
    UnaryExpression,
    and_,
    literal,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from treegarth.errors import InvalidRequest
from treegarth.limits import LARGEST_BIGINT, LARGEST_INTEGER, LONGEST_CURSOR

_BETWEEN, _ABSENT, _PRESENT = "\0", "-", "+"
_BACK = " back"  # after the name, in cursors of what stands before


@dataclass(frozen=True, kw_only=True)
class SortKey:
    """One column of an order. The last of an order is unique and never NULL."""

    column: ColumnElement[Any]
    descending: bool = False
    nullable: bool = False
    nulls_first: bool = False
    name: str | None = None
    """Under which the query selects it; the column's own without."""

    @property
    def selected_as(self) -> str:
        return self.name or str(self.column.key)

    def reversed(self) -> SortKey:
        """The opposite order: what an index answers that is read backwards."""
        return replace(self, descending=not self.descending, nulls_first=not self.nulls_first)

    def order(self) -> UnaryExpression[Any]:
        direction = self.column.desc() if self.descending else self.column.asc()
        if not self.nullable:
            return direction
        return direction.nulls_first() if self.nulls_first else direction.nulls_last()

    def read(self, text: str) -> Any:
        """The value that a cursor has of it. Raises ValueError for one that the column cannot have."""
        if text == _ABSENT and self.nullable:
            return None
        if not text.startswith(_PRESENT):
            raise ValueError(text)
        kept_as = self.column.type.impl if isinstance(self.column.type, TypeDecorator) else self.column.type
        return next(read for kind, read in _READERS if isinstance(kept_as, kind))(text.removeprefix(_PRESENT))

    def equals(self, value: Any) -> ColumnElement[bool]:
        return self.column.is_(None) if value is None else self.column == value

    def after(self, value: Any) -> list[ColumnElement[bool]]:
        """What follows a value in this order, as conditions in the order of their rows."""
        if value is None:
            return [self.column.is_not(None)] if self.nulls_first else []
        at = literal(value, self.column.type)  # not the value itself: SQLAlchemy takes no truth to be beyond another
        beyond = self.column < at if self.descending else self.column > at
        nulls_follow = self.nullable and not self.nulls_first
        return [beyond, self.column.is_(None)] if nulls_follow else [beyond]


@dataclass(frozen=True, kw_only=True)
class RowPage:
    """Rows, and the cursors of what follows them and of what stands before; None at the end and at the beginning."""

    rows: Sequence[Row[Any]]
    next: str | None
    previous: str | None = None


def read_page(
    connection: Connection, query: Select[Any], keys: Sequence[SortKey], *, name: str, limit: int, cursor: str | None
) -> RowPage:
    """One page of a query in the order of the keys, which the query must select under their columns' names.

    `name` stands for the order: a cursor of another order is refused. Raises InvalidRequest.
    """
    is_back, values = (False, None) if cursor is None else _place(cursor, keys, name)
    order = [key.reversed() for key in keys] if is_back else list(keys)
    rows: list[Row[Any]] = []
    for condition in _segments(order, values):
        segment = query if condition is None else query.where(condition)
        segment = segment.order_by(*(key.order() for key in order))
        rows.extend(connection.execute(segment.limit(limit + 1 - len(rows))))
        if len(rows) > limit:
            break
    there_is_more, rows = len(rows) > limit, rows[:limit]
    if not is_back:
        after = _cursor(rows[-1], keys, name) if there_is_more else None
        before = _cursor(rows[0], keys, name + _BACK) if cursor is not None and rows else None
        return RowPage(rows=rows, next=after, previous=before)
    rows.reverse()
    before = _cursor(rows[0], keys, name + _BACK) if there_is_more else None
    return RowPage(rows=rows, next=_cursor(rows[-1], keys, name) if rows else None, previous=before)


def _segments(keys: Sequence[SortKey], values: Sequence[Any] | None) -> Iterator[ColumnElement[bool] | None]:
    """The conditions of what follows, in the order of their rows: the longest common beginning first."""
    if values is None:
        yield None
        return
    for depth in reversed(range(len(keys))):
        same = [key.equals(value) for key, value in zip(keys[:depth], values[:depth], strict=True)]
        for beyond in keys[depth].after(values[depth]):
            yield and_(*same, beyond)


def _cursor(row: Row[Any], keys: Sequence[SortKey], name: str) -> str:
    values = [getattr(row, key.selected_as) for key in keys]
    texts = [name, *(_ABSENT if value is None else _PRESENT + _written(value) for value in values)]
    return base64.urlsafe_b64encode(_BETWEEN.join(texts).encode()).decode().rstrip("=")


def _written(value: Any) -> str:
    if isinstance(value, list):
        return json.dumps(value)
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _place(cursor: str, keys: Sequence[SortKey], name: str) -> tuple[bool, list[Any]]:
    """Whether what stands before is asked for, and the values of the row that it is asked from."""
    refused = InvalidRequest("cursor: is not one that an answer of this list and sort gave. Start without a cursor.")
    if len(cursor) > LONGEST_CURSOR:
        raise refused
    try:
        whole = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        of_list, *texts = whole.decode("utf-8").split(_BETWEEN)
        if of_list not in (name, name + _BACK):
            raise refused
        return of_list != name, [key.read(text) for key, text in zip(keys, texts, strict=True)]
    except ValueError:  # also of base64 and of UTF-8
        raise refused from None


def _integer(largest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch("-?[0-9]{1,19}", text) or not -largest - 1 <= (number := int(text)) <= largest:
            raise ValueError(text)
        return number

    return read


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def _texts(text: str) -> list[str]:
    """What `_written` makes of a list: as JSON, of texts that PostgreSQL takes."""
    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(one, str) and "\0" not in one for one in found):
        raise ValueError(text)
    return found


def _truth(text: str) -> bool:
    if text not in ("True", "False"):
        raise ValueError(text)
    return text == "True"


def _time_of_day(text: str) -> time:
    if (read := time.fromisoformat(text)).tzinfo is not None:
        raise ValueError(text)
    return read


def _moment(text: str) -> datetime:
    """In UTC, as every session of ours asks for it: PostgreSQL refuses offsets that Python takes."""
    if (read := datetime.fromisoformat(text)).utcoffset() != timedelta():
        raise ValueError(text)
    return read


_READERS: tuple[tuple[type[TypeEngine[Any]], Callable[[str], Any]], ...] = (
    (Boolean, _truth),
    (BigInteger, _integer(LARGEST_BIGINT)),  # before Integer, which it is one of
    (Integer, _integer(LARGEST_INTEGER)),
    (Double, _finite),
    (Date, date.fromisoformat),
    (Time, _time_of_day),
    (DateTime, _moment),
    (String, str),
    (ARRAY, _texts),
)
"""A key's values as a cursor has them, by the type of its column: nothing that PostgreSQL would refuse to compare."""
