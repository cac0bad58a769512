"""What repeats is one row with its count."""

from __future__ import annotations

from datetime import timedelta

from tests.audit_events import NOON, viewed
from treegarth.audit.bundles import Bundles
from treegarth.audit.model import Event, EventOutcome, What


def at(second: float, **given: object) -> Event:
    return viewed(1, at=NOON + timedelta(seconds=second), may_join=True, **given)


def test_the_first_is_written_at_once_and_those_that_follow_as_one() -> None:
    bundles = Bundles()

    assert [one.count for one in bundles.take(at(0))] == [1]
    assert bundles.take(at(5)) == bundles.take(at(50)) == []
    assert bundles.due(NOON + timedelta(seconds=100)) == []
    (joined,) = bundles.due(NOON + timedelta(seconds=111))

    assert (joined.count, joined.at, joined.until) == (2, at(5).at, at(50).at)
    assert bundles.due(NOON + timedelta(hours=2)) == bundles.rest() == []


def test_what_comes_once_is_not_told_twice() -> None:
    bundles = Bundles()
    bundles.take(at(0))

    assert bundles.due(NOON + timedelta(minutes=2)) == []


def test_a_page_that_asks_again_all_day_is_a_row_an_hour() -> None:
    bundles = Bundles()
    rows = [row for second in range(0, 7200, 10) for row in bundles.take(at(second))]

    assert [one.count for one in (*rows, *bundles.rest())] == [1, 359, 1, 359]


def test_what_is_refused_is_told_each_minute_however_it_goes_on() -> None:
    bundles = Bundles()
    rows = [
        row
        for second in range(180)
        for row in bundles.take(at(second, outcome=EventOutcome.REFUSED, path=f"/{second}"))
    ]

    assert [one.count for one in (*rows, *bundles.rest())] == [1, 59, 1, 59, 1, 59]


def test_another_query_another_session_and_a_change_are_rows_of_their_own() -> None:
    bundles = Bundles()
    for event in (at(0), at(1, query="text=x"), at(2, session_id=5), at(3, actor="ben"), at(4, path="/other")):
        assert bundles.take(event) == [event]
    change = viewed(1, what=What.CHANGE)
    assert bundles.take(change) == bundles.take(change) == [change]


def test_images_of_a_study_are_one_row_whatever_their_addresses() -> None:
    bundles = Bundles()
    bundles.take(at(0, what=What.IMAGES, path="/frames/1"))

    assert bundles.take(at(1, what=What.IMAGES, path="/frames/2")) == []
    assert len(bundles.take(at(2, what=What.IMAGES, path="/frames/1", studies=("1.9",)))) == 1


def test_memory_is_bounded_and_what_is_let_go_is_told() -> None:
    bundles = Bundles(most_open=2)
    bundles.take(at(0, path="/1"))
    bundles.take(at(1, path="/1"))
    bundles.take(at(2, path="/2"))

    assert [one.path for one in bundles.take(at(3, path="/3"))] == ["/1", "/3"]
