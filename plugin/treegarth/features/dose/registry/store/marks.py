"""What people said of single studies: phantom, QA, service, or a patient after all. Queries only.

Each word is an act of theirs, with who, when and why; of those of a study the latest holds unless it was taken back. A
study need not have a dose, and keeps what was said of it when its dose goes and comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias, cast

from sqlalchemy import ColumnElement, Connection, case, select

from treegarth.acts.store import Act, holds, note_acts, read_acts, undo_act
from treegarth.acts.tables import act
from treegarth.database.parameters import is_among
from treegarth.features.dose.registry.tables import dose_study
from treegarth.index.studies import StudyKey
from treegarth.index.tables import study
from treegarth.record import Record

KIND = "dose.mark"
PATIENT: Literal["patient"] = "patient"
Said: TypeAlias = Literal["phantom", "qa", "service", "patient"]
"""`patient` is a patient after all, whatever rules and objects say."""

_SAYS = (act.c.kind == KIND, act.c.undoes.is_(None))


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
    """What people say of the study of this column, as SQL; NULL where they say nothing, or took the latest back."""
    said = case((holds(), act.c.content["meaning"].astext))
    latest = select(said).where(act.c.orthanc_study_id == orthanc_study_id, *_SAYS)
    return latest.order_by(act.c.id.desc()).limit(1).correlate(orthanc_study_id.table).scalar_subquery()


def marks_of(connection: Connection, orthanc_study_id: str) -> list[StudyMark]:
    """All that was said of a study, the latest first."""
    found = read_acts(connection, act.c.kind == KIND, act.c.orthanc_study_id == orthanc_study_id)
    return [
        StudyMark(id=one.id, meaning=meaning_of(one), reason=one.reason, marked_by=one.by, marked_at=one.at)
        for one in found
    ]


def meaning_of(one: Act) -> Said | None:
    """What was said; None of what takes it back."""
    return None if one.undoes is not None else cast(Said, one.content["meaning"])


def latest_said(connection: Connection, orthanc_study_ids: Sequence[str]) -> dict[str, Said]:
    """What people say now, of those of these studies of which somebody says something."""
    found = read_acts(connection, *_SAYS, is_among(act.c.orthanc_study_id, orthanc_study_ids))
    latest = {one.orthanc_study_id: one for one in reversed(found)}
    return {study: cast(Said, one.content["meaning"]) for study, one in latest.items() if one.undone_by is None}


def note_marks(
    connection: Connection,
    studies: Sequence[StudyKey],
    meaning: Said,
    *,
    reason: str,
    by: str | None,
    at: datetime,
) -> None:
    """Say this of these studies; `mark_not_patients` makes their rows say it."""
    note_acts(connection, KIND, studies, by=by, at=at, reason=reason, content={"meaning": meaning})


def take_marks_back(
    connection: Connection, orthanc_study_id: str, *, reason: str, by: str | None, at: datetime
) -> None:
    """What was said last of the study: nobody says anything of it then, for that had taken the place of the rest."""
    for one in read_acts(connection, *_SAYS, act.c.orthanc_study_id == orthanc_study_id)[:1]:
        undo_act(connection, one, by=by, at=at, reason=reason)


def known_studies(connection: Connection, orthanc_study_ids: Sequence[str]) -> list[StudyKey]:
    """Those that the index or the registry has, in the order of their identifiers."""
    uids: dict[str, str] = {}
    for table in (study, dose_study):
        columns = (table.c.orthanc_study_id, table.c.study_instance_uid)
        for row in connection.execute(select(*columns).where(is_among(columns[0], orthanc_study_ids))):
            uids[row.orthanc_study_id] = row.study_instance_uid
    return [StudyKey(orthanc_study_id=one, study_instance_uid=uid) for one, uid in sorted(uids.items())]
