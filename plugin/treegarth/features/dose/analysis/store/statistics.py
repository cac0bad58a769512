"""What values are like, by what they have in common. PostgreSQL gathers the values of each group, numpy sorts them.

What is doubted is left out and counted, unless it is asked for. numpy is loaded by the first who asks: Orthanc's
process holds it only where figures are looked at.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Double, LargeBinary, Subquery, func, select, true, type_coerce

from treegarth.features.dose.analysis.distribution import NOTHING, Distribution, distribution_of
from treegarth.features.dose.analysis.store.rows import select_rows
from treegarth.features.dose.analysis.wanted import Wanted

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEAD_BYTES = 20
"""Of an array of one dimension: three numbers about it, its length and where it begins."""


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
    """The same of any rows with `value` and `is_doubted`."""
    counts = true() if with_doubted else rows.c.is_doubted.is_(False)
    of = select(
        by.label("of"),
        func.count().label("every"),
        sent(type_coerce(rows.c.value, Double), where=counts).label("values"),
    )
    found = connection.execute(of.where(by.is_not(None)).group_by("of"))
    return {row.of: _distribution(row.values, row.every) for row in found}


def _distribution(values: bytes | None, every: int) -> Distribution:
    ascending = received(values, "f8")
    ascending.sort()
    return distribution_of(ascending, every - len(ascending))


def sent(column: ColumnElement[Any], *, where: ColumnElement[bool] | None = None) -> ColumnElement[bytes]:
    """All values of a column in the form in which PostgreSQL sends an array (`array_send` in its `arrayfuncs.c`): to
    read numbers one by one takes longer than to find them. None may be NULL, and all columns of one statement come in
    one order."""
    gathered = func.array_agg(column)
    return func.array_send(gathered if where is None else gathered.filter(where), type_=LargeBinary)


def received(values: bytes | None, kind: str) -> NDArray[Any]:
    """What was sent, as numbers of numpy's `kind` (`f8`, `i4`, `?`). Of no row nothing was sent."""
    import numpy as np

    if values is None:
        return np.empty(0, dtype=kind)
    element = np.dtype([("length", ">i4"), ("value", np.dtype(kind).newbyteorder(">"))])
    return np.frombuffer(values, dtype=element, offset=_HEAD_BYTES)["value"].astype(kind)
