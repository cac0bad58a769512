"""Exams that alerts are to look at. Whoever changes an exam notes it in the same transaction; queries only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import Connection, exists, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from treegarth.database.parameters import is_among
from treegarth.features.dose.alerts.tables import dose_alert, dose_alert_due
from treegarth.features.dose.registry.tables import dose_study
from treegarth.tasks import leases
from treegarth.tasks.backoff import Backoff

# As a text, like every statement of the store path: the same one for any number of exams, planned once. Without a level
# that acts and without an alert it writes nothing.
_NOTE = text("""
INSERT INTO dose_alert_due (orthanc_study_id)
SELECT one FROM unnest(CAST(:ids AS text[])) AS given (one)
WHERE EXISTS (SELECT FROM dose_alert_level WHERE is_on) OR EXISTS (SELECT FROM dose_alert)
ORDER BY one ON CONFLICT DO NOTHING
""")


def note_changed(connection: Connection, orthanc_study_ids: Iterable[str]) -> None:
    """Alerts look at these exams anew."""
    connection.execute(_NOTE, {"ids": sorted(set(orthanc_study_ids))})


def note_of_level(connection: Connection, level_id: int, exams_from: date) -> None:
    """What a level says changed: alerts look at every exam since its first day, and at those that it has alerts of."""
    since = select(dose_study.c.orthanc_study_id).where(
        or_(dose_study.c.study_date >= exams_from, dose_study.c.study_date.is_(None))
    )
    alerted = select(dose_alert.c.orthanc_study_id).where(dose_alert.c.level_id == level_id)
    for found in (since, alerted):
        statement = insert(dose_alert_due).from_select(["orthanc_study_id"], found)
        connection.execute(statement.on_conflict_do_nothing())


def take_due(connection: Connection, now: datetime, *, limit: int) -> list[str]:
    """Take up to `limit` exams out of the queue, sorted; they are back if the transaction fails."""
    due = dose_alert_due.c
    only = or_(due.attempts == 0, due.next_attempt_at <= now)  # noted by the database's clock, put off by ours
    rows = leases.take(
        connection, dose_alert_due, due.next_attempt_at, only, limit=limit, returning=[due.orthanc_study_id]
    )
    return sorted(row.orthanc_study_id for row in rows)


def has_due(connection: Connection) -> bool:
    """Whether anything waits."""
    return bool(connection.execute(select(exists().select_from(dose_alert_due))).scalar_one())


def put_off(
    connection: Connection, orthanc_study_ids: Sequence[str], reason: str, now: datetime, backoff: Backoff
) -> None:
    """They could not be looked at, and are again later."""
    row = dose_alert_due.c
    which = is_among(row.orthanc_study_id, orthanc_study_ids)
    for found in connection.execute(select(row.orthanc_study_id, row.attempts).where(which).with_for_update()).all():
        attempts = found.attempts + 1
        values = {"attempts": attempts, "next_attempt_at": backoff.next_attempt(attempts, now), "last_error": reason}
        this = row.orthanc_study_id == found.orthanc_study_id
        connection.execute(update(dose_alert_due).where(this).values(values))


def count_due(connection: Connection) -> tuple[int, int]:
    """How many exams wait, and how many of them failed before."""
    failed = func.count().filter(dose_alert_due.c.attempts > 0)
    query = select(func.count().label("waiting"), failed.label("failed")).select_from(dose_alert_due)
    row = connection.execute(query).one()
    return row.waiting, row.failed
