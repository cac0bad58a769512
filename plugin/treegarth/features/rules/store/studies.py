"""Which studies of the archive a condition means: count, page, walk. Queries only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, func, select, text

from treegarth.conditions.compilation import compile_condition
from treegarth.conditions.model import Condition, Level
from treegarth.conditions.vocabulary import Vocabulary
from treegarth.database.keyset import SortKey, read_page
from treegarth.record import Record

_SHOWN = (
    *("orthanc_study_id", "study_instance_uid", "patient_id", "patient_name", "study_date", "study_time"),
    *("study_description", "accession_number", "modalities", "series_count", "instance_count", "size_bytes"),
    "last_received_at",
)

PATIENCE_S = 120
"""For an exact count of the archive: an attribute that stands in headers alone means to read millions of them."""
_MEMORY = "64MB"


class MatchedStudy(Record):
    """A study that a condition means, as a list shows it."""

    orthanc_study_id: str
    study_instance_uid: str
    patient_id: str | None
    patient_name: str | None
    study_date: date | None
    study_time: time | None
    study_description: str | None
    accession_number: str | None
    modalities: list[str]
    series_count: int
    instance_count: int
    size_bytes: int
    last_received_at: datetime


@dataclass(frozen=True, kw_only=True)
class StudyPage:
    studies: list[MatchedStudy]
    next: str | None  # the cursor of what follows


@dataclass(frozen=True, kw_only=True)
class StudySums:
    """Exactly."""

    study_count: int
    instance_count: int
    size_bytes: int


class Matching:
    """The studies that a condition means at a time."""

    def __init__(self, connection: Connection, vocabulary: Vocabulary, condition: Condition, now: datetime) -> None:
        self._connection = connection
        self._study: FromClause = vocabulary.levels[Level.STUDY].table
        self._holds: ColumnElement[bool] = compile_condition(condition, vocabulary, now)

    def count(self) -> StudySums:
        self._be_patient()
        columns = self._study.c
        sums = (func.coalesce(func.sum(columns[name]), 0) for name in ("instance_count", "size_bytes"))
        found = self._connection.execute(select(func.count(), *sums).select_from(self._study).where(self._holds)).one()
        return StudySums(study_count=found[0], instance_count=int(found[1]), size_bytes=int(found[2]))

    def _be_patient(self) -> None:
        """Let the rest of the transaction join much of the archive in memory, and take longer than other pages may."""
        self._connection.execute(text(f"SET LOCAL work_mem = '{_MEMORY}'"))
        self._connection.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE_S}s'"))

    def page(self, *, limit: int, cursor: str | None) -> StudyPage:
        """The newest first. Raises InvalidRequest for a cursor that no page gave."""
        columns = self._study.c
        keys = [
            SortKey(column=columns.study_date, descending=True, nullable=True),
            SortKey(column=columns.study_time, descending=True, nullable=True),
            SortKey(column=columns.orthanc_study_id, descending=True),
        ]
        query = select(*(columns[name] for name in _SHOWN)).where(self._holds)
        page = read_page(self._connection, query, keys, name="matched", limit=limit, cursor=cursor)
        return StudyPage(studies=[MatchedStudy(**row._mapping) for row in page.rows], next=page.next)

    def after(self, orthanc_study_id: str, *, limit: int) -> list[str]:
        """The studies behind this one in the order of Orthanc's identifiers."""
        key: ColumnElement[Any] = self._study.c.orthanc_study_id
        query = select(key).where(self._holds, key > orthanc_study_id).order_by(key).limit(limit)
        return list(self._connection.execute(query).scalars())
