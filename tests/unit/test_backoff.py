"""When to try again what failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from treegarth.tasks.backoff import Backoff

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(first=5 * SECOND, longest=60 * SECOND)
    assert [backoff.pause(failures) / SECOND for failures in range(8)] == [5, 5, 10, 20, 40, 60, 60, 60]


def test_after_the_last_attempt_nobody_tries_again() -> None:
    backoff = Backoff(first=SECOND, longest=SECOND, most_attempts=3)
    assert backoff.next_attempt(2, NOON) == NOON + SECOND
    assert backoff.next_attempt(3, NOON) is None


@given(
    failures=st.integers(0, 2**31), chance=st.floats(0, 1), first=st.integers(1, 600), longest=st.integers(600, 10**6)
)
def test_a_pause_is_never_nothing_and_never_much_longer_than_the_longest(
    failures: int, chance: float, first: int, longest: int
) -> None:
    backoff = Backoff(first=first * SECOND, longest=longest * SECOND)
    assert 0.75 * backoff.first <= backoff.pause(failures, chance) <= 1.25 * backoff.longest
    assert backoff.pause(failures, 0) <= backoff.pause(failures, chance) <= backoff.pause(failures, 1)
    assert backoff.next_attempt(failures, NOON, chance) == NOON + backoff.pause(failures, chance)
