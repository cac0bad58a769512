"""Windows by weekday and hour: over midnight, over a week's end, over a change of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from treegarth.features.deliveries.windows import WEEKDAYS, Window, is_open, opens_at

SEOUL = ZoneInfo("Asia/Seoul")
BERLIN = ZoneInfo("Europe/Berlin")
NIGHTS = Window(days=("mon", "tue", "wed", "thu", "fri"), begin="22:00", end="06:00")


def seoul(day: int, hour: int, minute: int = 0) -> datetime:
    """In November 2026, whose 20th is a Friday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        (seoul(20, 21, 59), False),
        (seoul(20, 22), True),
        (seoul(21, 5, 59), True),  # Saturday morning belongs to Friday's night
        (seoul(21, 6), False),
        (seoul(21, 23), False),
        (seoul(22, 23), False),
        (seoul(23, 3), False),  # Monday morning belongs to Sunday's night
        (seoul(23, 22), True),
        (seoul(20, 3), True),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_begins_on(moment: datetime, holds: bool) -> None:
    assert is_open([NIGHTS], moment, SEOUL) is holds
    assert is_open([NIGHTS], moment.astimezone(UTC), SEOUL) is holds


def test_it_opens_when_the_clock_on_the_wall_says_so() -> None:
    assert opens_at([NIGHTS], seoul(21, 12), SEOUL) == seoul(23, 22)
    assert opens_at([NIGHTS], seoul(20, 23), SEOUL) == seoul(20, 23)


def test_without_windows_it_is_always_open() -> None:
    assert is_open(None, seoul(20, 3), SEOUL)
    assert is_open([], seoul(20, 3), SEOUL)
    assert opens_at(None, seoul(20, 3), SEOUL) == seoul(20, 3)


def test_the_same_hour_twice_makes_the_whole_day() -> None:
    saturday = Window(days=("sat",), begin="08:00", end="08:00")
    assert is_open([saturday], seoul(21, 8), SEOUL)
    assert is_open([saturday], seoul(22, 7, 59), SEOUL)
    assert not is_open([saturday], seoul(22, 8), SEOUL)
    whole = Window(days=("sat",), begin="00:00", end="24:00")
    assert is_open([whole], seoul(21, 23, 59), SEOUL)
    assert not is_open([whole], seoul(22, 0), SEOUL)


def test_an_hour_that_the_clock_skips_is_no_opening() -> None:
    skipped = Window(days=("sun",), begin="02:10", end="02:50")
    before = datetime(2026, 3, 28, 12, tzinfo=BERLIN)  # the clock is put forward on the 29th at 2
    assert opens_at([skipped], before, BERLIN) == datetime(2026, 4, 5, 2, 10, tzinfo=BERLIN)
    reaching = Window(days=("sun",), begin="02:30", end="05:00")
    assert opens_at([reaching], before, BERLIN) == datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN)


@pytest.mark.parametrize("given", [{"begin": "25:00", "end": "06:00"}, {"begin": "7:00", "end": "8:00"}, {"days": []}])
def test_a_window_that_is_none_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Window.model_validate({"begin": "22:00", "end": "06:00", **given})


hours = st.builds(lambda hour, minute: f"{hour:02}:{minute:02}", st.integers(0, 23), st.integers(0, 59))
windows = st.builds(
    Window, days=st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True).map(tuple), begin=hours, end=hours
)
moments = st.integers(0, 366 * 1440).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))


@settings(max_examples=100)
@given(st.lists(windows, min_size=1, max_size=3), moments, st.sampled_from([SEOUL, BERLIN]))
def test_it_is_shut_until_it_opens(given_windows: list[Window], now: datetime, zone: ZoneInfo) -> None:
    opening = opens_at(given_windows, now, zone)
    assert is_open(given_windows, opening, zone)
    if opening > now:
        assert not is_open(given_windows, now, zone)
        assert not is_open(given_windows, now + (opening - now) / 2, zone) or opening - now < timedelta(minutes=1)
