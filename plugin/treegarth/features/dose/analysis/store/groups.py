"""Distributions side by side: by month, device, band or name. Queries only."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Date,
    Double,
    Subquery,
    cast,
    func,
    literal_column,
)
from sqlalchemy.types import DateTime

from treegarth.features.dose.analysis.figures import AGES, WEIGHTS, By, band_names
from treegarth.features.dose.analysis.store.names import names_of_exams, names_of_protocols
from treegarth.features.dose.analysis.store.rows import select_rows
from treegarth.features.dose.analysis.store.statistics import Distribution, distributions
from treegarth.features.dose.analysis.wanted import Wanted
from treegarth.features.dose.registry.store.device_names import shown_devices
from treegarth.record import Record

BANDS = {"age": (AGES, "patient_age_years"), "weight": (WEIGHTS, "patient_weight_kg")}
_Keys = Iterable[Hashable]


class _Group(Record):
    """What the values of a distribution have in common."""

    of: str
    """`2026-11`, `2026-Q4`, the key of a device, a band such as `18–<40`, the number of a name."""
    label: str | None
    """What people call it: of a device, and of a name."""


class Figure(Distribution, _Group):
    """A distribution of values that have something in common."""


def figures(connection: Connection, wanted: Wanted, by: By) -> list[Figure]:
    """Of each group that has values; months and bands in their order, devices and names with the most values first."""
    rows = select_rows(wanted)
    found = distributions(connection, wanted, rows, _expression(rows, by))
    if by in BANDS:
        names = band_names(BANDS[by][0])
        return [_figure(names[int(str(key))], None, one) for key, one in sorted(found.items(), key=_by_key)]
    if by in ("month", "quarter"):
        return [_figure(_day_name(key, by), None, one) for key, one in sorted(found.items(), key=_by_key)]
    labels = _labels(connection, wanted, by)(found)
    ordered = sorted(found.items(), key=lambda entry: (-entry[1].n, str(entry[0])))
    return [_figure(str(key), labels.get(key), one) for key, one in ordered]


def _by_key(entry: tuple[Any, object]) -> Any:
    return entry[0]


def _labels(connection: Connection, wanted: Wanted, by: By) -> Callable[[_Keys], Mapping[Any, str]]:
    if by == "device":
        return lambda keys: shown_devices(connection, map(str, keys))
    names = names_of_exams if wanted.level == "exam" else names_of_protocols
    return lambda keys: names(connection, [int(str(one)) for one in keys])


def _figure(of: str, label: str | None, one: Distribution) -> Figure:
    return Figure(of=of, label=label, **dict(one))


def _expression(rows: Subquery, by: By) -> ColumnElement[Any]:
    if by in BANDS:
        ends, name = BANDS[by]
        return func.width_bucket(rows.c[name], cast(list(ends), ARRAY(Double)))
    if by in ("month", "quarter"):
        return first_day_of(rows.c.study_date, by)
    return rows.c.device_key if by == "device" else rows.c.name_id


def first_day_of(day: ColumnElement[Any], unit: str) -> ColumnElement[date]:
    """The first day of the day's month or quarter; as literals, so that what is grouped by is what is selected."""
    word: ColumnElement[str] = literal_column("'month'" if unit == "month" else "'quarter'")
    return cast(func.date_trunc(word, cast(day, DateTime())), Date)


def _day_name(day: Hashable, unit: str) -> str:
    assert isinstance(day, date)
    return f"{day:%Y-%m}" if unit == "month" else f"{day.year:04}-Q{(day.month + 2) // 3}"
