"""What reference levels ask the database beside medians: which standard names there are, which doses one exam has.
Queries only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import Connection, select

from treegarth.database.parameters import is_among
from treegarth.features.dose.analysis.tables import exam_dose, exam_name, standard_name
from treegarth.record import Record


def standard_name_ids(connection: Connection, wanted: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
    """The number of each of these standard names, by modality and name; of one that there is not, none."""
    table = standard_name.c
    query = select(table.modality, table.name, table.id).where(is_among(table.name, {name for _, name in wanted}))
    query = query.where(table.removed_at.is_(None))
    return {(row.modality, row.name): row.id for row in connection.execute(query)}


class ExamDose(Record):
    """A best known dose of one exam, with what says which reference levels are about it."""

    quantity: str
    modality: str
    phantom: str | None
    standard_name: str
    value: float
    """In the stored unit."""
    study_date: date | None
    patient_age_years: float | None
    patient_weight_kg: float | None


def doses_of_exam(connection: Connection, orthanc_study_id: str) -> list[ExamDose]:
    """Those that are not doubted, of an exam that has a standard name."""
    table = exam_dose.c
    query = (
        select(
            table.quantity,
            table.modality,
            table.phantom,
            standard_name.c.name.label("standard_name"),
            table.value,
            table.study_date,
            table.patient_age_years,
            table.patient_weight_kg,
        )
        .join(exam_name, exam_name.c.id == table.exam_name_id)
        .join(standard_name, standard_name.c.id == exam_name.c.standard_name_id)
        .where(table.orthanc_study_id == orthanc_study_id, table.is_doubted.is_(False))
        .order_by(table.modality, table.quantity)
    )
    return [ExamDose.model_validate(row._asdict()) for row in connection.execute(query)]
