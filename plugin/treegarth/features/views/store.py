"""Saved views as documents. A person has one of a name for a list: the same name of another person is another view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select, true

from treegarth.documents.store import Author, Kind, Stored
from treegarth.features.views.tables import saved_view, saved_view_version
from treegarth.phrases import N_
from treegarth.web.saved_views import SavedView

_row = saved_view.c


class StoredView(Stored):
    """A view as it is kept. One that is off is not offered above its list."""

    list: str
    """The list, by the name of its page: `archive.studies`."""
    is_shared: bool
    """Whether everybody sees it; else only who saved it."""
    saved_by: str | None
    """Who made it; null without a login."""
    saved_at: datetime
    """When it was changed last."""


def _columns(before: StoredView | None, document: Mapping[str, Any], is_on: bool, author: Author) -> Mapping[str, Any]:
    owner = author.name if before is None else before.saved_by
    said = {"list": document["list"], "query": document["query"], "is_shared": document["shared"]}
    return {**said, "saved_by": owner, "saved_at": author.now}


VIEWS_KIND = Kind(
    record=StoredView,
    table=saved_view,
    versions=saved_view_version,
    missing=N_("There is no saved view of this number."),
    taken=N_("There is a view named “%(name)s” already."),
    keys=("name", "list", "query", "shared"),
    starts_on=True,
    within=("list", "saved_by"),
    columns=_columns,
)


def select_views(person: str | None) -> Select[Any]:
    """Those that this person can see: one's own and what others share."""
    columns = [_row[name] for name in SavedView.model_fields]
    return select(*columns).where(_row.removed_at.is_(None), _row.is_shared | _is_of(person))


def views_of(connection: Connection, name: str, person: str | None) -> list[SavedView]:
    """Those that are offered above the list of this name to this person, by name."""
    query = select_views(person).where(_row.list == name, _row.is_on).order_by(_row.name, _row.id)
    return [SavedView.model_validate(row) for row in connection.execute(query)]


def keep_view(connection: Connection, document: Mapping[str, Any], author: Author) -> StoredView:
    """Keep it, in place of one's own of this name."""
    own = select(_row.id).where(
        _row.removed_at.is_(None), _is_of(author.name), _row.list == document["list"], _row.name == document["name"]
    )
    number = connection.execute(own).scalar_one_or_none()
    if number is None:
        return VIEWS_KIND.create(connection, document, author)
    return VIEWS_KIND.edit(connection, number, document, author, since=None)


def remove_views(connection: Connection, numbers: Sequence[int], author: Author, *, also_shared: bool) -> int:
    """Take one's own away, and what others share if that is allowed; how many."""
    may = _is_of(author.name) | (_row.is_shared if also_shared else ~true())
    chosen = select(_row.id).where(_row.id.in_(numbers), _row.removed_at.is_(None), may)
    found = connection.execute(chosen).scalars().all()
    for number in found:
        VIEWS_KIND.remove(connection, number, author)
    return len(found)


def _is_of(person: str | None) -> ColumnElement[bool]:
    return _row.saved_by.is_not_distinct_from(person)
