"""What analysis says of one exam, as columns of a query of exams: standard names, derived doses. Queries only.

Each is looked up by a primary key for the rows that are answered, not for those that a filter or an order passes over.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Text, cast, func, select, type_coerce
from sqlalchemy.dialects.postgresql import aggregate_order_by

from treegarth.database.finite_double import FiniteDouble
from treegarth.database.folding import matches
from treegarth.features.dose.analysis.store.values import EVENT_COUNT
from treegarth.features.dose.analysis.tables import derived_dose, exam_dose, exam_name, standard_name


def standard_names_of(study_key: ColumnElement[str]) -> ColumnElement[list[str]]:
    """The standard name of each of its modalities, each once, sorted."""
    name = standard_name.c.name
    found = (
        select(func.array_agg(aggregate_order_by(name.distinct(), name), type_=ARRAY(Text)))
        .join_from(exam_dose, exam_name, exam_name.c.id == exam_dose.c.exam_name_id)
        .join(standard_name, standard_name.c.id == exam_name.c.standard_name_id)
        .where(exam_dose.c.orthanc_study_id == study_key, exam_dose.c.quantity == EVENT_COUNT)
        .correlate(study_key.table)
    )
    return func.coalesce(found.scalar_subquery(), cast([], ARRAY(Text)), type_=ARRAY(Text))


def derived_of(study_key: ColumnElement[str], quantity: str) -> ColumnElement[float]:
    """A derived quantity of it in its stored unit."""
    found = select(derived_dose.c.value).where(
        derived_dose.c.orthanc_study_id == study_key, derived_dose.c.quantity == quantity
    )
    return type_coerce(found.correlate(study_key.table).scalar_subquery(), FiniteDouble())


def doubted_derived_of(study_key: ColumnElement[str]) -> ColumnElement[list[str]]:
    """The derived quantities of it that are doubted, sorted."""
    quantity = derived_dose.c.quantity
    found = select(func.array_agg(aggregate_order_by(quantity, quantity), type_=ARRAY(Text))).where(
        derived_dose.c.orthanc_study_id == study_key, derived_dose.c.is_doubted
    )
    return func.coalesce(found.correlate(study_key.table).scalar_subquery(), cast([], ARRAY(Text)), type_=ARRAY(Text))


def exams_called(part: str) -> Select[Any]:
    """The studies with a standard name that contains this, or is like it."""
    called = select(standard_name.c.id).where(standard_name.c.removed_at.is_(None), matches(standard_name.c.name, part))
    return (
        select(exam_dose.c.orthanc_study_id)
        .join_from(exam_dose, exam_name, exam_name.c.id == exam_dose.c.exam_name_id)
        .where(exam_name.c.standard_name_id.in_(called), exam_dose.c.quantity == EVENT_COUNT)
    )
