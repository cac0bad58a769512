"""The whole archive at a glance: what leads each modality, and its medians by month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection, func, select

from treegarth.features.dose.analysis.distribution import Distribution
from treegarth.features.dose.analysis.figures import EXAM_COUNT, By, leading_of
from treegarth.features.dose.analysis.store.columns import Values, read_values
from treegarth.features.dose.analysis.store.names import exams_of_modalities
from treegarth.features.dose.analysis.store.rows import select_rows
from treegarth.features.dose.analysis.wanted import Phantom, Wanted
from treegarth.record import Record

BY: tuple[By, ...] = ("month",)


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
    return [one for one, _ in overview_with_values(connection, days, exams_of_modalities(connection))]


def overview_with_values(
    connection: Connection, days: Wanted, exams: Mapping[str, int]
) -> Iterator[tuple[Overview, Values]]:
    """The same with the values of each line, which know their month; `exams` are those of each modality."""
    for modality, count in _exams_by_modality(connection, days, exams):
        for quantity, phantom in leading_of(modality):
            wanted = replace(days, modality=modality, quantity=quantity, phantom=phantom)
            values = read_values(connection, wanted, BY)
            one = values.distribution()
            if one.n or one.doubted_left_out:
                leading = {"modality": modality, "quantity": quantity, "phantom": phantom, "exam_count": count}
                yield Overview.model_validate({**leading, **dict(one)}), values


def _exams_by_modality(connection: Connection, days: Wanted, found: Mapping[str, int]) -> list[tuple[str, int]]:
    if (days.study_date_from, days.study_date_to) != (None, None):
        found = {modality: _exams_in(connection, modality, days) for modality in found}
    return sorted((one for one in found.items() if one[1]), key=lambda one: (-one[1], one[0]))


def _exams_in(connection: Connection, modality: str, days: Wanted) -> int:
    rows = select_rows(replace(days, modality=modality, quantity=EXAM_COUNT, phantom=None))
    return int(connection.execute(select(func.count()).select_from(rows)).scalar_one())


def medians_by_month(values: Values, first: date) -> list[MonthlyMedian]:
    """The months with values that count from that one on, the earliest first."""
    found = sorted((month, one) for month, one in values.distributions("month").items() if one.n and month >= first)
    return [MonthlyMedian(month=month, n=one.n, median=one.median) for month, one in found]
