"""Decide when a destination may be sent to: windows by weekday and hour in the site's zone. Pure.

A window belongs to the day on which it begins: Friday 22:00 to 06:00 ends on Saturday morning, and Friday's early
morning belongs to Thursday. Hours are those of the wall clock, also on days when that is put forward or back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, field_validator

from treegarth.described import Described
from treegarth.phrases import N_
from treegarth.web.forms import Shown

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)  # in the order of date.weekday()
DAYS: Mapping[str, str] = {
    "mon": N_("Mon"),
    "tue": N_("Tue"),
    "wed": N_("Wed"),
    "thu": N_("Thu"),
    "fri": N_("Fri"),
    "sat": N_("Sat"),
    "sun": N_("Sun"),
}
_WEEK = timedelta(days=7)


def _hour_of_day(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|24:00", value):
        raise ValueError("must be a time of the day like 22:00")
    return value


HourOfDay = Annotated[str, AfterValidator(_hour_of_day)]


class Window(Described):
    """Hours in which a destination may be sent to. Where the end is not after the beginning it is of the next day."""

    days: Annotated[tuple[Weekday, ...], Shown(N_("Days"), choices=DAYS)] = Field(default=WEEKDAYS, min_length=1)
    """The days on which it begins; every day if not given."""
    begin: Annotated[HourOfDay, Shown(N_("from"), type="time")]
    """The first minute, `22:00`."""
    end: Annotated[HourOfDay, Shown(N_("to"), type="time")]
    """The minute at which it is over, `06:00`; the same as `begin` makes 24 hours, `24:00` is midnight."""

    @field_validator("days")
    @classmethod
    def _in_order(cls, value: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
        return tuple(day for day in WEEKDAYS if day in value)

    def covers(self, wall: datetime) -> bool:
        """Whether it holds at a time of the wall clock (its zone is not looked at)."""
        minute = wall.hour * 60 + wall.minute
        begin, end = _minutes(self.begin) % 1440, _minutes(self.end)
        today, yesterday = WEEKDAYS[wall.weekday()], WEEKDAYS[wall.weekday() - 1]
        if begin < end:
            return today in self.days and begin <= minute < end
        return (today in self.days and minute >= begin) or (yesterday in self.days and minute < end)


def is_open(windows: Sequence[Window] | None, now: datetime, zone: tzinfo) -> bool:
    """Whether one of the windows holds now; without any it is always open."""
    return not windows or any(window.covers(now.astimezone(zone)) for window in windows)


def opens_at(windows: Sequence[Window] | None, now: datetime, zone: tzinfo) -> datetime:
    """The next moment, now included, at which a window holds."""
    if windows is None or is_open(windows, now, zone):
        return now
    return min(moment for moment in _openings(windows, now, zone) if is_open(windows, moment, zone))


def _openings(windows: Sequence[Window], now: datetime, zone: tzinfo) -> list[datetime]:
    """The beginnings within the week and a day after now, in UTC.

    An hour that the clock skips is taken as the hour that it is put forward to.
    """
    first = now.astimezone(zone).date()
    found = []
    for window in windows:
        minutes = _minutes(window.begin)
        for ahead in range(-1, 9):
            wall = datetime.combine(first + timedelta(days=ahead), time(), tzinfo=zone) + timedelta(minutes=minutes)
            moment = wall.astimezone(UTC)
            if now < moment <= now + _WEEK + timedelta(days=1):
                found.append(moment)
    return found


def _minutes(hour: str) -> int:
    hours, _, minutes = hour.partition(":")
    return int(hours) * 60 + int(minutes)
