"""The whole archive at a glance: what leads each modality, and its medians by month. Queries only."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import Connection, func, select

from treegarth.database.finite_double import finite
from treegarth.features.dose.analysis.figures import EXAM_COUNT, leading_of
from treegarth.features.dose.analysis.store.groups import first_day_of
from treegarth.features.dose.analysis.store.names import modalities_with_exams
from treegarth.features.dose.analysis.store.rows import select_rows
from treegarth.features.dose.analysis.store.shape import counting
from treegarth.features.dose.analysis.store.statistics import Distribution, distribution
from treegarth.features.dose.analysis.tables import exam_dose
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


def overview(connection: Connection, days: Wanted) -> list[Overview]:
    """By modality, those with the most exams first; `days` says which days, and whether doubted values count."""
    found = []
    for modality, count in exams_by_modality(connection, days):
        for quantity, phantom in leading_of(modality):
            wanted = replace(days, modality=modality, quantity=quantity, phantom=phantom)
            one = distribution(connection, wanted)
            if one.n or one.doubted_left_out:
                found.append(
                    Overview(modality=modality, quantity=quantity, phantom=phantom, exam_count=count, **dict(one))
                )
    return found


def exams_by_modality(connection: Connection, days: Wanted) -> list[tuple[str, int]]:
    """An exam of several modalities, as a PET-CT, counts for each."""
    table = exam_dose.c
    found = []
    for modality in modalities_with_exams(connection):
        query = select(func.count()).where(table.quantity == EXAM_COUNT, table.modality == modality)
        if days.study_date_from is not None:
            query = query.where(table.study_date >= days.study_date_from)
        if days.study_date_to is not None:
            query = query.where(table.study_date <= days.study_date_to)
        found.append((modality, int(connection.execute(query).scalar_one())))
    return sorted((one for one in found if one[1]), key=lambda one: (-one[1], one[0]))


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
