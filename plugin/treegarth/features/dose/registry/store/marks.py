"""What people said of single studies: phantom, QA, service, or a patient after all. Queries only.

Nothing is changed or deleted here: each word is a row with who, when and why, and the latest of a study holds. A study
need not have a dose, and keeps its rows when its dose goes and comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, insert, select

from treegarth.database.parameters import is_among
from treegarth.features.dose.registry.tables import dose_study_not_patient
from treegarth.record import Record

PATIENT: Literal["patient"] = "patient"
Said: TypeAlias = Literal["phantom", "qa", "service", "patient"]
"""`patient` is a patient after all, whatever rules and objects say."""


class StudyMark(Record):
    """What somebody said of a study."""

    id: int
    meaning: Said | None
    """Null: what was said before was taken back."""
    reason: str
    marked_by: str | None
    """Null: someone without a login."""
    marked_at: datetime


def said_of(orthanc_study_id: ColumnElement[str]) -> ColumnElement[str | None]:
    """What people say of the study of this column, as SQL; NULL where they say nothing."""
    mark = dose_study_not_patient
    latest = select(mark.c.meaning).where(mark.c.orthanc_study_id == orthanc_study_id)
    return latest.order_by(mark.c.id.desc()).limit(1).correlate(orthanc_study_id.table).scalar_subquery()


def marks_of(connection: Connection, orthanc_study_id: str) -> list[StudyMark]:
    """All that was said of a study, the latest first."""
    mark = dose_study_not_patient
    rows = connection.execute(
        select(*(mark.c[name] for name in StudyMark.model_fields))
        .where(mark.c.orthanc_study_id == orthanc_study_id)
        .order_by(mark.c.id.desc())
    )
    return [StudyMark(**row._mapping) for row in rows]


def latest_said(connection: Connection, orthanc_study_ids: Sequence[str]) -> dict[str, Said]:
    """What people say now, of those of these studies of which somebody says something."""
    mark = dose_study_not_patient
    rows = connection.execute(
        select(mark.c.orthanc_study_id, mark.c.meaning)
        .where(is_among(mark.c.orthanc_study_id, orthanc_study_ids))
        .order_by(mark.c.id)
    )
    latest = {row.orthanc_study_id: row.meaning for row in rows}
    return {study: said for study, said in latest.items() if said is not None}


def note_marks(
    connection: Connection,
    orthanc_study_ids: Sequence[str],
    meaning: Said | None,
    *,
    reason: str,
    marked_by: str | None,
    marked_at: datetime,
) -> None:
    """Say this of these studies; `mark_not_patients` makes their rows say it."""
    said = {"meaning": meaning, "reason": reason, "marked_by": marked_by, "marked_at": marked_at}
    connection.execute(insert(dose_study_not_patient), [{"orthanc_study_id": one, **said} for one in orthanc_study_ids])
