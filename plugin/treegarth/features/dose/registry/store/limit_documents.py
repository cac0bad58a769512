"""The limits of plausibility that a site sets itself, as documents: each is of one quantity. Queries only.

A change has every dose decided anew, by itself: a long work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from treegarth.documents.store import Author, Change, Kind, Stored
from treegarth.errors import RequestConflict
from treegarth.features.dose.plausibility import BUILT_IN
from treegarth.features.dose.registry.store.redecision import start_redeciding
from treegarth.features.dose.registry.tables import dose_limit, dose_limit_version
from treegarth.phrases import N_, P_


def _columns(before: Stored | None, document: Mapping[str, Any], is_on: bool, author: Author) -> Mapping[str, Any]:
    """In the stored unit."""
    factor = BUILT_IN[document["quantity"]].shown.factor
    given = {name: document.get(name) for name in ("least", "greatest")}
    return {
        "quantity": document["quantity"],
        **{name: None if value is None else value / factor for name, value in given.items()},
    }


def _follow(connection: Connection, before: Stored, change: Change, author: Author) -> None:
    """Raises RequestConflict where two that are on say the limit of one quantity."""
    on = select(dose_limit.c.quantity, dose_limit.c.name).where(dose_limit.c.is_on).order_by(dose_limit.c.id)
    names: dict[str, str] = {}
    for row in connection.execute(on):
        if row.quantity in names:
            raise RequestConflict(
                P_("“%(name)s” says the limit of this quantity already.", name=names[row.quantity]), field="quantity"
            )
        names[row.quantity] = row.name
    start_redeciding(connection, author.name, author.now)


LIMITS = Kind(
    record=Stored,
    table=dose_limit,
    versions=dose_limit_version,
    missing=N_("There is no limit with this number."),
    taken=N_("Another limit has the name %(name)s."),
    keys=("name", "quantity", "least", "greatest", "reason"),
    starts_on=True,
    columns=_columns,
    follow=_follow,
)
