"""A set of reference levels as a person writes it: where it holds and since when, who published it, and its rows. Pure.

Levels are in the unit in which their quantity is shown, ages in years, weights in kilograms. Bands are half-open: a
patient of 5 years is in 5 to 10, not in 0 to 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import inf
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from treegarth.features.dose.analysis.levels.quantities import LEVEL_QUANTITIES, OF_A_PHANTOM
from treegarth.folding import fold
from treegarth.phrases import N_
from treegarth.web.lists import Day
from treegarth.web.routes import AnyText, Parameters, Text

MOST_ROWS = 2_000
LEAST_EXAMS = 20
"""Of a set that says no other number: how many exams the median of a comparison is of, at least."""
FEWEST_EXAMS = 6
"""Fewer have no 95 % confidence interval of their median by order statistics (`median_interval.py`)."""

LevelPhantom: TypeAlias = Literal["head", "body"]
Trimmed = StringConstraints(strip_whitespace=True)
Line = Annotated[AnyText, Trimmed, Field(min_length=1, max_length=300)]
Years = Annotated[float, Field(ge=0, le=150)]
Kilograms = Annotated[float, Field(ge=0, le=1_000)]
Dose = Annotated[float, Field(gt=0, le=1e9)]
Year = Annotated[int, Field(ge=1980, le=2100)]


class Publication(Parameters):
    """Where the numbers come from, so exactly that somebody else finds them."""

    authors: Line
    """Persons or the body that published it."""
    title: Line
    year: Year
    """Of the publication."""
    table: Line
    """Which table of it has the numbers: `Table 3`."""
    where: Line | None = None
    """The page, or the address."""

    @property
    def citation(self) -> str:
        """In a line."""
        parts = (self.authors, self.title, str(self.year), self.table, self.where)
        return ". ".join(part.rstrip(".") for part in parts if part)


class RowKey(NamedTuple):
    """What a level is about: one row of a set has it."""

    modality: str
    quantity: str
    phantom: str | None
    standard_name: str
    age_from_years: float | None
    age_to_years: float | None
    weight_from_kg: float | None
    weight_to_kg: float | None


class LevelRow(Parameters):
    """One reference level."""

    modality: Annotated[str, Trimmed, Field(pattern=r"^[A-Z][A-Z0-9_ ]{0,15}$")]
    """(0008,0060) of the exams, such as `CT`."""
    quantity: Annotated[str, Trimmed, Field(json_schema_extra={"enum": sorted(LEVEL_QUANTITIES)})]
    """A best known dose of an exam."""
    phantom: LevelPhantom | None = None
    """Of which CTDI phantom: `head` (16 cm) or `body` (32 cm); needed where a quantity can be of either."""
    standard_name: Annotated[AnyText, Trimmed, Field(min_length=1, max_length=200)]
    """What this site calls such exams; capitals and accents make no other name of it."""
    age_from_years: Years | None = None
    age_to_years: Years | None = None
    """Younger than this."""
    weight_from_kg: Kilograms | None = None
    weight_to_kg: Kilograms | None = None
    """Lighter than this."""
    level: Dose
    """The reference level, as a rule the 75th percentile of facilities' medians."""
    achievable: Dose | None = None
    """What half of the facilities reach, where it was published: their median."""

    @field_validator("quantity")
    @classmethod
    def _is_known(cls, quantity: str) -> str:
        if quantity not in LEVEL_QUANTITIES:
            allowed = ", ".join(f"{name} ({one.unit})" for name, one in LEVEL_QUANTITIES.items())
            raise PydanticCustomError("unknown_quantity", "is none of {allowed}", {"allowed": allowed})
        return quantity

    @field_validator("age_to_years")
    @classmethod
    def _has_ages(cls, end: float | None, others: ValidationInfo) -> float | None:
        if _is_empty(others.data.get("age_from_years"), end):
            raise ValueError(N_("The age begins after it ends, or where it ends: nobody is in this band."))
        return end

    @field_validator("weight_to_kg")
    @classmethod
    def _has_weights(cls, end: float | None, others: ValidationInfo) -> float | None:
        if _is_empty(others.data.get("weight_from_kg"), end):
            raise ValueError(N_("The weight begins after it ends, or where it ends: nobody is in this band."))
        return end

    @field_validator("achievable")
    @classmethod
    def _is_below(cls, achievable: float | None, others: ValidationInfo) -> float | None:
        level = others.data.get("level")
        if achievable is not None and level is not None and achievable > level:
            raise ValueError(
                N_("The achievable dose is more than the reference level: a median is below the 75th percentile.")
            )
        return achievable

    @model_validator(mode="after")
    def _fits(self) -> LevelRow:
        if self.quantity in OF_A_PHANTOM and self.phantom is None:
            raise ValueError(N_("Say of which phantom this is, head or body: they are never compared."))
        if self.quantity not in OF_A_PHANTOM and self.phantom is not None:
            raise ValueError(N_("This quantity has no phantom of its own to be said."))
        return self

    @property
    def key(self) -> RowKey:
        return RowKey(*(getattr(self, name) for name in RowKey._fields))


