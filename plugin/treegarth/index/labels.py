"""Labels of studies: who may see and find them is who may see the studies. Queries only.

Orthanc has labels of its own from 1.12 on. What it does not say yet is noted in the same transaction; telling it is for
others (`features/rules/orthanc_labels.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.types import Text

from treegarth.index.tables import label_change, study, study_label
from treegarth.record import Record

LONGEST_LABEL = 64
_ORTHANC_TAKES = re.compile(r"[A-Za-z0-9_-]{1,64}")


class StudyLabel(Record):
    """A label of a study, and who put it there: a user, or a rule by its name."""

    label: str
    set_by: str | None
    """A user, or a rule by its name; null without a login."""
    set_at: datetime


def is_label(text: object) -> bool:
    """Whether a text can be a label: one to 64 printable characters, without space or comma at its ends."""
    return isinstance(text, str) and 0 < len(text) <= LONGEST_LABEL and text.isprintable() and text == text.strip(" ,")


def change_labels(
    connection: Connection, orthanc_study_id: str, labels: Iterable[str], *, is_set: bool, by: str | None, now: datetime
) -> list[str]:
    """Set or take off these labels; those that were not so before. Orthanc is told later, what it can take."""
    wanted = sorted(set(labels))
    if not wanted:
        return []
    if is_set:
        rows = [{"orthanc_study_id": orthanc_study_id, "label": one, "set_by": by, "set_at": now} for one in wanted]
        statement = insert(study_label).values(rows).on_conflict_do_nothing().returning(study_label.c.label)
        changed = sorted(connection.execute(statement).scalars())
    else:
        ours = (study_label.c.orthanc_study_id == orthanc_study_id, study_label.c.label.in_(wanted))
        changed = sorted(connection.execute(delete(study_label).where(*ours).returning(study_label.c.label)).scalars())
    _note(connection, orthanc_study_id, [one for one in changed if _ORTHANC_TAKES.fullmatch(one)], is_set, now)
    return changed


def _note(connection: Connection, orthanc_study_id: str, labels: Sequence[str], is_set: bool, now: datetime) -> None:
    if not labels:
        return
    rows = [
        {"orthanc_study_id": orthanc_study_id, "label": one, "is_set": is_set, "next_attempt_at": now} for one in labels
    ]
    statement = insert(label_change).values(rows)
    again = {"is_set": statement.excluded.is_set, "attempts": 0, "next_attempt_at": statement.excluded.next_attempt_at}
    connection.execute(statement.on_conflict_do_update(index_elements=list(label_change.primary_key), set_=again))


def list_labels(connection: Connection, orthanc_study_id: str) -> list[StudyLabel]:
    """The labels of a study, sorted."""
    columns = (study_label.c.label, study_label.c.set_by, study_label.c.set_at)
    query = select(*columns).where(study_label.c.orthanc_study_id == orthanc_study_id).order_by(study_label.c.label)
    return [StudyLabel(**row._mapping) for row in connection.execute(query)]


def labels_of(connection: Connection, orthanc_study_ids: Collection[str]) -> Mapping[str, list[str]]:
    """The labels of each of these studies that has any, sorted."""
    query = select(study_label.c.orthanc_study_id, func.array_agg(study_label.c.label)).where(
        study_label.c.orthanc_study_id.in_(orthanc_study_ids)
    )
    rows = connection.execute(query.group_by(study_label.c.orthanc_study_id))
    return {row[0]: sorted(row[1]) for row in rows}


def labels_column(orthanc_study_id: ColumnElement[Any] = study.c.orthanc_study_id) -> ColumnElement[list[str]]:
    """The labels of a row's study, for a list that is also a file; an empty list where it has none."""
    of_study = (
        select(study_label.c.label)
        .where(study_label.c.orthanc_study_id == orthanc_study_id)
        .order_by(study_label.c.label)
        .correlate_except(study_label)
        .scalar_subquery()
    )
    return func.array(of_study, type_=ARRAY(Text))


def has_label(label: str, orthanc_study_id: ColumnElement[Any] = study.c.orthanc_study_id) -> ColumnElement[bool]:
    """Whether a row's study has this label, exactly."""
    return orthanc_study_id.in_(select(study_label.c.orthanc_study_id).where(study_label.c.label == label))


def known_labels(connection: Connection, *, limit: int = 500) -> list[str]:
    """Every label that some study has, sorted."""
    query = select(study_label.c.label).distinct().order_by(study_label.c.label).limit(limit)
    return list(connection.execute(query).scalars())


def forget_labels(connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
    """These studies are gone, and with them what was said of them."""
    for table in (study_label, label_change):
        connection.execute(delete(table).where(table.c.orthanc_study_id.in_(orthanc_study_ids)))
