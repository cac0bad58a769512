"""Levels of dose alerts and exams for them: for tests of what is made of both."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, select, update

from tests.dose_statistics import MadeExam, keep
from treegarth.documents.store import Author
from treegarth.features.dose.alerts.service import look_at_due
from treegarth.features.dose.alerts.store.alerts import Alert, select_alerts
from treegarth.features.dose.alerts.store.due import note_changed
from treegarth.features.dose.alerts.store.levels import LEVELS
from treegarth.features.dose.alerts.telling import Telling
from treegarth.features.dose.analysis.tables import exam_dose
from treegarth.features.dose.registry.tables import dose_study
from treegarth.features.rules.store.notices import settle
from treegarth.features.rules.store.notifications import tell_of_study
from treegarth.features.rules.tables import notification

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
AUTHOR = Author(name="physicist", now=NOW)
TELLING = Telling(tell=tell_of_study, settle=settle)
DLP = {"kind": "exam", "quantity": "dlp_mgy_cm", "above": 1000}
SUM = {"kind": "cumulative", "quantity": "dlp_body_mgy_cm", "above": 1000, "window_days": 30}
REPEAT = {"kind": "repeat", "at_least": 2, "within_hours": 24}
OUTLIER = {"kind": "outlier", "quantity": "dlp_mgy_cm", "iqr_factor": 1.5, "least_exams": 5}
MISSING = {"kind": "missing", "after_hours": 24}


def level(engine: Engine, said: dict[str, Any], **more: Any) -> int:
    document = {"name": said["kind"], "exams_from": "2026-01-01", "email": [], "webhook": [], **said, **more}
    with engine.begin() as connection:
        return LEVELS.create(connection, document, AUTHOR).id


def ct(dlp: float, day: date = date(2026, 11, 1), **more: Any) -> MadeExam:
    """A CT of the body."""
    doses = {"dlp_mgy_cm": dlp, "dlp_body_mgy_cm": dlp, "irradiation_event_count": 1.0}
    return MadeExam(doses=doses, study_date=day, **more)


def arrive(engine: Engine, *exams: MadeExam) -> None:
    """Kept and looked at."""
    with engine.begin() as connection:
        keep(connection, exams)
        note_changed(connection, [one.orthanc_study_id for one in exams])
    look(engine)


def look(engine: Engine) -> None:
    while look_at_due(engine, TELLING, lambda: NOW):
        pass


def again(engine: Engine, *exams: MadeExam) -> None:
    """Decided once more."""
    with engine.begin() as connection:
        note_changed(connection, [one.orthanc_study_id for one in exams])
    look(engine)


def correct(engine: Engine, exam: MadeExam, dlp: float) -> None:
    """Its dose turned out to be another one."""
    with engine.begin() as connection:
        rows = exam_dose.c.orthanc_study_id == exam.orthanc_study_id
        of_dlp = exam_dose.c.quantity.in_(["dlp_mgy_cm", "dlp_body_mgy_cm"])
        connection.execute(update(exam_dose).where(rows, of_dlp).values(value=dlp))
    again(engine, exam)


def change_study(connection: Connection, exam: MadeExam, **values: Any) -> None:
    row = dose_study.c.orthanc_study_id == exam.orthanc_study_id
    connection.execute(update(dose_study).where(row).values(**values))


def counts_nowhere(connection: Connection, exam: MadeExam, **values: Any) -> None:
    """Left out, of a phantom or replaced by another one: it has no rows of statistics any more."""
    change_study(connection, exam, **values)
    connection.execute(exam_dose.delete().where(exam_dose.c.orthanc_study_id == exam.orthanc_study_id))
    note_changed(connection, [exam.orthanc_study_id])


def found(engine: Engine, **asked: Any) -> list[Alert]:
    with engine.connect() as connection:
        rows = connection.execute(select_alerts(**asked)).all()
    return sorted((Alert(**row._mapping) for row in rows), key=lambda one: one.id)


def told(engine: Engine) -> int:
    """How many notices were written for the bell."""
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(notification)).scalar_one())
