"""Whole numbers, dates and times out of the texts that DICOM writes them as (PS3.5 6.2: IS, DA, TM, DT). Pure.

Separators are taken where they leave no doubt: those of ACR-NEMA (1997.01.31, 10:15:00), and of ISO 8601, which
devices write. What names no number, no day or no time of day raises ValueError.
"""

from __future__ import annotations

import re
from datetime import date, time

_DATE = re.compile(r"([0-9]{4})([.-]?)([0-9]{2})\2([0-9]{2})\Z")
_TIME = re.compile(r"([0-9]{2}):?([0-9]{2})?:?([0-9]{2})?(?:\.([0-9]{1,6}))?\Z")
_MOMENT = re.compile(
    r"(?P<date>[0-9]{4}(?:[.-]?[0-9]{2}){0,2})(?:[T ]?(?P<time>[0-9]{2}(?::?[0-9]{2}){0,2}(?:\.[0-9]{1,6})?))?"
    r"(?P<zone>[+-][0-9]{4})?\Z"
)


def integer_of(value: str) -> int:
    """An IS; some devices write decimals. Raises ValueError, or OverflowError for infinity."""
    number = float(value.split("\\")[0])
    if number != int(number) or not -(2**31) <= number < 2**31:
        raise ValueError(value)
    return int(number)


def date_of(text: str) -> date:
    """The day of a DA. Raises ValueError."""
    match = _DATE.match(text)
    if match is None:
        raise ValueError("this is no DICOM date")
    return date(int(match[1]), int(match[3]), int(match[4]))


def time_of(text: str) -> time:
    """The time of a TM, of any precision; a leap second is the one before it. Raises ValueError."""
    match = _TIME.match(text)
    if match is None:
        raise ValueError("this is no DICOM time")
    hour, minute, second, fraction = (part or "0" for part in match.groups())
    seconds = int(second) if int(second) != 60 else 59
    return time(int(hour), int(minute), seconds, int(fraction.ljust(6, "0")))


def plain_time(text: str) -> str:
    """A TM without separators, as precise as it was written: 10:15:00 → 101500. Raises ValueError."""
    time_of(text)
    return text.replace(":", "")


def plain_moment(text: str) -> str:
    """A DT without separators, as precise as it was written, with its offset if any. Raises ValueError."""
    match = _MOMENT.match(text)
    if match is None:
        raise ValueError("this is no DICOM date and time")
    day = re.sub("[.-]", "", match["date"])
    date_of((day + "0101")[:8] if len(day) != 6 else day + "01")
    if match["time"] is None:
        return day + (match["zone"] or "")
    if len(day) != 8:
        raise ValueError("this is no DICOM date and time")
    return day + plain_time(match["time"]) + (match["zone"] or "")
