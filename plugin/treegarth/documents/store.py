"""Documents as they are kept: what each says now, and every version of it, with who and when.

A kind has two tables of the same shape: its own with `id`, `name`, `version`, `is_on`, `removed_at` and what else it
knows of one, and that of its versions with `version`, `document`, `is_on`, `change`, `changed_by` and `changed_at`. A
document that was removed stays there: what it did refers to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, func, insert, select, update

from treegarth.errors import NotFound, RequestConflict
from treegarth.phrases import P_, Phrase
from treegarth.record import Record

StoredT = TypeVar("StoredT", bound="Stored")


class Change(StrEnum):
    """What a version changed."""

    CREATED = "created"
    EDITED = "edited"
    SWITCHED_ON = "switched on"
    SWITCHED_OFF = "switched off"
    MOVED = "moved"  # of a kind whose documents act in an order
    REMOVED = "removed"


class Stored(Record):
    """A document as it is now."""

    id: int
    """Its number."""
    name: str
    """Its name; no other of its kind has it."""
    version: int
    """Counts every change."""
    edited_version: int
    """The latest version that changed what it says: an edit that began before it would undo another person's."""
    is_on: bool
    """Whether it acts."""
    document: dict[str, Any]
    """What it says, as its text form has it."""
    changed_by: str | None
    """Who changed it last; null without a login."""
    changed_at: datetime
    """When."""


