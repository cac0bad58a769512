"""Distributions side by side: by month, device, band or name."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection

from treegarth.features.dose.analysis.distribution import Distribution
from treegarth.features.dose.analysis.figures import By, band_names
from treegarth.features.dose.analysis.store.columns import BANDS, Values
from treegarth.features.dose.analysis.store.names import names_of_exams, names_of_protocols
from treegarth.features.dose.analysis.wanted import Wanted
from treegarth.features.dose.registry.store.device_names import shown_devices
from treegarth.record import Record

_Keys = Iterable[Hashable]


class _Group(Record):
    """What the values of a distribution have in common."""

    of: str
    """`2026-11`, `2026-Q4`, the key of a device, a band such as `18–<40`, the number of a name."""
    label: str | None
    """What people call it: of a device, and of a name."""


class Figure(Distribution, _Group):
    """A distribution of values that have something in common."""


def figures(connection: Connection, values: Values, by: By) -> list[Figure]:
    """Of each group that has values; months and bands in their order, devices and names with the most values first."""
    found = values.distributions(by)
    if by in BANDS:
        names = band_names(BANDS[by][0])
        return [_figure(names[int(str(key))], None, one) for key, one in sorted(found.items(), key=_by_key)]
    if by in ("month", "quarter"):
        return [_figure(_day_name(key, by), None, one) for key, one in sorted(found.items(), key=_by_key)]
    labels = _labels(connection, values.wanted, by)(found)
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


def _day_name(day: Hashable, unit: str) -> str:
    assert isinstance(day, date)
    return f"{day:%Y-%m}" if unit == "month" else f"{day.year:04}-Q{(day.month + 2) // 3}"
