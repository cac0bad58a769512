"""The values of conditions as texts, by the kind of their field: read, written, and set against a time. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from treegarth.conditions.model import Comparison, Kind, Operator, Value
from treegarth.limits import LONGEST_TEXT, can_be_shown, is_storable
from treegarth.phrases import P_

_ORDERED = (Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST, Operator.BETWEEN)
_SAME = (Operator.EQUALS, Operator.IN)
_AGES = (Operator.OLDER, Operator.WITHIN)
OPERATORS: dict[Kind, tuple[Operator, ...]] = {
    Kind.TEXT: (*_SAME, Operator.LIKE, Operator.EXISTS),
    Kind.NUMBER: (*_SAME, *_ORDERED, Operator.EXISTS),
    Kind.DATE: (*_SAME, *_ORDERED, *_AGES, Operator.EXISTS),
    Kind.TIME: (*_SAME, *_ORDERED, Operator.EXISTS),
    Kind.MOMENT: (*_ORDERED, *_AGES, Operator.EXISTS),  # two moments are never the same
    Kind.TRUTH: (Operator.EQUALS, Operator.EXISTS),
}
"""What each kind of field can be asked."""

UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "year": timedelta(days=365.25),  # as PS3.3 counts no years: that of the Julian calendar
}
LONGEST = timedelta(days=200 * 365.25)
_DURATION = re.compile(r"(\d+(?:\.\d+)?) (minute|hour|day|week|year)s?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_CLOCK = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?")

RIGHT: dict[Kind, str] = {
    Kind.TEXT: P_("a text of at most 1,000 characters"),
    Kind.NUMBER: P_("a number such as 5 or -0.25"),
    Kind.DATE: P_("a day such as 2026-11-20"),
    Kind.TIME: P_("a time of the day such as 14:30 or 14:30:05"),
    Kind.MOMENT: P_("a day or a moment such as 2026-11-20 or 2026-11-20T14:30 or 2026-11-20T14:30+09:00"),
    Kind.TRUTH: P_("true or false"),
}
"""What a value of each kind looks like, for the message that refuses another one."""
DURATION_RIGHT = P_("a duration such as 30 days (minutes, hours, days, weeks or years; at most 200 years)")
DAYS_RIGHT = P_("a duration of whole days, weeks or years such as 30 days, for the field has no time of the day")


def read_value(kind: Kind, text: str) -> Value:
    """The value that a text means in a field of this kind. Raises ValueError."""
    return _READERS[kind](text)


def read_duration(kind: Kind, text: str) -> timedelta:
    """The duration that `older than` and `within` take. Raises ValueError, with what would be right."""
    match = _DURATION.fullmatch(text)
    if not match or float(match[1]) * UNITS[match[2]].total_seconds() > LONGEST.total_seconds():
        raise ValueError(DURATION_RIGHT)
    if kind is Kind.DATE and match[2] in ("minute", "hour"):
        raise ValueError(DAYS_RIGHT)
    return float(match[1]) * UNITS[match[2]]


def write_value(value: Value) -> str:
    """As `read_value` and `read_duration` read it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return _write_duration(value)
    if isinstance(value, float | int):
        return str(int(value)) if abs(value) < 1e15 and value == int(value) else repr(float(value))
    if isinstance(value, date | time):
        return value.isoformat()
    return value


def bounds(comparison: Comparison, now: datetime) -> tuple[Value, ...]:
    """What the values are to be compared with: durations counted back from `now`, moments without a zone in that of
    `now`. Both faces of a condition compare with these."""
    if comparison.operator not in _AGES:
        return tuple(_in_zone(value, now) for value in comparison.values)
    (duration,) = comparison.values
    if not isinstance(duration, timedelta):
        raise TypeError("An age is compared with a duration.")
    if comparison.field.kind is Kind.DATE:
        return ((now - duration).date(),)
    return (now.astimezone(UTC) - duration,)


def _in_zone(value: Value, now: datetime) -> Value:
    return value.replace(tzinfo=now.tzinfo) if isinstance(value, datetime) and value.tzinfo is None else value


def _read_text(text: str) -> str:
    if len(text) > LONGEST_TEXT or not is_storable(text):
        raise ValueError(text)
    return text


def _read_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number) or "_" in text:
        raise ValueError(text)
    return number


def _read_date(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _read_time(text: str) -> time:
    if not _CLOCK.fullmatch(text):
        raise ValueError(text)
    return time.fromisoformat(text)


def _read_moment(text: str) -> datetime:
    if not _MOMENT.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    if not can_be_shown(moment):
        raise ValueError(text)
    return moment


def _read_truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _write_duration(value: timedelta) -> str:
    for name in ("year", "day", "hour", "minute"):
        count = value / UNITS[name]
        if count == int(count) and (count or name == "day"):
            return f"{int(count)} {name}" + ("s" if count != 1 else "")
    return f"{value / UNITS['minute']:.10f}".rstrip("0") + " minutes"


_READERS: dict[Kind, Callable[[str], Value]] = {
    Kind.TEXT: _read_text,
    Kind.NUMBER: _read_number,
    Kind.DATE: _read_date,
    Kind.TIME: _read_time,
    Kind.MOMENT: _read_moment,
    Kind.TRUTH: _read_truth,
}
