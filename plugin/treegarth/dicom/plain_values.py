"""Whole numbers, dates and times out of the texts that DICOM writes them as (PS3.5 6.2). Pure."""

from __future__ import annotations

import re
from datetime import date, time

_DATE = re.compile(r"(\d{4})[.\-]?(\d{2})[.\-]?(\d{2})")  # with full stops: PS3.5 6.2, note to DA (ACR-NEMA)
_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?")


def integer_of(value: str) -> int:
    """An IS; some devices write decimals. Raises ValueError, or OverflowError for infinity."""
    number = float(value.split("\\")[0])
    if number != int(number) or not -(2**31) <= number < 2**31:
        raise ValueError(value)
    return int(number)


def date_of(value: str) -> date:
    """A DA. Raises ValueError."""
    if not (match := _DATE.fullmatch(value)):
        raise ValueError(value)
    return date(*(int(part) for part in match.groups()))


def time_of(value: str) -> time:
    """A TM: hours, then what there is. A leap second counts as the second before it. Raises ValueError."""
    if not (match := _TIME.fullmatch(value)):
        raise ValueError(value)
    hour, minute, second, fraction = match.groups()
    return time(int(hour), int(minute or 0), min(int(second or 0), 59), int((fraction or "0").ljust(6, "0")))
