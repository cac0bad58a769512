"""How values lie: in bins, against the patient's size, and those that stick out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import ceil, floor, log10
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Double, Select, Subquery, and_, cast, select, true, type_coerce

from treegarth.features.dose.analysis.distribution import ADDED, Distribution
from treegarth.features.dose.analysis.figures import Size
from treegarth.features.dose.analysis.store.columns import Limits, Values
from treegarth.features.dose.analysis.store.rows import select_rows
from treegarth.features.dose.registry.tables import dose_study
from treegarth.record import Record

Scale = Literal["linear", "log"]
BINS = 30
BINS_OF_A_DECADE = 10
MOST_BINS = 200
POINTS_SHOWN = 2000
GREATEST_SHOWN = 10
_WEIGHT: Limits = {"patient_weight_kg": (0.2, 700)}
_HEIGHT: Limits = {"patient_size_m": (0.2, 2.8)}
LIMITS: Mapping[Size, Limits] = {"weight": _WEIGHT, "height": _HEIGHT, "bmi": {**_WEIGHT, **_HEIGHT}}
"""The smallest and the greatest patients are within; what is not is an error of typing, as a height in cm."""
_STEPS = (1, 2, 2.5, 5, 10)


class Bin(Record):
    """Values from `least` on and below `below`, in the unit shown; without an end the first and the last are open."""

    least: float | None
    below: float | None
    count: int


class Point(Record):
    """An exam or an event: where it lies."""

    orthanc_study_id: str
    study_instance_uid: str
    source_deleted: bool
    """Whether its objects left the archive."""
    study_date: date | None
    device_key: str | None
    value: float
    """In the stored unit."""
    is_doubted: bool
    size: float | None
    """What is asked for: kg, m, or kg/m²."""


def edges(of: Distribution, factor: float, scale: Scale) -> list[float]:
    """Round numbers of the unit shown between which the values lie; few values far away are in the open last bin."""
    if of.n == 0 or of.minimum is None or of.maximum is None or of.p95 is None:
        return []
    low, most = (max(-ADDED, min(ADDED, one)) * factor for one in (of.minimum, of.maximum))
    high = min(most, 2 * min(of.p95, ADDED) * factor) if of.p95 > 0 else most
    return _logarithmic(low, high) if scale == "log" else _linear(low, high)


def _linear(low: float, high: float) -> list[float]:
    width = (high - low) / BINS
    if width <= abs(high) * 1e-12:
        return [low]
    power = 10.0 ** floor(log10(width))
    step = next(one * power for one in _STEPS if one * power >= width * (1 - 1e-9))
    first = floor(low / step)
    return [float(f"{place * step:.12g}") for place in range(first, min(ceil(high / step), first + MOST_BINS) + 1)]


def _logarithmic(low: float, high: float) -> list[float]:
    """Ten a decade, over six decades at most: what is less, and 0, is in the open first bin."""
    if high <= 0:
        return [0.0]
    last = ceil(log10(high) * BINS_OF_A_DECADE)
    first = floor(log10(low) * BINS_OF_A_DECADE) if low > 0 else last - 60
    return [float(f"{10 ** (place / BINS_OF_A_DECADE):.4g}") for place in range(max(first, last - 60), last + 1)]


def histogram(values: Values, factor: float, scale: Scale) -> list[Bin]:
    """How many values there are between neighbouring edges; open bins only where something is in them."""
    import numpy as np

    ends = edges(values.distribution(), factor, scale)
    if not ends:
        return []
    place = np.searchsorted([one / factor for one in ends], values.ascending, side="right")
    counts = np.bincount(place, minlength=len(ends) + 1).tolist()
    open_ends: list[float | None] = [None, *ends, None]
    return [
        Bin(least=open_ends[place], below=open_ends[place + 1], count=count)
        for place, count in enumerate(counts)
        if count or 0 < place < len(ends)
    ]


def points(connection: Connection, values: Values, size: Size) -> tuple[list[Point], int]:
    """Values against sizes, and of how many these are: at most 2,000, chosen by their identifiers, which are digests
    and therefore by chance, the same ones each time."""
    limits = LIMITS[size]
    every = values.count_within(limits)
    rows = select_rows(values.wanted)
    is_known = and_(_counting(values, rows), *(rows.c[name].between(*ends) for name, ends in limits.items()))
    found = _chosen(rows, _size(rows, size)).where(is_known).order_by(rows.c.orthanc_study_id).limit(POINTS_SHOWN)
    return sorted(_made(connection, found), key=lambda one: one.orthanc_study_id), every


def greatest(connection: Connection, values: Values) -> list[Point]:
    """The ten greatest values, the doubted ones too where they count."""
    ascending = values.ascending
    if not len(ascending):
        return []
    rows = select_rows(values.wanted)
    value = type_coerce(rows.c.value, Double)
    is_among_them = value >= float(ascending[-GREATEST_SHOWN:][0])  # the others need not be sorted
    found = _chosen(rows, cast(None, Double)).where(_counting(values, rows), is_among_them)
    ordered = found.order_by(value.desc(), rows.c.orthanc_study_id).limit(GREATEST_SHOWN)
    return sorted(_made(connection, ordered), key=lambda one: (-one.value, one.orthanc_study_id))


def _counting(values: Values, rows: Subquery) -> ColumnElement[bool]:
    return true() if values.wanted.with_doubted else rows.c.is_doubted.is_(False)


def _chosen(rows: Subquery, size: ColumnElement[Any]) -> Select[Any]:
    about = ("orthanc_study_id", "study_date", "device_key", "value", "is_doubted")
    return select(*(rows.c[name] for name in about), size.label("size"))


def _made(connection: Connection, few: Select[Any]) -> list[Point]:
    """In no order. The exams are looked up of these few, not of all that they were chosen of."""
    chosen = few.subquery("chosen")
    query = select(
        chosen,
        dose_study.c.study_instance_uid,
        dose_study.c.source_deleted_at.is_not(None).label("source_deleted"),
    ).join_from(chosen, dose_study, dose_study.c.orthanc_study_id == chosen.c.orthanc_study_id)
    return [Point.model_validate(row._asdict()) for row in connection.execute(query)]


def _size(rows: Subquery, size: Size) -> ColumnElement[Any]:
    weight, height = rows.c.patient_weight_kg, rows.c.patient_size_m
    return {"weight": weight, "height": height, "bmi": weight / (height * height)}[size]
