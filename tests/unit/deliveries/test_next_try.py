"""When what waits is tried next: what its destination allows, whatever its own pause is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.delivery_support import dicom_settings
from treegarth.features.deliveries.destinations import Destination, DestinationSettings
from treegarth.features.deliveries.model import ALTERNATE_AFTER, NEVER
from treegarth.features.deliveries.next_try import not_before
from treegarth.features.deliveries.windows import Window

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday
SOON = NOON + timedelta(minutes=2)


def node(number: int = 1, name: str = "node", **given: object) -> Destination:
    settings = DestinationSettings.model_validate(dicom_settings(name, 104))
    made = Destination(id=number, name=name, kind=settings.kind, address=settings.address)
    return replace(made, **given)  # type: ignore[arg-type]


NIGHT = (Window(begin="22:00", end="06:00"),)


def test_a_destination_that_answers_is_tried_now_and_after_its_pause_else() -> None:
    assert not_before(node(), [], NOON, UTC) == NOON
    assert not_before(node(next_attempt_at=SOON), [], NOON, UTC) == SOON
    assert not_before(node(next_attempt_at=NOON - timedelta(hours=1)), [], NOON, UTC) == NOON


def test_hours_come_after_the_pause() -> None:
    night = NOON.replace(hour=22)
    assert not_before(node(windows=NIGHT), [], NOON, UTC) == night
    late = night + timedelta(minutes=5)
    assert not_before(node(windows=NIGHT, next_attempt_at=late), [], NOON, UTC) == late
    morning = NOON + timedelta(hours=19)
    assert not_before(node(windows=NIGHT, next_attempt_at=morning), [], NOON, UTC) == night + timedelta(days=1)


def test_where_only_a_person_lets_it_go_on_there_is_no_next_try() -> None:
    assert not_before(node(is_on=False), [], NOON, UTC) == NEVER
    assert not_before(node(removed_at=NOON), [], NOON, UTC) == NEVER


def test_the_alternate_of_one_that_is_down_takes_over_where_it_may_be_sent_to() -> None:
    down = node(alternate="other", down_since=NOON - ALTERNATE_AFTER, failures=3, next_attempt_at=SOON)
    other = node(2, "other")
    assert not_before(down, [down, other], NOON, UTC) == NOON
    assert not_before(down, [down], NOON, UTC) == SOON
    assert not_before(replace(down, down_since=NOON), [down, other], NOON, UTC) == SOON
    for hindered in ({"failures": 1}, {"is_on": False}, {"next_attempt_at": SOON}, {"windows": NIGHT}):
        assert not_before(down, [down, replace(other, **hindered)], NOON, UTC) == SOON  # type: ignore[arg-type]
