"""Who guesses is slowed down, never for good, and does not lock others out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from treegarth.access.throttle import FORGOTTEN_AFTER, FREE_TRIES, LONGEST_WAIT, MOST_REMEMBERED, Throttle

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NOTHING = timedelta(0)


def test_after_five_wrong_ones_each_try_waits_longer_up_to_a_quarter_of_an_hour() -> None:
    throttle, now, waits = Throttle(), NOW, []
    for _ in range(FREE_TRIES + 8):
        wait = throttle.wait("kim", "address 1", now)
        waits.append(wait)
        now += wait
        throttle.note_wrong("kim", "address 1", now)
    assert waits[:FREE_TRIES] == [NOTHING] * FREE_TRIES
    assert waits[FREE_TRIES : FREE_TRIES + 3] == [timedelta(seconds=one) for one in (30, 60, 120)]
    assert waits[-1] == LONGEST_WAIT


def test_another_place_and_another_name_are_not_slowed() -> None:
    throttle = Throttle()
    for _ in range(1000):
        throttle.note_wrong("admin", "address 1", NOW)
    assert throttle.wait("admin", "address 1", NOW) == LONGEST_WAIT
    assert throttle.wait("admin", "browser x", NOW) == NOTHING
    assert throttle.wait("kim", "address 1", NOW) == NOTHING


def test_a_right_password_and_an_hour_forget_the_wrong_ones() -> None:
    throttle = Throttle()
    for _ in range(FREE_TRIES):
        throttle.note_wrong("kim", "a", NOW)
    throttle.note_right("kim", "a")
    assert throttle.wait("kim", "a", NOW) == NOTHING
    for _ in range(FREE_TRIES):
        throttle.note_wrong("kim", "a", NOW)
    assert throttle.wait("kim", "a", NOW + FORGOTTEN_AFTER) == NOTHING


def test_what_it_remembers_is_bounded() -> None:
    throttle = Throttle()
    for number in range(MOST_REMEMBERED + 100):
        throttle.note_wrong(f"name {number}", "a", NOW)
    assert len(throttle._tries) == MOST_REMEMBERED
