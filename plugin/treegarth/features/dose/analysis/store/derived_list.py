"""What was derived of every exam, and why something was not: a row for each quantity of each. Queries only.

It goes by the exams in the order of their days, which has an index, and looks up what each has by a primary key.
"""

from __future__ import annotations

from datetime import date, time
from typing import Any

from sqlalchemy import Boolean, FromClause, Select, Text, cast, null, select, true, type_coerce, union_all
from sqlalchemy.dialects.postgresql import JSONB

from treegarth.database.finite_double import FiniteDouble
from treegarth.database.phrase_column import PhraseColumn
from treegarth.features.dose.analysis.tables import derived_dose, derived_missing
from treegarth.features.dose.registry.tables import dose_study
from treegarth.record import Record


class DerivedOfExam(Record):
    """A quantity of an exam that follows from others by a formula, or why it does not."""

    orthanc_study_id: str
    study_instance_uid: str
    """(0020,000D)"""
    patient_name: str | None
    """(0010,0010)"""
    patient_id: str | None
    """(0010,0020)"""
    study_date: date | None
    """(0008,0020)"""
    study_time: time | None
    """(0008,0030)"""
    study_description: str | None
    """(0008,1030)"""
    accession_number: str | None
    """(0008,0050)"""
    quantity: str
    """With the unit at its end."""
    value: float | None
    """In that unit; null where it is not derived."""
    is_doubted: bool | None
    """As a dose that it is derived from is; null where it is not derived."""
    reason: str | None
    """Why it is not derived; null where it is."""
    method: str | None
    """The formula and its source."""


_OF_EXAM = (
    "orthanc_study_id",
    "study_instance_uid",
    "patient_name",
    "patient_id",
    "study_date",
    "study_time",
    "study_description",
    "accession_number",
)
_OF_QUANTITY = ("quantity", "value", "is_doubted", "reason", "method")


def select_derived(
    *,
    quantity: str | None = None,
    derived: bool | None = None,
    doubtful: bool | None = None,
    study_date_from: date | None = None,
    study_date_to: date | None = None,
) -> Select[Any]:
    """In no order."""
    each = _each()
    query = select(*(dose_study.c[name] for name in _OF_EXAM), *(each.c[name] for name in _OF_QUANTITY))
    query = query.join_from(dose_study, each, true())
    if quantity is not None:
        query = query.where(each.c.quantity == quantity)
    if derived is not None:
        query = query.where(each.c.value.is_not(None) if derived else each.c.value.is_(None))
    if doubtful is not None:
        query = query.where(each.c.is_doubted.is_(doubtful))
    if study_date_from is not None:
        query = query.where(dose_study.c.study_date >= study_date_from)
    if study_date_to is not None:
        query = query.where(dose_study.c.study_date <= study_date_to)
    return query


def _each() -> FromClause:
    found, missing, key = derived_dose.c, derived_missing.c, dose_study.c.orthanc_study_id
    derived = select(
        found.quantity,
        found.value,
        found.is_doubted,
        type_coerce(cast(null(), JSONB), PhraseColumn()).label("reason"),
        found.method,
    )
    not_derived = select(
        missing.quantity,
        type_coerce(cast(null(), FiniteDouble()), FiniteDouble()),
        cast(null(), Boolean),
        missing.reason,
        cast(null(), Text),
    )
    return union_all(
        derived.where(found.orthanc_study_id == key).correlate(dose_study),
        not_derived.where(missing.orthanc_study_id == key).correlate(dose_study),
    ).lateral("each")