def _is_empty(begin: float | None, end: float | None) -> bool:
    return begin is not None and end is not None and begin >= end


def overlapping(rows: Sequence[LevelRow]) -> tuple[int, int] | None:
    """The first two rows of which a patient can be in both bands, of the same exams; None where there are none. Rows
    that say bands of other things, one of ages and one of weights, or one for all patients, stand side by side."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for index, row in enumerate(rows):
        says = (_says(row.age_from_years, row.age_to_years), _says(row.weight_from_kg, row.weight_to_kg))
        about = (row.modality, row.quantity, row.phantom, fold(row.standard_name), says)
        others = alike.setdefault(about, [])
        first = next((other for other in others if _meet(rows[other], row)), None)
        if first is not None:
            return first, index
        others.append(index)
    return None


def _says(begin: float | None, end: float | None) -> bool:
    return begin is not None or end is not None


def _meet(one: LevelRow, other: LevelRow) -> bool:
    bands = (("age_from_years", "age_to_years"), ("weight_from_kg", "weight_to_kg"))
    return all(
        _begin(getattr(first, begins)) < _end(getattr(second, ends))
        for begins, ends in bands
        for first, second in ((one, other), (other, one))
    )


def _begin(value: float | None) -> float:
    return 0.0 if value is None else value


def _end(value: float | None) -> float:
    return inf if value is None else value


class LevelSet(Parameters):
    """Reference levels of a country or a site, of one publication."""

    name: Annotated[AnyText, Trimmed, Field(min_length=1, max_length=100)]
    """What the set is called."""
    place: Line
    """The country or the site that they are for."""
    publication: Publication
    year: Year | None = None
    """Of the survey that they come from, where it is another than the publication's."""
    valid_from: Day | None = None
    """The first day on which they hold."""
    valid_to: Day | None = None
    """The last day on which they hold."""
    least_exams: Annotated[int, Field(ge=FEWEST_EXAMS, le=10_000)] = LEAST_EXAMS
    """How many exams a median that is compared is of, at least."""
    note: Text | None = None
    rows: Annotated[tuple[LevelRow, ...], Field(max_length=MOST_ROWS)] = ()

    @field_validator("valid_to")
    @classmethod
    def _is_not_before(cls, last: date | None, others: ValidationInfo) -> date | None:
        first = others.data.get("valid_from")
        if first and last and last < first:
            raise ValueError(N_("The last day is before the first."))
        return last

    @model_validator(mode="after")
    def _fits(self) -> LevelSet:
        if len({row.key for row in self.rows}) < len(self.rows):
            raise ValueError(N_("Two rows say a level of the same exams and patients."))
        return self

    def holds_on(self, day: date) -> bool:
        """Whether it is valid on this day, both ends included."""
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day <= self.valid_to)
