"""When objects are tried next: not before their destination may be sent to. Queries only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo

from sqlalchemy import ColumnElement, Connection, FromClause, case, func, literal

from treegarth.features.deliveries.model import NEVER
from treegarth.features.deliveries.next_try import not_before
from treegarth.features.deliveries.store.destinations import list_destinations
from treegarth.features.deliveries.tables import Moment

Gates = Mapping[int, datetime]
"""By destination, from when on it may be sent to, where that is not now."""


def read_gates(connection: Connection, now: datetime, zone: tzinfo) -> Gates:
    there = list_destinations(connection)
    found = {one.id: not_before(one, there, now, zone) for one in there}
    return {number: at for number, at in found.items() if at > now}


def next_try(gates: Gates, rows: FromClause, at: ColumnElement[datetime]) -> ColumnElement[datetime | None]:
    """Of these rows of the ledger: the later of `at` and of what their destination allows; NULL where nothing comes."""
    if gates:
        opens = {number: literal(moment, Moment) for number, moment in gates.items()}
        at = func.greatest(at, case(opens, value=rows.c.destination_id), type_=Moment)
    return func.nullif(at, NEVER, type_=Moment)
