"""Which standard name somebody means who wrote one: of its modality the one that is spelt the same, else the first in
the order that reads the same when both are folded (`treegarth.folding`): chest is Chest. Queries only."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, Connection, select

from treegarth.database.folding import folded
from treegarth.database.parameters import is_among
from treegarth.features.dose.analysis.tables import standard_name
from treegarth.folding import fold
from treegarth.record import Record


class MeantName(Record):
    """A standard name that is there."""

    id: int
    name: str


def names_meant(connection: Connection, wanted: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], MeantName]:
    """By modality and name, as somebody wrote it; without those of which there is none."""
    name = standard_name.c
    query = select(name.id, name.modality, name.name).where(name.removed_at.is_(None))
    query = query.where(is_among(name.modality, {modality for modality, _ in wanted}))
    spelt: dict[tuple[str, str], MeantName] = {}
    alike: dict[tuple[str, str], MeantName] = {}
    for row in connection.execute(query.order_by(name.position, name.id)):
        one = MeantName(id=row.id, name=row.name)
        spelt[row.modality, row.name] = one
        alike.setdefault((row.modality, fold(row.name)), one)
    found = {
        (modality, written): spelt.get((modality, written)) or alike.get((modality, fold(written)))
        for modality, written in wanted
    }
    return {key: one for key, one in found.items() if one is not None}


def name_meant(connection: Connection, modality: str, written: str) -> MeantName | None:
    """None where there is no such name, or no more."""
    return names_meant(connection, [(modality, written)]).get((modality, written))


def reads_as(written: str) -> ColumnElement[bool]:
    """Of rows of `standard_name`: that they read the same, of whatever modality."""
    return standard_name.c.id.in_(select(standard_name.c.id).where(folded(standard_name.c.name) == fold(written)))
