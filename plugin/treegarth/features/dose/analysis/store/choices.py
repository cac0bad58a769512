"""Which quantities a name has, each by its phantoms. Queries only."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from treegarth.features.dose.analysis.figures import OF_LEVEL
from treegarth.features.dose.analysis.store.rows import event_phantom, select_named
from treegarth.features.dose.analysis.tables import event_dose, exam_dose
from treegarth.features.dose.analysis.wanted import BY_PHANTOM, Phantom, Wanted
from treegarth.record import Record


class QuantityCount(Record):
    """A quantity, of one phantom where values are by phantom, and how many values it has."""

    quantity: str
    phantom: Phantom | None
    count: int


def quantities_of(connection: Connection, wanted: Wanted) -> list[QuantityCount]:
    """Of the name or modality that is asked for, whatever else is, in the order in which quantities stand."""
    found = _of_exams(connection, wanted) if wanted.level == "exam" else _of_events(connection, wanted)
    order = list(OF_LEVEL[wanted.level])
    known = [one for one in found if one.quantity in order and one.count]
    return sorted(known, key=lambda one: (order.index(one.quantity), -one.count))


def _of_exams(connection: Connection, wanted: Wanted) -> list[QuantityCount]:
    table = exam_dose.c
    query = select(table.quantity, table.phantom, func.count().label("count")).group_by(table.quantity, table.phantom)
    rows = connection.execute(query.where(*select_named(wanted)))
    return [QuantityCount.model_validate(row._asdict()) for row in rows]


def _of_events(connection: Connection, wanted: Wanted) -> list[QuantityCount]:
    names = list(OF_LEVEL["event"])
    counts = [func.count(event_dose.c[name]).label(name) for name in names]
    rows = connection.execute(
        select(event_phantom.label("phantom"), *counts).where(*select_named(wanted)).group_by("phantom")
    ).all()
    found: dict[tuple[str, Phantom | None], int] = {}
    for row in rows:
        for name in names:
            key = (name, row.phantom if name in BY_PHANTOM["event"] else None)
            found[key] = found.get(key, 0) + getattr(row, name)
    return [QuantityCount(quantity=name, phantom=phantom, count=count) for (name, phantom), count in found.items()]
