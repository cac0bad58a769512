"""What the queries of all lists have in common: the page, and days and moments in ISO form."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from treegarth.limits import LONGEST_CURSOR, can_be_shown
from treegarth.web.routes import AnyText, Parameters

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 1000
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]")


def _iso_form(value: Any) -> Any:
    """pydantic alone would also read 20261120 as a number of seconds."""
    if not isinstance(value, date) and not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise ValueError("must be a date like 2026-11-20")
    return value


def _moment_form(value: Any) -> Any:
    """pydantic alone would also read a number of seconds."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _MOMENT.match(value)):
        raise ValueError("must be a moment with its zone like 2026-11-20T14:30:00+09:00")
    return value


def _in_utc(value: datetime) -> datetime:
    if not can_be_shown(value):
        raise ValueError("must be a moment with its zone like 2026-11-20T14:30:00+09:00")
    return value.astimezone(UTC)


def _in_order(value: date | None, info: ValidationInfo) -> date | None:
    """Of `study_date_to`, that it is not before `study_date_from`."""
    first = info.data.get(str(info.field_name).removesuffix("_to") + "_from")
    if value and first and value < first:
        raise ValueError("must not be before the first day")
    return value


_UPPER = re.compile(r"(.+)_(to|below)((?:_.+)?)")
_YEARS_OF_LIFE = "age_to_years"
"""A whole number of these is that year of life to its end."""


class Spans(Parameters):
    """Base of queries with limits of numbers: `x_from` with `x_to`, included, or with `x_below`, the unit behind. What
    nothing can fulfil is a mistake of who asks, not an empty answer. The least is declared before the greatest."""

    @field_validator("*", mode="after")
    @classmethod
    def _holds_something(cls, value: Any, info: ValidationInfo) -> Any:
        found = _UPPER.fullmatch(str(info.field_name)) if isinstance(value, int | float) else None
        least = f"{found[1]}_from{found[3]}" if found else ""
        first = info.data.get(least)
        if found is None or not isinstance(first, int | float):
            return value
        if found[2] == "below" and first >= value:
            raise PydanticCustomError("span_below", "must be more than {least}", {"least": least})
        end = value + 1 if info.field_name == _YEARS_OF_LIFE and value == int(value) else None
        if first > value if end is None else first >= end:
            raise PydanticCustomError("span_to", "must not be less than {least}", {"least": least})
        return value


FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9000, 1, 1)


def begins(day: date, zone: tzinfo) -> datetime:
    """When a day begins at the site; within years that the calendar has in every zone: nothing happens outside."""
    return datetime.combine(min(max(day, FIRST_DAY), LAST_DAY), time(), tzinfo=zone)


def is_over(day: date, zone: tzinfo) -> datetime:
    """When the day after it begins."""
    return begins(min(day, LAST_DAY) + timedelta(days=1), zone)


Day = Annotated[date, BeforeValidator(_iso_form)]
LastDay = Annotated[Day | None, AfterValidator(_in_order)]
"""Of a span of days, declared after its first."""
Moment = Annotated[AwareDatetime, BeforeValidator(_moment_form), AfterValidator(_in_utc)]
Cursor = Annotated[AnyText, Field(max_length=LONGEST_CURSOR)]


class PageQuery(Parameters):
    """Which page of a list."""

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=LARGEST_LIMIT)
    """How many at most."""
    cursor: Cursor | None = None
    """`next` of the page before; the first page without."""


def modalities_of(text: str | None) -> tuple[str, ...]:
    """Those of a parameter that divides several by commas; modalities are written in capitals (PS3.3 C.7.3.1.1.1)."""
    return tuple(part.strip().upper() for part in (text or "").split(",") if part.strip())
