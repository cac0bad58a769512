"""Documents out of a text with several: what is new is made, what is known by its name is worded anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection

from treegarth.documents.store import Author, Kind, Stored
from treegarth.record import Record


class Imported(Record):
    """What became of one document of a text, or would."""

    name: str
    outcome: Literal["created", "changed", "same"]
    is_on: bool
    """Whether it acts afterwards."""
    id: int | None
    """Its number; null of one that would be made."""


def import_documents(
    connection: Connection,
    kind: Kind[Any],
    documents: Sequence[Mapping[str, Any]],
    author: Author,
    *,
    dry_run: bool = False,
) -> list[Imported]:
    """All or nothing, in the transaction of the caller. What the text does not name stays as it is."""
    known = {one.name: one for one in kind.all(connection)}
    return [_take_in(connection, kind, one, known.get(one["name"]), author, dry_run) for one in documents]


def _take_in(
    connection: Connection,
    kind: Kind[Any],
    document: Mapping[str, Any],
    before: Stored | None,
    author: Author,
    dry_run: bool,
) -> Imported:
    name = document["name"]
    if before is None:
        made = None if dry_run else kind.create(connection, document, author).id
        return Imported(name=name, outcome="created", is_on=False, id=made)
    if before.document == document:
        return Imported(name=name, outcome="same", is_on=before.is_on, id=before.id)
    if not dry_run:
        kind.edit(connection, before.id, document, author, since=None)
    return Imported(name=name, outcome="changed", is_on=before.is_on and kind.stays_on, id=before.id)
