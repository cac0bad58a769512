"""The values of what is wanted, with what they are grouped by: read once, whatever is made of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import nan
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import ColumnElement, Connection, Date, Double, Subquery, cast, func, literal, select, type_coerce

from treegarth.features.dose.analysis.distribution import Distribution, distribution_of
from treegarth.features.dose.analysis.figures import AGES, WEIGHTS, By, Size
from treegarth.features.dose.analysis.store.rows import select_rows
from treegarth.features.dose.analysis.store.statistics import received, sent
from treegarth.features.dose.analysis.wanted import Wanted

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

Name = Literal["study_date", "patient_age_years", "patient_weight_kg", "patient_size_m", "name_id"]
Limits = Mapping[Name, tuple[float, float]]
NEEDED: Mapping[By | Size, tuple[Name, ...]] = {
    "month": ("study_date",),
    "quarter": ("study_date",),
    "age": ("patient_age_years",),
    "weight": ("patient_weight_kg",),
    "name": ("name_id",),
    "height": ("patient_size_m",),
    "bmi": ("patient_weight_kg", "patient_size_m"),
}
"""Which columns tell it, but for the device."""
BANDS: Mapping[By, tuple[tuple[float, ...], Name]] = {
    "age": (AGES, "patient_age_years"),
    "weight": (WEIGHTS, "patient_weight_kg"),
}
KINDS: Mapping[str, str] = {
    "value": "f8",
    "is_doubted": "?",
    "study_date": "i4",
    "patient_age_years": "f8",
    "patient_weight_kg": "f8",
    "patient_size_m": "f8",
    "name_id": "i4",
}
"""Of each column, as numpy calls it. A day comes as the number of days since 1 January 2000."""
UNKNOWN_DAY = 2**31 - 1
"""As which `infinity` comes, the day that stands for none."""
NO_NAME = -1


@dataclass(frozen=True, kw_only=True)
class Values:
    """Each array has a place for each value, in the order of the values."""

    wanted: Wanted
    value: NDArray[float64]
    """Ascending: in stored units, those too that are doubted."""
    counts: NDArray[Any]
    """Which count: all where doubted ones are wanted."""
    device: NDArray[Any]
    """Places in `devices`."""
    devices: Sequence[str | None]
    """By their keys; None: none is named."""
    columns: Mapping[Name, NDArray[Any]]

    @property
    def ascending(self) -> NDArray[float64]:
        """Those that count."""
        values: NDArray[float64] = self.value[self.counts]
        return values

    def distribution(self) -> Distribution:
        """Of all."""
        return self._distribution(slice(None))

    def distributions(self, by: By) -> Mapping[Any, Distribution]:
        """Of each group that has values: by its first day, its band's number, its device's key or its name's number.
        Values of which that is not known are in none."""
        import numpy as np

        codes, known, of = self._codes(by)
        places = np.flatnonzero(known)
        told = codes[places]
        small = told.astype("i2")  # of which a stable order is found by their digits
        places = places[np.argsort(small if np.array_equal(small, told) else told, kind="stable")]
        groups, first = np.unique(codes[places], return_index=True)  # by group, ascending in each
        parts = np.split(places, first[1:]) if len(groups) else []
        return {of(int(code)): self._distribution(part) for code, part in zip(groups, parts, strict=True)}

    def count_within(self, limits: Limits) -> int:
        """How many that count have each of these columns between its limits, which are included."""
        import numpy as np

        within = self.counts
        for name, (least, most) in limits.items():
            within = within & (self.columns[name] >= least) & (self.columns[name] <= most)
        return int(np.count_nonzero(within))

    def _distribution(self, places: Any) -> Distribution:
        value, counts = self.value[places], self.counts[places]
        ascending = value[counts]
        return distribution_of(ascending, len(value) - len(ascending))

    def _codes(self, by: By) -> tuple[NDArray[Any], NDArray[Any], Any]:
        """A number for each value, which of these are known, and what a number stands for."""
        import numpy as np

        if by in BANDS:
            ends, name = BANDS[by]
            column = self.columns[name]
            return np.searchsorted(ends, column, side="right"), ~np.isnan(column), int
        if by in ("month", "quarter"):
            days = self.columns["study_date"]
            known = days != UNKNOWN_DAY
            length = 1 if by == "month" else 3
            months = np.zeros(len(days), dtype="i4")
            months[known] = (np.datetime64("2000-01-01") + days[known].astype("m8[D]")).astype("M8[M]").astype("i4")
            return months // length, known, lambda code: _first_day(code * length)
        if by == "device":
            named = np.array([one is not None for one in self.devices], dtype=bool)
            return self.device, named[self.device], lambda code: self.devices[code]
        names = self.columns["name_id"]
        return names, names != NO_NAME, int


def _first_day(months: int) -> date:
    """Of a month, counted from January 1970 on."""
    return date(1970 + months // 12, 1 + months % 12, 1)


def read_values(connection: Connection, wanted: Wanted, by: Collection[By | Size] = ()) -> Values:
    """Everything that is wanted, with what tells these groups and sizes. Where devices are, PostgreSQL gathers it by
    device: each part says its device once."""
    import numpy as np

    names = sorted({name for one in by for name in NEEDED.get(one, ())})
    rows = select_rows(wanted)
    columns = {name: sent(_told(rows, name)).label(name) for name in ("value", "is_doubted", *names)}
    query = select(*columns.values())
    if "device" in by:
        query = query.add_columns(rows.c.device_key).group_by(rows.c.device_key)
    found = connection.execute(query).all()
    parts = {name: [received(getattr(row, name), KINDS[name]) for row in found] for name in columns}
    joined = {name: np.concatenate([received(None, KINDS[name]), *some]) for name, some in parts.items()}
    devices = [getattr(row, "device_key", None) for row in found]
    device = np.repeat(np.arange(len(found)), [len(part) for part in parts["value"]])
    order = np.argsort(joined["value"])
    return Values(
        wanted=wanted,
        value=joined["value"][order],
        counts=(~joined["is_doubted"] | wanted.with_doubted)[order],
        device=device[order],
        devices=devices,
        columns={name: joined[name][order] for name in names},
    )


def _told(rows: Subquery, name: str) -> ColumnElement[Any]:
    """A column without NULL."""
    column = rows.c[name]
    if name in ("value", "is_doubted"):
        return type_coerce(column, Double) if name == "value" else column
    nothing = {"study_date": cast("infinity", Date), "name_id": literal(NO_NAME)}
    return func.coalesce(column, nothing.get(name, literal(nan, Double)))
