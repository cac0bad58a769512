"""When something began, as devices write it: with or without a day, a zone, seconds. Pure.

Two clocks are compared as far as both tell: a time without a day by the time of day, a time without a zone with one in
UTC by whatever shift a zone can have (quarters of an hour, at most 14 hours).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

DAY_S = 86_400.0
QUARTER_S = 900.0
WIDEST_ZONE_S = 14 * 3600.0

_DT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(\.\d{1,6})?([+-]\d{4})?")
_TM = re.compile(r"(\d\d):?(\d\d)?:?(\d\d)?(\.\d{1,6})?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Instant:
    """A reading of a clock: the day (proleptic ordinal) or None, seconds of the day, the zone's offset where it is
    told, and how coarse the reading is (1 s, 60 s where seconds are not told, 3600 s)."""

    day: int | None
    clock_s: float
    offset_s: float | None = None
    grain_s: float = 1.0

    @property
    def wall_s(self) -> float:
        return (self.day or 0) * DAY_S + self.clock_s

    @property
    def utc_s(self) -> float:
        return self.wall_s - (self.offset_s or 0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """How far two readings are apart beyond their coarseness; `is_shifted` where a zone had to be guessed."""

    seconds: float
    is_shifted: bool = False


def instant_of(text: object, offset: object = None) -> Instant | None:
    """A DT (PS3.5 6.2) as an instant; None where it does not say an hour. `offset` is the object's Timezone Offset From
    UTC, for a value that has none of its own."""
    found = _DT.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    day = _ordinal(int(found[1]), int(found[2]), int(found[3]))
    clock = _clock(found[4], found[5], found[6], found[7])
    if day is None or clock is None:
        return None
    return Instant(day=day, clock_s=clock, offset_s=offset_s(found[8] or offset), grain_s=_grain(found[5], found[6]))


def clock_of(text: object, *, near: Instant | None = None, offset: object = None) -> Instant | None:
    """A TM as an instant: of the day of `near`, or of the day before where it would be later than that."""
    found = _TM.fullmatch(text.strip()) if isinstance(text, str) else None
    clock = _clock(found[1], found[2], found[3], found[4]) if found else None
    if found is None or clock is None:
        return None
    day = near.day if near is not None else None
    if near is not None and day is not None and clock > near.clock_s + near.grain_s:
        day -= 1
    zone = near.offset_s if near is not None and near.offset_s is not None else offset_s(offset)
    return Instant(day=day, clock_s=clock, offset_s=zone, grain_s=_grain(found[2], found[3]))


def offset_s(text: object) -> float | None:
    """`+0900` in seconds."""
    if not isinstance(text, str) or re.fullmatch(r"[+-]\d{4}", text.strip()) is None:
        return None
    sign = -1.0 if text.strip()[0] == "-" else 1.0
    return sign * (int(text.strip()[1:3]) * 3600.0 + int(text.strip()[3:]) * 60.0)


def gap(first: Instant, second: Instant) -> Gap:
    """How far apart: by UTC where both zones are known, by the wall where none is, by the nearer of both otherwise."""
    coarse = max(first.grain_s, second.grain_s) - 1.0
    dated = first.day is not None and second.day is not None
    if first.offset_s is not None and second.offset_s is not None:
        return Gap(seconds=_beyond(_apart(first.utc_s, second.utc_s, dated), coarse))
    by_wall = _beyond(_apart(first.wall_s, second.wall_s, dated), coarse)
    if first.offset_s is None and second.offset_s is None:
        return Gap(seconds=by_wall)
    known, other = (first, second) if first.offset_s is not None else (second, first)
    shift = _apart(known.utc_s, other.wall_s, dated)
    if shift > WIDEST_ZONE_S + QUARTER_S:
        return Gap(seconds=by_wall)
    shifted = _beyond(abs(shift - round(shift / QUARTER_S) * QUARTER_S), coarse)
    return Gap(seconds=shifted, is_shifted=True) if shifted < by_wall else Gap(seconds=by_wall)


def _apart(first: float, second: float, dated: bool) -> float:
    apart = abs(first - second)
    return apart if dated else min(apart % DAY_S, DAY_S - apart % DAY_S)


def _beyond(apart: float, coarse: float) -> float:
    return max(0.0, apart - coarse)


def _clock(hours: str, minutes: str | None, seconds: str | None, fraction: str | None) -> float | None:
    hour, minute, second = int(hours), int(minutes or 0), int(seconds or 0)
    if hour > 23 or minute > 59 or second > 60:
        return None
    return hour * 3600.0 + minute * 60.0 + second + float(f"0{fraction}" if fraction else 0)


def _grain(minutes: str | None, seconds: str | None) -> float:
    return 1.0 if seconds else 60.0 if minutes else 3600.0


def _ordinal(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal()
    except ValueError:
        return None
