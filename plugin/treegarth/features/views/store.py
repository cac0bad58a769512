"""Reads and writes saved views. A person has one of a name for a list; saving it again changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, true
from sqlalchemy.dialects.postgresql import insert

from treegarth.features.views.tables import saved_view
from treegarth.web.saved_views import SavedView

_row = saved_view.c


def select_views(person: str | None) -> Select[Any]:
    """Those that this person can see: one's own and what others share."""
    return select(saved_view).where(_row.is_shared | _is_of(person))


def views_of(connection: Connection, name: str, person: str | None) -> list[SavedView]:
    """Those of the list of this name that this person can see, by name."""
    query = select_views(person).where(_row.list == name).order_by(_row.name, _row.id)
    return [SavedView.model_validate(row) for row in connection.execute(query)]


def save_view(
    connection: Connection,
    *,
    name_of_list: str,
    name: str,
    query: Mapping[str, str],
    is_shared: bool,
    saved_by: str | None,
    saved_at: datetime,
) -> SavedView:
    """Keep it, in place of one's own of this name."""
    changed = {"query": dict(query), "is_shared": is_shared, "saved_at": saved_at}
    statement = (
        insert(saved_view)
        .values(list=name_of_list, name=name, saved_by=saved_by, **changed)
        .on_conflict_do_update(index_elements=[_row.list, func.coalesce(_row.saved_by, ""), _row.name], set_=changed)
        .returning(saved_view)
    )
    return SavedView.model_validate(connection.execute(statement).one())


def remove_views(connection: Connection, numbers: Sequence[int], person: str | None, *, also_shared: bool) -> int:
    """Take one's own away, and what others share if that is allowed; how many."""
    may = _is_of(person) | (_row.is_shared if also_shared else ~true())
    return connection.execute(delete(saved_view).where(_row.id.in_(numbers), may)).rowcount


def _is_of(person: str | None) -> ColumnElement[bool]:
    return _row.saved_by.is_not_distinct_from(person)
