"""How many studies a filter of the dose list finds. Queries only."""

from __future__ import annotations

from sqlalchemy import Connection, func, literal, select

from treegarth.features.dose.store.studies import DoseStudyFilter, _conditions
from treegarth.features.dose.tables import dose_study


def count_studies_with_dose(connection: Connection, filters: DoseStudyFilter, *, at_most: int = 10_000) -> int:
    """The studies wanted, counted no further than `at_most`, so that a title costs little."""
    some = select(literal(1)).select_from(dose_study).where(*_conditions(filters)).limit(at_most).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())
