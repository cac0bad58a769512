"""When rules of a schedule act, in the site's zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from treegarth.features.rules.schedule import Schedule, parse_schedule

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")


def schedule(text: str) -> Schedule:
    found = parse_schedule(text)
    assert found is not None
    return found


@pytest.mark.parametrize("text", ["hourly", "daily 02:00", "weekly sun 23:59"])
def test_a_schedule_is_written_as_it_is_read(text: str) -> None:
    assert str(schedule(text)) == text


@pytest.mark.parametrize("text", ["", "daily", "daily 24:00", "weekly 02:00", "weekly xyz 02:00", "0 2 * * *"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    assert parse_schedule(text) is None


def test_the_time_is_the_sites() -> None:
    monday = datetime(2026, 3, 2, 16, 59, tzinfo=UTC)  # 01:59 on Tuesday in Seoul
    assert schedule("daily 02:00").next_after(monday, SEOUL) == datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
    assert schedule("weekly tue 02:00").next_after(monday, SEOUL) == datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
    later = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
    assert schedule("weekly tue 02:00").next_after(later, SEOUL) == datetime(2026, 3, 9, 17, 0, tzinfo=UTC)
    assert schedule("hourly").next_after(monday, SEOUL) == datetime(2026, 3, 2, 17, 0, tzinfo=UTC)


def test_it_acts_once_on_the_days_that_change_the_clock() -> None:
    before = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    spring = schedule("daily 02:30").next_after(before, BERLIN)
    assert spring == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # there is no 02:30: an hour later by the new clock
    assert schedule("daily 02:30").next_after(spring, BERLIN) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    autumn = schedule("daily 02:30").next_after(datetime(2026, 10, 24, 12, 0, tzinfo=UTC), BERLIN)
    assert autumn == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert schedule("daily 02:30").next_after(autumn, BERLIN) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
