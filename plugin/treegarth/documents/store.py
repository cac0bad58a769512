"""Documents as they are kept: what each says now, and every version of it, with who and when.

A kind has two tables of the same shape: its own with `id`, `name`, `version`, `is_on`, `removed_at` and what else it
knows of one, and that of its versions with `version`, `document`, `is_on`, `change`, `changed_by` and `changed_at`. A
document that was removed stays there: what it did refers to it. Where both have `position`, documents act in an order;
where that of versions has `source`, the text that one was written as is kept, comments and all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam, func, insert, null, select, update

from treegarth.database.parameters import is_among_numbers
from treegarth.errors import NotFound, RequestConflict
from treegarth.phrases import N_, P_, Phrase
from treegarth.record import Record

_LOCK = 7_601  # of the advisory locks of all who change documents, one a kind: names and order must fit each other
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
    position: int | None
    """Its place in the order; null of a kind whose documents act in none."""
    document: dict[str, Any]
    """What it says, as its text form has it."""
    source: str | None
    """The text that it was written as, with its comments; null where it was none, or is not kept."""
    changed_by: str | None
    """Who changed it last; null without a login."""
    changed_at: datetime
    """When."""
    removed_at: datetime | None
    """When it was removed; null of one that is there."""


class Version(Record):
    """One change, and the document as it was from then on."""

    version: int
    change: Change
    document: dict[str, Any]
    is_on: bool
    position: int | None
    """Its place in the order; null of a kind whose documents act in none."""
    changed_by: str | None
    """Null without a login."""
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who changes documents, and when, in the site's zone."""

    name: str | None
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Wording:
    """A document as somebody wrote it, right by itself."""

    document: Mapping[str, Any]
    is_on: bool | None = None  # what it says of that; None: nothing
    source: str | None = None  # the text with its comments, an entry of a list; None where it was no text


@dataclass(frozen=True, kw_only=True)
class _Changed(Generic[StoredT]):
    """A change that is to be made; what `values` does not name stays."""

    before: StoredT
    change: Change
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Noted:
    """A version that is to be written."""

    number: int
    version: int
    change: Change
    kept: Mapping[str, Any]


