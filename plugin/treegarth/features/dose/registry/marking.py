"""A person says of single studies what they are, or takes it back; their marks follow in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from treegarth.errors import RequestConflict
from treegarth.features.dose.registry.store.exams import lock_studies
from treegarth.features.dose.registry.store.marks import (
    Said,
    known_studies,
    latest_said,
    note_marks,
    take_marks_back,
)
from treegarth.features.dose.registry.store.not_patients import mark_not_patients
from treegarth.phrases import P_


def mark_studies(
    connection: Connection, studies: Sequence[str], meaning: Said, *, reason: str, by: str | None, now: datetime
) -> int:
    """Say this of these studies, by Orthanc's identifiers; how many are here and were not said to be so
    already."""
    lock_studies(connection, studies)
    so_far = latest_said(connection, studies)
    others = [one for one in known_studies(connection, studies) if so_far.get(one.orthanc_study_id) != meaning]
    if others:
        note_marks(connection, others, meaning, reason=reason, by=by, at=now)
        mark_not_patients(connection, [one.orthanc_study_id for one in others])
    return len(others)


def take_back(connection: Connection, study: str, *, reason: str, by: str | None, now: datetime) -> None:
    """Rules and objects speak again for this study. Raises RequestConflict where nobody has said anything."""
    lock_studies(connection, [study])
    if study not in latest_said(connection, [study]):
        raise RequestConflict(P_("Nobody has said anything of this study: there is nothing to take back."))
    take_marks_back(connection, study, reason=reason, by=by, at=now)
    mark_not_patients(connection, [study])
