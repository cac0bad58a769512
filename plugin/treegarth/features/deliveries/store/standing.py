"""How far an object of the ledger is, in the one word that everybody is told: only here it says which row is which.

The conditions are written so that the partial indexes of the ledger answer them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement, FromClause, case, or_

from treegarth.database.parameters import written_out
from treegarth.features.deliveries.model import ObjectState, Standing
from treegarth.features.deliveries.tables import delivery_object


def conditions(rows: FromClause = delivery_object) -> Mapping[Standing, ColumnElement[bool]]:
    """For each standing, which rows have it: every row has one."""

    def is_in(*states: ObjectState) -> ColumnElement[bool]:
        return rows.c.state.in_([written_out(one.value) for one in states])

    is_taken, is_proved = is_in(ObjectState.SENT), rows.c.proof.is_not(None)
    return {
        Standing.WAITING: is_in(ObjectState.WAITING),
        Standing.SENDING: or_(is_in(ObjectState.SENDING), is_taken & ~is_proved),
        Standing.ARRIVED: is_in(ObjectState.CONFIRMED),
        Standing.UNPROVED: is_taken & is_proved,
        Standing.GIVEN_UP: is_in(ObjectState.GIVEN_UP, ObjectState.GONE),
    }


def standing(rows: FromClause = delivery_object) -> ColumnElement[str]:
    """The standing of a row, as a text."""
    return case(*((condition, written_out(one.value)) for one, condition in conditions(rows).items()))


def stands(*wanted: Standing, rows: FromClause = delivery_object) -> ColumnElement[bool]:
    """That a row has one of these standings."""
    known = conditions(rows)
    return or_(*(known[one] for one in wanted))


def has_left(rows: FromClause = delivery_object) -> ColumnElement[bool]:
    """Of what was given up: that it left Orthanc before it was sent. There is nothing to send until it is back."""
    return rows.c.state == written_out(ObjectState.GONE.value)


def by_standing(found: Iterable[tuple[str, int]]) -> dict[Standing, int]:
    """Numbers of objects, with 0 for what none is."""
    return dict.fromkeys(Standing, 0) | {Standing(name): count for name, count in found}
