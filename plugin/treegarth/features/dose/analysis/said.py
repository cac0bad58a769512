"""What a file of figures says in each of its rows beside the figures: of which values it is, in which unit. Pure.

A file leaves the page it was taken from: whoever opens it has nothing else that tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any

from pydantic import create_model

from treegarth.features.dose.analysis.asked import Chosen
from treegarth.features.dose.analysis.wanted import Level, Phantom, Wanted
from treegarth.features.dose.quantities import ShownQuantity
from treegarth.record import Record
from treegarth.web.export import unit_of

_UCUM = str.maketrans({"·": ".", "²": "2"})


class SaidOfDays(Record):
    """Exams of which days, and the unit of what stands beside them."""

    unit: str | None
    """Of every value of the row, as UCUM writes it; empty of a count."""
    asked_study_date_from: date | None
    asked_study_date_to: date | None
    asked_with_doubted: bool
    """Whether values count that something speaks against."""


class SaidOfValues(Record):
    """Of which values the figures are; what is empty was left open."""

    level: Level
    """`exam` or `event`: what has the values."""
    modality: str | None
    quantity: str
    phantom: Phantom | None
    unit: str | None
    """Of every value of the row, as UCUM writes it; empty of a count."""
    asked_name: str | None
    """The one name whose values these are."""
    asked_device_key: str | None
    asked_age_from_years: float | None
    asked_age_below_years: float | None
    asked_weight_from_kg: float | None
    asked_weight_below_kg: float | None
    asked_study_date_from: date | None
    asked_study_date_to: date | None
    asked_with_doubted: bool


class SaidOfChart(SaidOfValues):
    """Which chart somebody kept, beside its values."""

    chart: str
    """What it is called."""
    asked_studies: str | None
    """The condition that studies fulfil, as documents write it."""


def unit_shown(quantity: ShownQuantity) -> str | None:
    """The unit that pages show, as UCUM writes it."""
    return quantity.unit.translate(_UCUM) or None


def said_of(wanted: Wanted, name: str | None, unit: str | None) -> SaidOfValues:
    """What these values are."""
    return SaidOfValues(
        level=wanted.level,
        modality=wanted.modality,
        quantity=wanted.quantity,
        phantom=wanted.phantom,
        unit=unit,
        asked_name=name,
        asked_device_key=wanted.device_key,
        asked_age_from_years=wanted.age_years.least,
        asked_age_below_years=wanted.age_years.below,
        asked_weight_from_kg=wanted.weight_kg.least,
        asked_weight_below_kg=wanted.weight_kg.below,
        asked_study_date_from=wanted.study_date_from,
        asked_study_date_to=wanted.study_date_to,
        asked_with_doubted=wanted.with_doubted,
    )


def said_of_chosen(chosen: Chosen, *, is_shown: bool = False) -> SaidOfValues:
    """`is_shown`: the values beside it are in the unit that pages show."""
    unit = unit_shown(chosen.quantity) if is_shown else unit_of(chosen.wanted.quantity)
    return said_of(chosen.wanted, chosen.name.name if chosen.name else None, unit)


def said_of_days(days: Wanted, quantity: str) -> SaidOfDays:
    """Of a row whose record names the quantity itself."""
    return SaidOfDays(
        unit=unit_of(quantity),
        asked_study_date_from=days.study_date_from,
        asked_study_date_to=days.study_date_to,
        asked_with_doubted=days.with_doubted,
    )


@cache
def record_with(said: type[Record], record: type[Record]) -> type[Record]:
    """A record with the fields of both, those that say what it is first."""
    base: Any = (record, said)
    made: type[Record] = create_model(f"{said.__name__}{record.__name__}", __base__=base)
    return made


def rows_with(said: type[Record], record: type[Record], pairs: Iterable[tuple[Record, Record]]) -> list[Record]:
    """Each row beside what is said of it."""
    both = record_with(said, record)
    return [both.model_validate({**one.model_dump(), **row.model_dump()}) for one, row in pairs]
