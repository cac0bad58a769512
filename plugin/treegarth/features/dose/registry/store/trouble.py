"""Why sources gave no dose: failed after every attempt, or refused. Queries only."""

from __future__ import annotations

from typing import Literal, TypeAlias

from sqlalchemy import Connection, func, select

from treegarth.features.dose.registry.store.queue import FAILED
from treegarth.features.dose.registry.tables import dose_report

Trouble: TypeAlias = Literal["failed", "refused"]


def count_reasons(connection: Connection, *, state: Trouble, at_most: int = 50) -> list[tuple[str, int]]:
    """The commonest reasons with how often each was given, the commonest first."""
    column = dose_report.c.last_error if state == FAILED else dose_report.c.refused
    number = func.count()
    query = select(column, number).where(dose_report.c.state == state, column.is_not(None)).group_by(column)
    return [(row[0], row[1]) for row in connection.execute(query.order_by(number.desc(), column).limit(at_most))]
