"""Numbers, times, sizes and names as a reader sees them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from treegarth.web.formats import Formats, PersonName

SEOUL = ZoneInfo("Asia/Seoul")
ENGLISH = Formats(locale=Locale.parse("en"), zone=SEOUL)
KOREAN = Formats(locale=Locale.parse("ko"), zone=SEOUL)
EVENING = datetime(2026, 11, 20, 15, 5, 9, tzinfo=UTC)  # already the 21st in Seoul


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0, "0"), (1234.5, "1,234.5"), (8.237, "8.237"), (-3, "-3"), (1234567, "1,234,567")],
)
def test_numbers_have_separators_and_absent_is_a_dash(value: float | None, shown: str) -> None:
    assert ENGLISH.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0, "0"),
        (8.237, "8.24"),
        (8.2, "8.20"),
        (270.6, "271"),
        (1234.5, "1,234"),
        (0.0002345, "0.000234"),
        (-8.237, "-8.24"),
    ],
)
def test_doses_have_three_significant_figures(value: float | None, shown: str) -> None:
    assert ENGLISH.significant(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0, "0 B"), (999, "999 B"), (1500000, "1.5 MB"), (52_000_000_000, "52 GB"), (3e15, "3,000 TB")],
)
def test_sizes_have_decimal_units(value: float | None, shown: str) -> None:
    assert ENGLISH.size(value) == shown


def test_times_are_of_the_sites_zone() -> None:
    assert ENGLISH.iso_date(EVENING) == "2026-11-21"
    assert ENGLISH.iso_date(date(2026, 11, 20)) == "2026-11-20"
    assert ENGLISH.instant(EVENING) == "2026-11-21 00:05:09 KST"
    assert ENGLISH.clock_time(time(14, 5, 9, 120000)) == "14:05:09"
    assert ENGLISH.iso_date(None) == ENGLISH.instant(None) == ENGLISH.clock_time(None) == "–"


def test_words_are_of_the_readers_language() -> None:
    assert ENGLISH.date_in_words(date(2026, 11, 20)) == "Friday, November 20, 2026"
    assert KOREAN.date_in_words(date(2026, 11, 20)) == "2026년 11월 20일 금요일"
    assert ENGLISH.ago(EVENING - timedelta(minutes=3), EVENING) == "3 minutes ago"
    assert KOREAN.ago(EVENING - timedelta(minutes=3), EVENING) == "3분 전"


@pytest.mark.parametrize(
    ("value", "first", "beneath"),
    [
        ("Hong^Gildong=洪^吉洞=홍^길동", "홍길동 (洪吉洞)", "Hong, Gildong"),
        ("Kim^Minsu==김^민수", "김민수", "Kim, Minsu"),
        ("Hong^Gildong=홍^길동", "홍길동", "Hong, Gildong"),
        ("홍^길동", "홍길동", None),
        ("洪^吉洞", "洪吉洞", None),
        ("Doe^Jane^M^Dr^PhD", "Dr Doe, Jane M PhD", None),
        ("Doe", "Doe", None),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "山田太郎", "Yamada, Tarou"),
        ("", "–", None),
        (None, "–", None),
        ("^^^^", "–", None),
        ("=^", "–", None),
    ],
)
def test_a_name_shows_its_own_script_first_and_the_roman_beneath(
    value: str | None, first: str, beneath: str | None
) -> None:
    assert ENGLISH.person_name(value) == PersonName(first=first, beneath=beneath)


@given(st.text(max_size=80))
def test_any_text_can_be_shown_as_a_name(value: str) -> None:
    assert ENGLISH.person_name(value).first


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_any_number_can_be_shown(value: float) -> None:
    assert ENGLISH.number(value)
    assert ENGLISH.significant(value)
    assert ENGLISH.size(value)