class Version(Record):
    """One change, and the document as it was from then on."""

    version: int
    change: Change
    document: dict[str, Any]
    is_on: bool
    changed_by: str | None
    """Null without a login."""
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who changes documents, and when."""

    name: str | None
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[StoredT]):
    """A kind of documents: where they are kept, and what it means that one changes."""

    record: type[StoredT]
    table: Table
    versions: Table
    owner: str  # the column of `versions` that names the document
    missing: str  # a msgid: "There is no retention policy of this number."
    taken: str  # a msgid: "There is a retention policy named “%(name)s” already."
    stays_on: bool  # whether one that is edited acts on, as it is worded now
    follow: Callable[[Connection, StoredT, Change], None] = lambda *_: None  # in the transaction of the change
    reset: Mapping[str, Any] = field(default_factory=dict)  # columns that a change sets anew

    def all(self, connection: Connection, *, only_on: bool = False) -> list[StoredT]:
        """Those that were not removed, in the order in which they were made."""
        query = self._present().where(self.table.c.is_on) if only_on else self._present()
        return [self.record.model_validate(row._asdict()) for row in connection.execute(query)]

    def read(self, connection: Connection, number: int, *, for_change: bool = False) -> StoredT:
        """One that was not removed. Raises NotFound."""
        query = self._present().where(self.table.c.id == number)
        row = connection.execute(query.with_for_update(of=self.table) if for_change else query).one_or_none()
        if row is None:
            raise NotFound(Phrase(self.missing))
        return self.record.model_validate(row._asdict())

    def history(self, connection: Connection, number: int) -> list[Version]:
        """Every version, the latest first; also of one that was removed. Raises NotFound."""
        columns = [self.versions.c[name] for name in Version.model_fields]
        query = select(*columns).where(self.versions.c[self.owner] == number).order_by(self.versions.c.version.desc())
        found = [Version.model_validate(row._asdict()) for row in connection.execute(query)]
        if not found:
            raise NotFound(Phrase(self.missing))
        return found

    def create(self, connection: Connection, document: Mapping[str, Any], author: Author) -> StoredT:
        """A new one, off. Raises RequestConflict where its name is taken."""
        self._check_name(connection, document["name"], None)
        made = insert(self.table).values(name=document["name"], version=1, is_on=False).returning(self.table.c.id)
        number = connection.execute(made).scalar_one()
        self._write(connection, number, 1, document, False, Change.CREATED, author)
        return self.read(connection, number)

    def edit(
        self, connection: Connection, number: int, document: Mapping[str, Any], author: Author, *, since: int | None
    ) -> StoredT:
        """Another wording; the same is no change. `since` is the version that the edit began from.

        Raises NotFound, RequestConflict where the name is taken, EditedMeanwhile.
        """
        before = self.read(connection, number, for_change=True)
        if before.document == document:
            return before
        if since is not None and not before.edited_version <= since <= before.version:
            raise EditedMeanwhile(before, since)
        self._check_name(connection, document["name"], number)
        return self._change(connection, before, document, before.is_on and self.stays_on, Change.EDITED, author)

    def switch(self, connection: Connection, number: int, author: Author, *, is_on: bool) -> StoredT:
        """Let it act, or stop it. Raises NotFound."""
        before = self.read(connection, number, for_change=True)
        if before.is_on == is_on:
            return before
        change = Change.SWITCHED_ON if is_on else Change.SWITCHED_OFF
        return self._change(connection, before, before.document, is_on, change, author)

    def remove(self, connection: Connection, number: int, author: Author) -> StoredT:
        """It acts no more; its history stays. As it was before. Raises NotFound."""
        before = self.read(connection, number, for_change=True)
        self._change(connection, before, before.document, False, Change.REMOVED, author)
        gone = update(self.table).where(self.table.c.id == number).values(removed_at=author.now)
        connection.execute(gone)
        return before

    def names(self, connection: Connection) -> dict[str, int]:
        """The number of each by its name."""
        query = select(self.table.c.name, self.table.c.id).where(self.table.c.removed_at.is_(None))
        return {row.name: row.id for row in connection.execute(query)}

    def _present(self) -> Select[Any]:
        versions, worded = self.versions.c, self.versions.alias().c
        edited = (
            select(func.max(worded.version))
            .where(worded[self.owner] == self.table.c.id, worded.change.in_([Change.CREATED, Change.EDITED]))
            .scalar_subquery()
            .label("edited_version")
        )
        own: dict[str, ColumnElement[Any]] = {
            "edited_version": edited,
            **{name: versions[name] for name in ("document", "changed_by", "changed_at")},
        }
        columns = [own[name] if name in own else self.table.c[name] for name in self.record.model_fields]
        return (
            select(*columns)
            .join(self.versions, (versions[self.owner] == self.table.c.id) & (versions.version == self.table.c.version))
            .where(self.table.c.removed_at.is_(None))
            .order_by(self.table.c.id)
        )

    def _check_name(self, connection: Connection, name: str, number: int | None) -> None:
        if self.names(connection).get(name) not in (None, number):
            raise RequestConflict(Phrase(self.taken, {"name": name}), field="name")

    def _change(
        self,
        connection: Connection,
        before: StoredT,
        document: Mapping[str, Any],
        is_on: bool,
        change: Change,
        author: Author,
    ) -> StoredT:
        values = {"name": document["name"], "version": before.version + 1, "is_on": is_on, **self.reset}
        connection.execute(update(self.table).where(self.table.c.id == before.id).values(values))
        self._write(connection, before.id, before.version + 1, document, is_on, change, author)
        self.follow(connection, before, change)
        return self.read(connection, before.id)

    def _write(
        self,
        connection: Connection,
        number: int,
        version: int,
        document: Mapping[str, Any],
        is_on: bool,
        change: Change,
        author: Author,
    ) -> None:
        values = {self.owner: number, "version": version, "document": dict(document), "is_on": is_on}
        values |= {"change": str(change), "changed_by": author.name, "changed_at": author.now}
        connection.execute(insert(self.versions).values(values))


class EditedMeanwhile(RequestConflict):
    """Somebody else changed what it says since the version that this edit began from. `newer` is it as it is now."""

    def __init__(self, newer: Stored, since: int) -> None:
        says = {"since": since, "version": newer.edited_version}
        super().__init__(
            P_("It was edited after version %(since)s: it is version %(version)s now. Nothing was saved.", **says)
        )
        self.newer = newer
