"""The whole archive at a glance: what leads each modality, and its medians by month. Queries only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection, func, select

from treegarth.database.finite_double import finite
from treegarth.features.dose.analysis.figures import EXAM_COUNT, leading_of
from treegarth.features.dose.analysis.store.groups import first_day_of
from treegarth.features.dose.analysis.store.names import exams_of_modalities
from treegarth.features.dose.analysis.store.rows import select_rows
from treegarth.features.dose.analysis.store.shape import counting
from treegarth.features.dose.analysis.store.statistics import Distribution, distribution
from treegarth.features.dose.analysis.wanted import Phantom, Wanted
from treegarth.record import Record


class MonthlyMedian(Record):
    """A month with values."""

    month: date
    """Its first day."""
    n: int
    median: float | None
    """In the stored unit."""


class _Leading(Record):
    modality: str
    quantity: str
    """By which exams of the modality are known."""
    phantom: Phantom | None
    """Of a DLP: that of the exams."""
    exam_count: int
    """Exams of the modality in these days, whatever dose they have."""


class Overview(Distribution, _Leading):
    """What one quantity of one modality is like."""


def overview(connection: Connection, days: Wanted, exams: Mapping[str, int] | None = None) -> list[Overview]:
    """By modality, those with the most exams first; `days` says which days, and whether doubted values count. `exams`
    are those of each modality, where they are known already."""
    found = []
    for modality, count in _exams_by_modality(connection, days, exams or exams_of_modalities(connection)):
        for quantity, phantom in leading_of(modality):
            wanted = replace(days, modality=modality, quantity=quantity, phantom=phantom)
            one = distribution(connection, wanted)
            if one.n or one.doubted_left_out:
                found.append(
                    Overview(modality=modality, quantity=quantity, phantom=phantom, exam_count=count, **dict(one))
                )
    return found


def _exams_by_modality(connection: Connection, days: Wanted, found: Mapping[str, int]) -> list[tuple[str, int]]:
    if (days.study_date_from, days.study_date_to) != (None, None):
        found = {modality: _exams_in(connection, modality, days) for modality in found}
    return sorted((one for one in found.items() if one[1]), key=lambda one: (-one[1], one[0]))


def _exams_in(connection: Connection, modality: str, days: Wanted) -> int:
    rows = select_rows(replace(days, modality=modality, quantity=EXAM_COUNT, phantom=None))
    return int(connection.execute(select(func.count()).select_from(rows)).scalar_one())


def medians_by_month(connection: Connection, wanted: Wanted) -> list[MonthlyMedian]:
    """The months with values, the earliest first."""
    rows = select_rows(wanted)
    month = first_day_of(rows.c.study_date, "month").label("month")
    query = (
        select(month, func.count().label("n"), func.percentile_cont(0.5).within_group(rows.c.value).label("median"))
        .where(counting(wanted, rows), rows.c.study_date.is_not(None))
        .group_by("month")
        .order_by("month")
    )
    return [MonthlyMedian(month=row.month, n=row.n, median=finite(row.median)) for row in connection.execute(query)]
