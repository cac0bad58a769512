"""Exams that alerts are to look at. Whoever changes an exam notes it in the same transaction; queries only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, Text, exists, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from treegarth.database.parameters import is_among, is_among_numbers
from treegarth.features.dose.alerts.tables import dose_alert, dose_alert_due, dose_alert_level
from treegarth.features.dose.analysis.tables import exam_dose
from treegarth.features.dose.registry.tables import dose_study
from treegarth.tasks import leases
from treegarth.tasks.backoff import Backoff

LATER = timedelta(days=1)
"""Behind what changes meanwhile come the exams that only a level or a name asks for: there may be a whole archive of
them."""
SOON = timedelta(minutes=1)

# As a text, like every statement of the store path: the same one for any number of exams, planned once. Where there
# never was a level it writes nothing. Of one that is off it does: who switches it on sees no exam that is being decided
# at that moment. A row that waits already is changed, and so locked: who takes it would otherwise look at the exam as
# it was before this transaction.
_NOTE = text("""
INSERT INTO dose_alert_due (orthanc_study_id)
SELECT one FROM unnest(CAST(:ids AS text[])) AS given (one)
WHERE EXISTS (SELECT FROM dose_alert_level)
ORDER BY one
ON CONFLICT (orthanc_study_id) DO UPDATE SET attempts = 0, next_attempt_at = now(), last_error = NULL
""")


def note_changed(connection: Connection, orthanc_study_ids: Iterable[str]) -> None:
    """Alerts look at these exams anew."""
    connection.execute(_NOTE, {"ids": sorted(set(orthanc_study_ids))})


def note_of_level(connection: Connection, level_id: int, exams_from: date) -> None:
    """What a level says changed: alerts look at every exam since its first day, and at those that it has alerts of. Not
    at those without a day: nobody knows whether they are of before it."""
    since = select(dose_study.c.orthanc_study_id).where(dose_study.c.study_date >= exams_from)
    alerted = select(dose_alert.c.orthanc_study_id).where(dose_alert.c.level_id == level_id)
    _note_for_later(connection, since.union(alerted).subquery().select())


def note_named(connection: Connection, exam_name_ids: Collection[int]) -> None:
    """These names have another standard name: alerts look at their exams anew."""
    named = select(exam_dose.c.orthanc_study_id).where(is_among_numbers(exam_dose.c.exam_name_id, exam_name_ids))
    _note_for_later(connection, named.where(exists().select_from(dose_alert_level)).distinct())


def _note_for_later(connection: Connection, found: Select[Any], *, after: timedelta = LATER) -> None:
    """What waits already keeps its turn, and is locked as in `_NOTE`."""
    later = found.add_columns(func.now() + after).order_by(found.selected_columns[0])
    statement = insert(dose_alert_due).from_select(["orthanc_study_id", "next_attempt_at"], later)
    connection.execute(statement.on_conflict_do_update(index_elements=["orthanc_study_id"], set_={"attempts": 0}))


def take_due(connection: Connection, now: datetime, *, limit: int) -> list[str]:
    """Take up to `limit` exams out of the queue, sorted; they are back if the transaction fails."""
    due = dose_alert_due.c
    only = or_(due.attempts == 0, due.next_attempt_at <= now)  # noted by the database's clock, put off by ours
    rows = leases.take(
        connection, dose_alert_due, due.next_attempt_at, only, limit=limit, returning=[due.orthanc_study_id]
    )
    return sorted(row.orthanc_study_id for row in rows)


def leave_for_later(connection: Connection, orthanc_study_ids: Iterable[str]) -> None:
    """What was taken waits again, behind what changed until now."""
    ids = func.unnest(literal(sorted(orthanc_study_ids), ARRAY(Text))).label("orthanc_study_id")
    _note_for_later(connection, select(ids), after=SOON)


def has_due(connection: Connection) -> bool:
    """Whether anything waits."""
    return bool(connection.execute(select(exists().select_from(dose_alert_due))).scalar_one())


def put_off(
    connection: Connection, orthanc_study_ids: Sequence[str], reason: str, now: datetime, backoff: Backoff
) -> None:
    """They could not be looked at, and are again later."""
    row = dose_alert_due.c
    which = is_among(row.orthanc_study_id, orthanc_study_ids)
    query = select(row.orthanc_study_id, row.attempts).where(which).order_by(row.orthanc_study_id)
    for found in connection.execute(query.with_for_update()).all():
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
