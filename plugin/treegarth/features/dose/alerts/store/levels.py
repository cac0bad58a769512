"""Levels of alerts as documents, and as they act. Queries only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from treegarth.documents.store import Author, Change, Kind, Stored
from treegarth.errors import RequestConflict
from treegarth.features.dose.alerts.levels import Level, LevelParameters
from treegarth.features.dose.alerts.store.due import note_of_level
from treegarth.features.dose.alerts.tables import dose_alert_level, dose_alert_level_version
from treegarth.phrases import N_, P_


class StoredLevel(Stored):
    """A level of alerts as it is now."""

    kind: str
    """Of which kind its alerts are."""
    exams_from: date
    """Exams of this day or later make alerts."""


def _columns(before: StoredLevel | None, document: Mapping[str, Any], is_on: bool, author: Author) -> Mapping[str, Any]:
    """A level that does not say from which day on is of the exams since it was made or switched on, or since it says so
    no more."""
    given = document.get("exams_from")
    begins = before is None or (is_on and not before.is_on) or "exams_from" in before.document
    since = (
        date.fromisoformat(given) if given else (author.now.date() if before is None or begins else before.exams_from)
    )
    if before is not None:
        _check_same(before, document)
    return {"kind": document["kind"], "exams_from": since, "swept_at": None}


def _check_same(before: StoredLevel, document: Mapping[str, Any]) -> None:
    """Its alerts are about its kind and its quantity: those that it made would be of nothing any more, and stand for
    ever as they are."""
    for name in ("kind", "quantity"):
        if before.document.get(name) != document.get(name):
            raise RequestConflict(
                P_("A level keeps its kind and its quantity: its alerts are about them. Set another level."), field=name
            )


def _follow(connection: Connection, before: StoredLevel, change: Change, author: Author) -> None:
    """Alerts look at its exams anew, in the background; what it told of already it does not tell again."""
    now = LEVELS.read(connection, before.id, removed=True)
    if now.is_on:
        note_of_level(connection, now.id, now.exams_from)


LEVELS = Kind(
    record=StoredLevel,
    table=dose_alert_level,
    versions=dose_alert_level_version,
    missing=N_("There is no alert level with this number."),
    taken=N_("Another alert level has the name %(name)s."),
    keys=tuple(LevelParameters.model_fields),
    starts_on=True,
    columns=_columns,
    follow=_follow,
)


def level_of(stored: StoredLevel) -> Level:
    """As it acts."""
    return Level(
        id=stored.id,
        version=stored.version,
        name=stored.name,
        is_on=stored.is_on,
        exams_from=stored.exams_from,
        says=LevelParameters.model_validate(stored.document),
    )


def read_levels(connection: Connection) -> list[Level]:
    """Every level, those too that are off or removed: what they told of may be no longer so."""
    return [level_of(one) for one in LEVELS.all(connection, removed=True)]


def swept_at(connection: Connection, level_id: int) -> datetime | None:
    """Until when a level of missing dose has looked at studies."""
    row = dose_alert_level.c
    query = select(row.swept_at).where(row.id == level_id).with_for_update(key_share=True)  # alerts are made meanwhile
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def note_swept(connection: Connection, level_id: int, now: datetime) -> None:
    connection.execute(update(dose_alert_level).where(dose_alert_level.c.id == level_id).values(swept_at=now))
