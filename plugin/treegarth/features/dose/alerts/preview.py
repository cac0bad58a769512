"""What a level would have made of the last year's exams, before it acts. Reads only."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from treegarth.features.dose.alerts.levels import Level, LevelParameters
from treegarth.features.dose.alerts.service import episodes_of
from treegarth.features.dose.alerts.store import exams
from treegarth.web.routes import Answer

DAYS = 365
LOOKED_AT = 500
"""Exams of outliers, and patients, that are looked at one by one: a person waits for it."""


class AlertsPreview(Answer):
    """How many alerts a level would have made of the exams of the last year."""

    alerts: int
    """How many."""
    looked_at: int
    """Of so many exams or patients."""
    of: Literal["exams", "patients"]
    """`patients` of sums and repeats: those with enough exams to be looked at."""
    is_whole: bool
    """False: of more than these, which are the newest exams, or any of the patients."""
    since: date
    until: date


def level_of_preview(says: LevelParameters, since: date) -> Level:
    """A level that nobody has kept."""
    return Level(id=0, version=0, name=says.name, is_on=True, exams_from=since, says=says)


def preview(connection: Connection, says: LevelParameters, now: datetime) -> AlertsPreview:
    """`now` is in the site's zone."""
    until = now.date()
    since = until - timedelta(days=DAYS)
    level = level_of_preview(says, since)
    if level.kind == "missing":
        made, looked_at = exams.count_without_dose(connection, level, now, since)
        return AlertsPreview(alerts=made, looked_at=looked_at, of="exams", is_whole=True, since=since, until=until)
    if level.kind == "exam":
        made, looked_at = exams.count_above(connection, level, since, until)
        return AlertsPreview(alerts=made, looked_at=looked_at, of="exams", is_whole=True, since=since, until=until)
    if level.kind == "outlier":
        return _outliers(connection, level, since, until)
    return _patients(connection, level, since, until)


def _outliers(connection: Connection, level: Level, since: date, until: date) -> AlertsPreview:
    newest = exams.newest(connection, level, since, until, limit=LOOKED_AT + 1)
    ids, is_whole = newest[:LOOKED_AT], len(newest) <= LOOKED_AT
    made = len(exams.outliers(connection, level, ids=ids)) if ids else 0
    return AlertsPreview(alerts=made, looked_at=len(ids), of="exams", is_whole=is_whole, since=since, until=until)


def _patients(connection: Connection, level: Level, since: date, until: date) -> AlertsPreview:
    found = sorted(exams.patients_above(connection, level, since, until), key=lambda one: one.key)
    looked_at = found[:LOOKED_AT]
    made = sum(
        len(episodes_of(level, group, since))
        for patient in looked_at
        for _, group in exams.exams_of_patient(connection, level, patient)
    )
    return AlertsPreview(
        alerts=made,
        looked_at=len(looked_at),
        of="patients",
        is_whole=len(looked_at) == len(found),
        since=since,
        until=until,
    )
