"""Work that one process of a site does at a time, by an advisory lock of PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from treegarth.database.engine import connect

CheckLock: TypeAlias = Callable[[], None]
"""Raises where the connection, and with it the lock, is gone."""


@contextmanager
def alone(engine: Engine, lock: int) -> Iterator[CheckLock | None]:
    """Hold the lock of this number, any that no other work has; None where somebody else holds it."""
    with connect(engine) as connection:
        if not connection.execute(select(func.pg_try_advisory_lock(lock))).scalar_one():
            yield None
            return
        connection.commit()  # the lock stays with the connection, the transaction need not
        try:
            yield lambda: _still_there(connection)
        finally:
            with suppress(SQLAlchemyError):  # the connection goes back into a pool, and would keep the lock
                connection.rollback()
                connection.execute(select(func.pg_advisory_unlock(lock)))
                connection.commit()


def _still_there(connection: Connection) -> None:
    connection.execute(select(1))
    connection.commit()
