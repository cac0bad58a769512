"""Standard names as documents: a change gives every exam and protocol its name anew, in its transaction. An import is
kept as one, and undone as one. Queries only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, func, insert, select, update

from treegarth.documents.importing import Imported
from treegarth.documents.store import Author, Change, Kind, Stored, Version, Wording
from treegarth.errors import NotFound, RequestConflict
from treegarth.features.dose.analysis.names.model import KEYS
from treegarth.features.dose.analysis.names.store.naming import name_everything
from treegarth.features.dose.analysis.tables import (
    standard_name,
    standard_name_import,
    standard_name_imported,
    standard_name_version,
)
from treegarth.phrases import N_, P_
from treegarth.record import Record

CODE = ("code_value", "coding_scheme_designator", "code_meaning")
Form: TypeAlias = Literal["csv", "yaml"]


class StandardName(Stored):
    """A standard name as it is kept."""

    modality: str


def _columns(before: Stored | None, document: Mapping[str, Any], is_on: bool, author: Author) -> Mapping[str, Any]:
    return {"modality": document["modality"], **{name: document.get(name) for name in CODE}}


def _follow(connection: Connection, before: StandardName, change: Change, author: Author) -> None:
    name_everything(connection)


class StandardNames(Kind[StandardName]):
    """Names are given anew once, however many documents one act changes."""

    def together(self) -> StandardNames:
        """The same, without giving names: who changes several does that afterwards."""
        return replace(self, follow=lambda *_: None)

    def _place(
        self, connection: Connection, order: Sequence[StandardName], places: Sequence[int], author: Author
    ) -> None:
        Kind._place(self.together(), connection, order, places, author)
        if self.follow is _follow:
            name_everything(connection)


STANDARD_NAMES = StandardNames(
    record=StandardName,
    table=standard_name,
    versions=standard_name_version,
    missing=N_("There is no standard name with this number."),
    taken=N_("Another standard name of this modality is called %(name)s."),
    keys=KEYS,
    within=("modality",),
    starts_on=True,
    acts_from_text=True,
    columns=_columns,
    follow=_follow,
)


class NameImport(Record):
    """An import of standard names."""

    id: int
    form: Form
    imported_by: str | None
    """Null without a login."""
    imported_at: datetime
    created_count: int
    changed_count: int
    undone_by: str | None
    undone_at: datetime | None
    """Null: it is not undone."""


def import_together(
    connection: Connection, author: Author, form: Form, act: Callable[[StandardNames], list[Imported]]
) -> list[Imported]:
    """Do an import, and keep what it changed."""
    STANDARD_NAMES.lock(connection)
    before = versions(connection)
    done = act(STANDARD_NAMES.together())
    name_everything(connection)
    changed = {number: version for number, version in versions(connection).items() if before.get(number) != version}
    if changed:
        noted = {"form": form, "imported_by": author.name, "imported_at": author.now}
        made = insert(standard_name_import).values(noted).returning(standard_name_import.c.id)
        import_id = connection.execute(made).scalar_one()
        rows = [
            {
                "import_id": import_id,
                "standard_name_id": number,
                "version_before": before.get(number),
                "version_after": version,
            }
            for number, version in changed.items()
        ]
        connection.execute(insert(standard_name_imported), rows)
    return done


def list_imports(connection: Connection, *, limit: int = 100) -> list[NameImport]:
    """The latest first."""
    one, of = standard_name_import.c, standard_name_imported.c
    query = (
        select(
            *standard_name_import.c,
            func.count().filter(of.version_before.is_(None)).label("created_count"),
            func.count(of.version_before).label("changed_count"),
        )
        .join_from(standard_name_import, standard_name_imported, of.import_id == one.id)
        .group_by(one.id)
        .order_by(one.id.desc())
        .limit(limit)
    )
    return [NameImport.model_validate(row._asdict()) for row in connection.execute(query)]


def undo_import(connection: Connection, import_id: int, author: Author) -> None:
    """What it made is removed, what it changed says what it said before, in the order of before.

    Raises NotFound, RequestConflict where it is undone, or where somebody changed since what it made or changed.
    """
    STANDARD_NAMES.lock(connection)
    one = standard_name_import.c
    found = connection.execute(select(one.undone_at).where(one.id == import_id)).one_or_none()
    if found is None:
        raise NotFound(P_("There is no import with this number."))
    if found.undone_at is not None:
        raise RequestConflict(P_("This import is undone already."))
    of = standard_name_imported.c
    rows = connection.execute(select(standard_name_imported).where(of.import_id == import_id)).all()
    histories = STANDARD_NAMES.histories(connection, [row.standard_name_id for row in rows])
    if touched := sorted(
        history[0].document["name"]
        for row in rows
        if _is_changed_since(history := histories[row.standard_name_id], row.version_after)
    ):
        raise RequestConflict(
            P_("Somebody changed since what this import brought: %(names)s.", names=", ".join(touched[:10]))
        )
    _take_back(connection, {row.standard_name_id: _at(histories, row) for row in rows}, author)
    noted = {"undone_by": author.name, "undone_at": author.now}
    connection.execute(update(standard_name_import).where(one.id == import_id).values(noted))


def _take_back(connection: Connection, before: Mapping[int, Version | None], author: Author) -> None:
    """Each as it was before; what was not there is removed."""
    names = STANDARD_NAMES.together()
    names.remove_all(connection, [number for number, version in before.items() if version is None], author)
    now = {one.id: one for one in names.all(connection)}
    edits = [
        (now[number], Wording(document=version.document, is_on=version.is_on))
        for number, version in before.items()
        if version is not None
    ]
    names.edit_all(connection, edits, author)
    kept = sorted((one for one in before.values() if one is not None), key=lambda one: one.position or 0)
    names.put_in_order(connection, [(one.document["name"], one.document["modality"]) for one in kept], author)
    name_everything(connection)


def _at(histories: Mapping[int, Sequence[Version]], row: Any) -> Version | None:
    """The version before an import."""
    return next((one for one in histories[row.standard_name_id] if one.version == row.version_before), None)


def _is_changed_since(history: Sequence[Version], version: int) -> bool:
    return any(one.version > version and one.change is not Change.MOVED for one in history)


def versions(connection: Connection) -> dict[int, int]:
    """The version of each standard name, also of those that were removed, by its number."""
    return {row.id: row.version for row in connection.execute(select(standard_name.c.id, standard_name.c.version))}