def _nothing(*_: Any) -> None:
    """Of a kind of which nothing follows."""


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[StoredT]):
    """A kind of documents: where they are kept, and what it means that one changes."""

    record: type[StoredT]
    table: Table
    versions: Table
    missing: str = N_("There is nothing of this number.")
    taken: str = N_("There is one named “%(name)s” already.")
    keys: Sequence[str] = ()  # of a document, in the order in which people write them, which the database loses
    within: Sequence[str] = ()  # the columns within which a name is unique, such as whose it is; else it is among all
    starts_on: bool = False  # whether a new one acts that does not say
    acts_from_text: bool = False  # the same of a new one of a text
    stays_on: bool = True  # whether one that is edited acts on, as it is worded now
    columns: Callable[[StoredT | None, Mapping[str, Any], bool, Author], Mapping[str, Any]] = lambda *_: {}
    """What its table knows beside: of the document as it was, None of a new one; what it says then; whether it is on.
    Is not asked where only the order changes."""
    follow: Callable[[Connection, StoredT, Change, Author], None] = _nothing
    """In the transaction of the change, after it; the document as it was before, a new one as it is."""

    @property
    def owner(self) -> str:
        """The column of `versions` that names the document."""
        return str(self.versions.primary_key.columns[0].name)

    @property
    def is_ordered(self) -> bool:
        """Whether its documents act in an order."""
        return "position" in self.table.c

    def all(self, connection: Connection, *, only_on: bool = False, removed: bool = False) -> list[StoredT]:
        """In their order, or else in which they were made; those that were removed only if asked for."""
        query = self._query() if removed else self._query().where(self.table.c.removed_at.is_(None))
        query = query.where(self.table.c.is_on) if only_on else query
        return [self._stored(row) for row in connection.execute(query)]

    def read(self, connection: Connection, number: int, *, for_change: bool = False, removed: bool = False) -> StoredT:
        """One of them, a removed one only if asked for. Raises NotFound."""
        query = self._query().where(self.table.c.id == number)
        query = query if removed else query.where(self.table.c.removed_at.is_(None))
        row = connection.execute(query.with_for_update(of=self.table) if for_change else query).one_or_none()
        if row is None:
            raise NotFound(Phrase(self.missing))
        return self._stored(row)

    def history(self, connection: Connection, number: int) -> list[Version]:
        """Every version, the latest first; also of one that was removed. Raises NotFound."""
        names = [name for name in Version.model_fields if name != "position"]
        query = select(*(self.versions.c[name] for name in names), self._position(self.versions))
        query = query.where(self.versions.c[self.owner] == number).order_by(self.versions.c.version.desc())
        found = [Version.model_validate(self._values(row)) for row in connection.execute(query)]
        if not found:
            raise NotFound(Phrase(self.missing))
        return found

    def histories(self, connection: Connection, numbers: Collection[int]) -> dict[int, list[Version]]:
        """The same of several, by their numbers."""
        owner = self.versions.c[self.owner]
        names = [name for name in Version.model_fields if name != "position"]
        query = select(owner.label("_of"), *(self.versions.c[name] for name in names), self._position(self.versions))
        query = query.where(is_among_numbers(owner, numbers)).order_by(owner, self.versions.c.version.desc())
        found: dict[int, list[Version]] = {}
        for row in connection.execute(query):
            values = self._values(row)
            found.setdefault(values.pop("_of"), []).append(Version.model_validate(values))
        return found

    def create(
        self,
        connection: Connection,
        document: Mapping[str, Any],
        author: Author,
        *,
        is_on: bool | None = None,
        source: str | None = None,
    ) -> StoredT:
        """A new one, the last in order. Raises RequestConflict where its name is taken."""
        self.lock(connection)
        acts = self.starts_on if is_on is None else is_on
        values = {"name": document["name"], "version": 1, "is_on": acts, **self.columns(None, document, acts, author)}
        self._check_name(connection, values, 0)
        if self.is_ordered:
            values["position"] = self._last_position(connection) + 1
        number = connection.execute(insert(self.table).values(values).returning(self.table.c.id)).scalar_one()
        kept = {"document": dict(document), "is_on": acts, "position": values.get("position"), "source": source}
        self._note(connection, author, [_Noted(number=number, version=1, change=Change.CREATED, kept=kept)])
        made = self.read(connection, number)
        self.follow(connection, made, Change.CREATED, author)
        return made

    def create_all(self, connection: Connection, wordings: Sequence[Wording], author: Author) -> list[int]:
        """New ones, in this order the last: those that do not say act if they are `starts_on` or `acts_from_text`. Who
        calls it holds the lock, and has seen that their names are free."""
        rows, kept = [], []
        at = self._last_position(connection) if self.is_ordered and wordings else 0
        for place, one in enumerate(wordings, at + 1):
            acts = (self.starts_on or self.acts_from_text) if one.is_on is None else one.is_on
            values = {"name": one.document["name"], "version": 1, "is_on": acts}
            position = {"position": place} if self.is_ordered else {}
            rows.append({**values, **self.columns(None, one.document, acts, author), **position})
            document = {"document": dict(one.document), "is_on": acts, "source": one.source}
            kept.append({**document, "position": position.get("position")})
        if not rows:
            return []
        new = insert(self.table).returning(self.table.c.id, sort_by_parameter_order=True)
        numbers = list(connection.execute(new, rows).scalars())
        of_each = zip(numbers, kept, strict=True)
        noted = [_Noted(number=number, version=1, change=Change.CREATED, kept=one) for number, one in of_each]
        self._note(connection, author, noted)
        if self.follow is not _nothing:
            for made in self._of_numbers(connection, numbers):
                self.follow(connection, made, Change.CREATED, author)
        return numbers

    def edit_all(self, connection: Connection, edits: Sequence[tuple[StoredT, Wording]], author: Author) -> None:
        """Each as it was read, and what it says from now on, whoever edited it meanwhile. Their names stay; who calls
        it holds the lock."""
        changes = []
        for before, wording in edits:
            if self._says(before, wording):
                if wording.is_on not in (None, before.is_on):
                    change = Change.SWITCHED_ON if wording.is_on else Change.SWITCHED_OFF
                    changes.append(_Changed(before=before, change=change, values={"is_on": wording.is_on}))
                continue
            acts = (before.is_on and self.stays_on) if wording.is_on is None else wording.is_on
            said = {"document": wording.document, "is_on": acts, "source": wording.source}
            changes.append(_Changed(before=before, change=Change.EDITED, values=said))
        self._change_all(connection, changes, author)

    def remove_all(self, connection: Connection, numbers: Collection[int], author: Author) -> None:
        """Those of these that are there; who calls it holds the lock."""
        found = self._of_numbers(connection, numbers)
        gone = is_among_numbers(self.table.c.id, [one.id for one in found])
        connection.execute(update(self.table).where(gone).values(removed_at=author.now))
        changes = [_Changed(before=one, change=Change.REMOVED, values={"is_on": False}) for one in found]
        self._change_all(connection, changes, author)

    def edit(
        self,
        connection: Connection,
        number: int,
        document: Mapping[str, Any],
        author: Author,
        *,
        since: int | None,
        is_on: bool | None = None,
        source: str | None = None,
    ) -> StoredT:
        """Another wording; the same is no change. `since` is the version that the edit began from, `is_on` what the
        wording says of that itself.

        Raises NotFound, RequestConflict where the name is taken, EditedMeanwhile.
        """
        self.lock(connection)
        before = self.read(connection, number, for_change=True)
        if self._says(before, Wording(document=document, source=source)):
            return before if is_on is None else self.switch(connection, number, author, is_on=is_on)
        if since is not None and not before.edited_version <= since <= before.version:
            raise EditedMeanwhile(before, since, document)
        acts = (before.is_on and self.stays_on) if is_on is None else is_on
        values = {"name": document["name"], **self.columns(before, document, acts, author)}
        self._check_name(connection, values, number)
        return self._change(connection, before, Change.EDITED, author, document=document, is_on=acts, source=source)

    def switch(self, connection: Connection, number: int, author: Author, *, is_on: bool) -> StoredT:
        """Let it act, or stop it. Raises NotFound."""
        self.lock(connection)
        before = self.read(connection, number, for_change=True)
        if before.is_on == is_on:
            return before
        change = Change.SWITCHED_ON if is_on else Change.SWITCHED_OFF
        return self._change(connection, before, change, author, is_on=is_on)

    def remove(self, connection: Connection, number: int, author: Author) -> StoredT:
        """It acts no more; its history stays. As it was before. Raises NotFound."""
        self.lock(connection)
        before = self.read(connection, number, for_change=True)
        gone = update(self.table).where(self.table.c.id == number).values(removed_at=author.now)
        connection.execute(gone)
        self._change(connection, before, Change.REMOVED, author, is_on=False)
        return before

    def move(self, connection: Connection, number: int, place: int, author: Author) -> None:
        """To that place in the order, counted from 1; behind the last it is the last. Raises NotFound."""
        self.lock(connection)
        moved = self.read(connection, number)
        others = [one for one in self.all(connection) if one.id != number]
        at = max(place - 1, 0)
        self._number(connection, [*others[:at], moved, *others[at:]], author)

    def put_in_order(self, connection: Connection, keys: Sequence[tuple[Any, ...]], author: Author) -> None:
        """The places that these, by their `key`, have among all stay theirs, and are filled in this order."""
        order = [(self.key(dict(one)), one) for one in self.all(connection)]
        by_key, moved = dict(order), set(keys)
        wanted = iter([by_key[key] for key in keys])
        places = [one.position or 0 for _, one in order]
        if any(before >= after for before, after in pairwise(places)):
            places = list(range(1, len(order) + 1))
        self._place(connection, [next(wanted) if key in moved else one for key, one in order], places, author)

    def names(self, connection: Connection) -> dict[str, int]:
        """The number of each by its name, in their order."""
        columns, order = self.table.c, self._order()
        query = select(columns.name, columns.id).where(columns.removed_at.is_(None)).order_by(*order)
        return {row.name: row.id for row in connection.execute(query)}

    def text_order(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document with its keys as people write them."""
        known = {key: document[key] for key in self.keys if key in document}
        return {**known, **document}

    def _query(self) -> Select[Any]:
        versions, worded = self.versions.c, self.versions.alias().c
        edited = (
            select(func.max(worded.version))
            .where(worded[self.owner] == self.table.c.id, worded.change.in_([Change.CREATED, Change.EDITED]))
            .scalar_subquery()
            .label("edited_version")
        )
        own: dict[str, ColumnElement[Any]] = {
            "edited_version": edited,
            "position": self._position(self.table),
            "source": versions.source if "source" in versions else null().label("source"),
            **{name: versions[name] for name in ("document", "changed_by", "changed_at")},
        }
        columns = [own[name] if name in own else self.table.c[name] for name in self.record.model_fields]
        return (
            select(*columns)
            .join(self.versions, (versions[self.owner] == self.table.c.id) & (versions.version == self.table.c.version))
            .order_by(*self._order())
        )

    def _position(self, table: Table) -> ColumnElement[Any]:
        return table.c.position if self.is_ordered else null().label("position")

    def _order(self) -> list[ColumnElement[Any]]:
        return [*([self.table.c.position] if self.is_ordered else []), self.table.c.id]

    def _stored(self, row: Row[Any]) -> StoredT:
        return self.record.model_validate(self._values(row))

    def _values(self, row: Any) -> dict[str, Any]:
        return {**row._asdict(), "document": self.text_order(row.document)}

    def lock(self, connection: Connection) -> None:
        """Let nobody else change documents of this kind until this transaction ends."""
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK, func.hashtext(self.table.name))))

    def hold(self, connection: Connection) -> None:
        """Let nobody change documents of this kind until this transaction ends; any number may hold them."""
        connection.execute(select(func.pg_advisory_xact_lock_shared(_LOCK, func.hashtext(self.table.name))))

    def key(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """What no other that is there may have in common with these."""
        return tuple(values[name] for name in ("name", *self.within))

    def _check_name(self, connection: Connection, values: Mapping[str, Any], number: int) -> None:
        columns = self.table.c
        same = (columns[name].is_not_distinct_from(values[name]) for name in ("name", *self.within))
        other = select(columns.id).where(columns.removed_at.is_(None), columns.id != number, *same)
        if connection.execute(other).first() is not None:
            raise RequestConflict(Phrase(self.taken, {"name": values["name"]}), field="name")

    def _number(self, connection: Connection, order: Sequence[StoredT], author: Author) -> None:
        """Number them in this order."""
        self._place(connection, order, range(1, len(order) + 1), author)

    def _place(self, connection: Connection, order: Sequence[StoredT], places: Sequence[int], author: Author) -> None:
        """Give them these places; each that gets another one has a version that says so."""
        changes = [
            _Changed(before=one, change=Change.MOVED, values={"position": place})
            for one, place in zip(order, places, strict=True)
            if one.position != place
        ]
        self._change_all(connection, changes, author)

    def _change(
        self, connection: Connection, before: StoredT, change: Change, author: Author, **changed: Any
    ) -> StoredT:
        """The next version; what is not changed stays."""
        self._change_all(connection, [_Changed(before=before, change=change, values=changed)], author)
        return self.read(connection, before.id, removed=True)

    def _change_all(self, connection: Connection, changes: Sequence[_Changed[StoredT]], author: Author) -> None:
        """The next version of each, in as few statements for many as for one; each is followed after all of them."""
        if not changes:
            return
        notes = []
        by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for one in changes:
            before, version = one.before, one.before.version + 1
            names = ("document", "is_on", "position", "source")
            kept: dict[str, Any] = {name: one.values.get(name, getattr(before, name)) for name in names}
            values = {"name": kept["document"]["name"], "version": version, "is_on": kept["is_on"]}
            if self.is_ordered:
                values["position"] = kept["position"]
            if one.change is not Change.MOVED:
                values |= self.columns(before, kept["document"], kept["is_on"], author)
            by_columns.setdefault(tuple(values), []).append({**values, "_number": before.id})
            notes.append(_Noted(number=before.id, version=version, change=one.change, kept=kept))
        for columns, rows in by_columns.items():
            changed = update(self.table).where(self.table.c.id == bindparam("_number"))
            connection.execute(changed.values({name: bindparam(name) for name in columns}), rows)
        self._note(connection, author, notes)
        for one in changes:
            self.follow(connection, one.before, one.change, author)

    def _note(self, connection: Connection, author: Author, notes: Sequence[_Noted]) -> None:
        by = {"changed_by": author.name, "changed_at": author.now}
        rows = [
            {self.owner: one.number, "version": one.version, "change": str(one.change), **by}
            | {name: value for name, value in one.kept.items() if name in self.versions.c}
            for one in notes
        ]
        connection.execute(insert(self.versions), rows)

    def _of_numbers(self, connection: Connection, numbers: Collection[int]) -> list[StoredT]:
        """Those of these that are there."""
        query = self._query().where(is_among_numbers(self.table.c.id, numbers), self.table.c.removed_at.is_(None))
        return [self._stored(row) for row in connection.execute(query)]

    def _last_position(self, connection: Connection) -> int:
        last = select(func.coalesce(func.max(self.table.c.position), 0)).where(self.table.c.removed_at.is_(None))
        return int(connection.execute(last).scalar_one())

    @staticmethod
    def _says(stored: Stored, wording: Wording) -> bool:
        """Whether it says this already."""
        return stored.document == wording.document and wording.source in (None, stored.source)


class EditedMeanwhile(RequestConflict):
    """Somebody else changed what it says since the version that this edit began from. `newer` is it as it is now,
    `mine` what was to be saved."""

    def __init__(self, newer: Stored, since: int, mine: Mapping[str, Any]) -> None:
        says = {"since": since, "version": newer.edited_version}
        super().__init__(
            P_("It was edited after version %(since)s: it is version %(version)s now. Nothing was saved.", **says)
        )
        self.newer, self.mine = newer, mine
