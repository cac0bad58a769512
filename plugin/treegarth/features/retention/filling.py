"""When the disk of the objects will be full, as far as the last weeks tell. Pure: bytes of weeks in, a span out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import quantiles

from treegarth.phrases import P_

WEEKS = 12
FEWEST_WEEKS = 3
FARTHEST = timedelta(days=3650)
"""What lies beyond ten years is no forecast of anything."""


@dataclass(frozen=True, kw_only=True)
class Filling:
    """Between which moments the disk is full, or why nobody can say. `latest` None: perhaps never."""

    weeks: int  # whole ones that it is made of
    low_bytes_per_week: int = 0
    high_bytes_per_week: int = 0
    earliest: datetime | None = None
    latest: datetime | None = None
    reason: str = ""  # a phrase: why there is no forecast


def when_full(weekly_bytes: Sequence[int], free_bytes: int | None, now: datetime) -> Filling:
    """By the growth of whole weeks, the first of them that in which something first arrived: received less freed. Three
    quarters of the weeks were no faster than the earliest moment says, and three quarters no slower than the latest."""
    weeks = len(weekly_bytes)
    if free_bytes is None:
        return Filling(weeks=weeks, reason=P_("how much is free on the disk was not measured yet"))
    if weeks < FEWEST_WEEKS:
        reason = P_(
            "too little is known: it takes %(fewest)s whole weeks of arrivals, and there are %(weeks)s",
            fewest=FEWEST_WEEKS,
            weeks=weeks,
        )
        return Filling(weeks=weeks, reason=reason)
    low, _, high = (round(one) for one in quantiles(weekly_bytes, n=4, method="inclusive"))
    known = Filling(weeks=weeks, low_bytes_per_week=low, high_bytes_per_week=high)
    if high <= 0:
        return replace(known, reason=P_("the archive does not grow: in most weeks as much was freed as arrived"))
    earliest = _full_at(free_bytes, high, now)
    if earliest is None:
        return replace(known, reason=P_("it takes more than ten years as it grows now"))
    return replace(known, earliest=earliest, latest=_full_at(free_bytes, low, now) if low > 0 else None)


def _full_at(free_bytes: int, bytes_per_week: int, now: datetime) -> datetime | None:
    weeks = free_bytes / bytes_per_week
    return now + timedelta(weeks=weeks) if weeks * 7 < FARTHEST.days else None
