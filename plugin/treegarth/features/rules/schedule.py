"""When a rule of trigger schedule acts: hourly, daily or weekly, in the site's time zone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from treegarth.phrases import P_

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FORMS = P_("Write hourly, daily 02:00, or weekly sun 02:00.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """At a time of each day, or of one weekday; without a time at the beginning of each hour."""

    at: time | None = None
    weekday: int | None = None  # 0 is Monday

    def __str__(self) -> str:
        if self.at is None:
            return "hourly"
        return f"{'daily' if self.weekday is None else f'weekly {DAYS[self.weekday]}'} {self.at:%H:%M}"

    def next_after(self, moment: datetime, zone: tzinfo) -> datetime:
        """The first time after a moment. A time that a change to summer time leaves out is an hour later that day."""
        if self.at is None:
            hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            return hour + timedelta(hours=1)
        day = moment.astimezone(zone).date()
        for ahead in range(9):
            found = datetime.combine(day + timedelta(days=ahead), self.at, tzinfo=zone).astimezone(UTC)
            if found > moment and self.weekday in (None, (day + timedelta(days=ahead)).weekday()):
                return found
        raise AssertionError("a week has every weekday")


def parse_schedule(text: str) -> Schedule | None:
    """A schedule from its text form; None where it is none."""
    words = text.lower().split()
    if words == ["hourly"]:
        return Schedule()
    if len(words) == 2 and words[0] == "daily":
        return _at(words[1], None)
    if len(words) == 3 and words[0] == "weekly" and words[1] in DAYS:
        return _at(words[2], DAYS.index(words[1]))
    return None


def _at(text: str, weekday: int | None) -> Schedule | None:
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    return Schedule(at=time(int(found[1]), int(found[2])), weekday=weekday) if found else None
