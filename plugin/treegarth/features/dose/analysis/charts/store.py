"""Charts as documents, and what their figures are of. Queries only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from treegarth.conditions.compilation import compile_condition
from treegarth.conditions.model import Condition, Level
from treegarth.conditions.vocabulary import Vocabulary
from treegarth.documents.store import Kind, Stored
from treegarth.features.dose.analysis.charts.model import Chart
from treegarth.features.dose.analysis.charts.tables import dose_chart, dose_chart_version
from treegarth.features.dose.analysis.tables import standard_name
from treegarth.phrases import N_

CHARTS: Kind[Stored] = Kind(
    record=Stored,
    table=dose_chart,
    versions=dose_chart_version,
    missing=N_("There is no chart with this number."),
    taken=N_("Another chart has the name %(name)s."),
    keys=tuple(Chart.model_fields),
    starts_on=True,
)


def studies_that_fulfil(condition: Condition, vocabulary: Vocabulary, now: datetime) -> Select[Any]:
    """The studies of the archive that fulfil it."""
    study = vocabulary.levels[Level.STUDY]
    return select(study.key).where(compile_condition(condition, vocabulary, now))


def names_of_standards(connection: Connection) -> list[str]:
    """Every standard name of every modality, each once."""
    row = standard_name.c
    found = select(row.name).where(row.removed_at.is_(None)).distinct().order_by(row.name)
    return list(connection.execute(found).scalars())
