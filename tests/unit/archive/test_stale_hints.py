"""Hints that series became stale: whoever waits for them is woken, and each is taken once."""

from __future__ import annotations

from threading import Timer
from time import monotonic

from treegarth.features.archive.ingest.mender import StaleHints


def test_hints_add_up_until_they_are_taken() -> None:
    hints = StaleHints()
    hints.note(["b", "a"])
    hints.note({"b", "c"})
    assert hints.take() == ["a", "b", "c"]
    assert hints.take() == []


def test_who_waits_is_woken_by_a_hint_and_by_the_end() -> None:
    for wake in (lambda hints: hints.note(["a"]), StaleHints.close):
        hints, begin = StaleHints(), monotonic()
        Timer(0.1, wake, [hints]).start()
        hints.wait(20)
        assert monotonic() - begin < 10


def test_without_a_hint_the_wait_ends_in_time_and_with_one_at_once() -> None:
    hints = StaleHints()
    hints.wait(0.01)
    hints.note(["a"])
    begin = monotonic()
    hints.wait(20)
    assert monotonic() - begin < 10
