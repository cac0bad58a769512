"""The coefficients that a site says itself, as documents: each is one number of a publication. Queries only.

A change has every dose decided anew, and with it derived anew, by itself: a long work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from treegarth.documents.store import Author, Change, Kind, Stored
from treegarth.errors import RequestConflict
from treegarth.features.dose.analysis.tables import dose_coefficient, dose_coefficient_version
from treegarth.features.dose.registry.store.redecision import start_redeciding
from treegarth.phrases import N_, P_

_KEY = ("coefficient_table", "of", "age_group", "phantom")


def _columns(before: Stored | None, document: Mapping[str, Any], is_on: bool, author: Author) -> Mapping[str, Any]:
    given = {name: document.get(name) for name in ("of", "age_group", "phantom", "value", "source")}
    return {"coefficient_table": document["table"], **given}


def _follow(connection: Connection, before: Stored, change: Change, author: Author) -> None:
    """Raises RequestConflict where two that are on say the same coefficient."""
    columns = [dose_coefficient.c[name] for name in (*_KEY, "name")]
    on = select(*columns).where(dose_coefficient.c.is_on).order_by(dose_coefficient.c.id)
    names: dict[tuple[Any, ...], str] = {}
    for row in connection.execute(on):
        key = tuple(row[:-1])
        if key in names:
            raise RequestConflict(P_("“%(name)s” says this coefficient already.", name=names[key]), field="of")
        names[key] = row.name
    start_redeciding(connection, author.name, author.now)


COEFFICIENTS = Kind(
    record=Stored,
    table=dose_coefficient,
    versions=dose_coefficient_version,
    missing=N_("There is no coefficient with this number."),
    taken=N_("Another coefficient has the name %(name)s."),
    keys=("name", "table", "of", "age_group", "phantom", "value", "source", "note"),
    starts_on=True,
    columns=_columns,
    follow=_follow,
)
