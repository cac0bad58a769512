"""What the page of today counts: groups of modalities, and days with and without arrivals."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from treegarth.features.archive.pages.today import DAYS_SHOWN, days_of, first_moment, group_of
from treegarth.features.archive.store.overview import DayArrivals

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("modalities", "group"),
    [
        (("CT", "PT", "SR"), "PT"),
        (("CT", "NM"), "PT"),
        (("CT", "SR"), "CT"),
        (("RF", "SR"), "XA"),
        (("CR",), "DX"),
        (("SR",), "OT"),
        ((), "OT"),
    ],
)
def test_a_study_counts_once_for_the_modality_that_says_most(modalities: tuple[str, ...], group: str) -> None:
    assert group_of(modalities) == group


def test_each_of_the_days_is_there_the_latest_first_and_empty_ones_too() -> None:
    arrived = [
        DayArrivals(day=TODAY, modalities=("CT",), study_count=2, instance_count=9),
        DayArrivals(day=TODAY, modalities=("CT", "SR"), study_count=3, instance_count=9),
        DayArrivals(day=date(2026, 11, 19), modalities=("MR",), study_count=1, instance_count=1),
    ]
    days = days_of(arrived, TODAY)
    assert len(days) == DAYS_SHOWN
    assert [(day.day.day, day.total) for day in days[:3]] == [(21, 5), (20, 0), (19, 1)]
    assert days[0].studies == {"CT": 5}


def test_the_days_begin_at_midnight_of_the_site() -> None:
    now = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)  # already the 21st in Seoul
    first = first_moment(now, ZoneInfo("Asia/Seoul"))
    assert first.isoformat() == "2026-10-23T00:00:00+09:00"
