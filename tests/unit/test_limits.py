"""What can be kept is told from what cannot, and moments that PostgreSQL or a zone would refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from treegarth.limits import LARGEST_BIGINT, LONGEST_TEXT, can_be_shown, is_storable, storable

CODE = Path(__file__).resolve().parents[2] / "plugin" / "treegarth"


@pytest.mark.parametrize("value", ["", "é한🩻\ud7ff", 0, -LARGEST_BIGINT, 1e308, None, True, [], {"a": [("b", 1.5)]}])
def test_what_can_be_kept(value: Any) -> None:
    assert is_storable(value)


@pytest.mark.parametrize(
    "value",
    ["\0", "\ud800", LARGEST_BIGINT + 1, float("nan"), float("inf"), ["\0"], {"\udfff": 1}, {"a": [[{"b": "\0"}]]}],
)
def test_what_cannot(value: Any) -> None:
    assert not is_storable(value)


def test_a_document_of_any_depth_is_walked() -> None:
    value: Any = "\0"
    for _ in range(100_000):
        value = [value]
    assert not is_storable(value)


@pytest.mark.parametrize("text", ["a\0b\ud800", "x" * 5000, "한" * 2000, "\udfff" * 2000])
def test_a_text_from_elsewhere_becomes_one_that_can(text: str) -> None:
    assert is_storable(storable(text))
    assert 0 < len(storable(text)) <= LONGEST_TEXT


@pytest.mark.parametrize("hours", [-15, 0, 15])
def test_a_moment_that_can_be_shown_is_one_in_every_zone(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    for moment in (datetime(1, 1, 3, tzinfo=zone), datetime(9999, 12, 29, tzinfo=zone)):
        assert can_be_shown(moment)
        for other in ("Asia/Seoul", "Pacific/Kiritimati", "Pacific/Niue"):
            assert moment.astimezone(UTC).astimezone(ZoneInfo(other))
    for beyond in (datetime(1, 1, 1, tzinfo=zone), datetime(9999, 12, 31, tzinfo=zone)):
        assert not can_be_shown(beyond)
    assert not can_be_shown(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=23))))


def test_no_text_is_made_a_number_because_of_isdigit() -> None:
    """ "²".isdigit() is true, and int("²") fails."""
    assert [path.name for path in CODE.rglob("*.py") if ".isdigit(" in path.read_text(encoding="utf-8")] == []
