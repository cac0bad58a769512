"""What a condition is: comparisons of fields, joined by all, any and not, and asked of a series or an instance. Pure.

A condition speaks of one study. A comparison with a field of a deeper level is true when some series (or instance) of
the study makes it true; `Some` asks several things of the same series or instance. An absent value makes a comparison
false; "!=", "not in" and "not like" are short for the negation of "=", "in" and "like", so they are true there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeAlias


class Level(StrEnum):
    """Where a field stands. Each level's fields may be used at the levels above it."""

    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"


class Kind(StrEnum):
    """What a field's values are."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"  # a day without a zone, as in DICOM
    TIME = "time"  # of the day
    MOMENT = "moment"  # with a zone
    TRUTH = "truth"  # true or false


class Operator(StrEnum):
    """How a field is compared; the value is what the text form writes."""

    EQUALS = "="
    IN = "in"
    LIKE = "like"  # * is any text, ? any character; A to Z in capitals or not
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    BETWEEN = "between"  # both ends included
    EXISTS = "exists"
    OLDER = "older than"  # a date or moment before now less a duration
    WITHIN = "within"  # a date or moment not before now less a duration


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """What conditions can speak of. `many`: several values, and a comparison holds when it does for one of them."""

    name: str  # a DICOM keyword, or a dotted name of ours: "dose.dlp_total_mgy_cm"
    level: Level
    kind: Kind
    many: bool = False
    meaning: str = ""  # a msgid: one line for the form
    unit: str = ""
    choices: tuple[str, ...] = ()  # the only values that can occur, where they are a closed set


Value: TypeAlias = str | float | bool | date | time | datetime | timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A field compared with values: one, none for EXISTS, two for BETWEEN, several for IN; OLDER, WITHIN: a duration.

    A moment without a zone is meant in the zone of the `now` that the condition is decided at.
    """

    field: Field
    operator: Operator
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class All:
    """True when each part is; of none, true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """True when one part is; of none, false."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


@dataclass(frozen=True, slots=True)
class Some:
    """True when one series (or instance) makes the part true."""

    level: Level  # series or instance
    part: Condition


Condition: TypeAlias = Comparison | All | Any | Not | Some


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a study, a series or an instance, by field name: a value, a tuple of values, or None (absent).

    `below`: the series of a study, the instances of a series.
    """

    key: str  # Orthanc's identifier
    values: Mapping[str, Value | tuple[Value, ...] | None]
    below: tuple[Facts, ...] = field(default=())
