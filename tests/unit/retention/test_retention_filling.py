"""When the disk is full: a span where weeks differ, and no forecast where nobody can say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from treegarth.features.retention.filling import when_full

NOW = datetime(2026, 11, 20, tzinfo=UTC)
GB = 10**9


def test_steady_weeks_give_one_day() -> None:
    found = when_full([10 * GB] * 12, 100 * GB, NOW)
    assert (found.earliest, found.latest, found.reason) == (NOW + timedelta(weeks=10), NOW + timedelta(weeks=10), "")


def test_weeks_that_differ_give_a_span_in_which_half_of_them_lie() -> None:
    found = when_full([4 * GB, 5 * GB, 10 * GB, 20 * GB, 40 * GB], 100 * GB, NOW)
    assert (found.low_bytes_per_week, found.high_bytes_per_week) == (5 * GB, 20 * GB)
    assert (found.earliest, found.latest) == (NOW + timedelta(weeks=5), NOW + timedelta(weeks=20))


def test_where_some_weeks_shrink_it_may_never_be_full() -> None:
    found = when_full([-GB, -GB, 10 * GB, 10 * GB], 100 * GB, NOW)
    assert found.earliest is not None
    assert (found.latest, found.reason) == (None, "")


@pytest.mark.parametrize(
    ("weeks", "free", "said"),
    [
        ([], 100 * GB, "too little is known"),
        ([GB, GB], 100 * GB, "too little is known"),
        ([GB] * 12, None, "was not measured yet"),
        ([-GB] * 12, 100 * GB, "does not grow"),
        ([0] * 12, 100 * GB, "does not grow"),
        ([1] * 12, 100 * GB, "more than ten years"),
    ],
)
def test_without_a_forecast_it_says_why(weeks: list[int], free: int | None, said: str) -> None:
    found = when_full(weeks, free, NOW)
    assert said in found.reason
    assert (found.earliest, found.latest) == (None, None)


def test_a_full_disk_is_full_now() -> None:
    assert when_full([GB] * 3, 0, NOW).earliest == NOW
