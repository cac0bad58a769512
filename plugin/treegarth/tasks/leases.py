"""Rows that are work. One worker at a time has a row: for the time of a lease, or until its transaction ends.

A table of work has `next_attempt_at`, when a row's turn comes, and `attempts`. To claim a row puts its turn to the end
of the lease: what a worker that vanished had claimed comes up again by itself. Rows that another transaction has
locked are passed over, so that several workers share the work without waiting for each other. Queries only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    Table,
    and_,
    delete,
    select,
    update,
)

Columns = Sequence[ColumnElement[Any]]


def claim(
    connection: Connection,
    table: Table,
    now: datetime,
    lease: timedelta,
    *only: ColumnElement[bool],
    limit: int,
    returning: FromClause | Columns,
) -> list[Row[Any]]:
    """Claim up to `limit` rows whose turn has come, those that waited longest; their attempt is counted.

    In no order. Commit before working on them.
    """
    turn = table.c.next_attempt_at
    due = _due(table, turn, turn <= now, *only, limit=limit)
    claimed = (
        update(table)
        .where(_is_of(table, due))
        .values(attempts=table.c.attempts + 1, next_attempt_at=now + lease)
        .returning(*_columns(returning))
    )
    return list(connection.execute(claimed))


def take(
    connection: Connection,
    table: Table,
    turn: ColumnElement[datetime],
    *only: ColumnElement[bool],
    limit: int,
    returning: FromClause | Columns,
) -> list[Row[Any]]:
    """Take up to `limit` rows out of the table, the earliest of `turn` first; they are back if the transaction fails.

    In no order.
    """
    due = _due(table, turn, *only, limit=limit)
    taken = delete(table).where(_is_of(table, due)).returning(*_columns(returning))
    return list(connection.execute(taken))


def unlocked(query: Select[Any]) -> Select[Any]:
    """The same rows without those that another transaction has locked; this one locks them."""
    return query.with_for_update(skip_locked=True)


def _due(table: Table, turn: ColumnElement[datetime], *only: ColumnElement[bool], limit: int) -> CTE:
    """The keys of the rows. As a CTE, which PostgreSQL evaluates once: a subquery it may evaluate for each row, and
    then it locks more than `limit`."""
    query = select(*table.primary_key.columns).where(*only).order_by(turn).limit(limit)
    return unlocked(query).cte("due")


def _is_of(table: Table, keys: CTE) -> ColumnElement[bool]:
    return and_(*(column == keys.c[column.name] for column in table.primary_key.columns))


def _columns(returning: FromClause | Columns) -> Columns:
    return list(returning.c) if isinstance(returning, FromClause) else returning
