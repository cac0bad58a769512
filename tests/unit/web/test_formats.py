"""Numbers, times, sizes and names as a reader sees them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from treegarth.web.formats import Formats, PersonName, scaled

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


def test_how_long_something_has_been_so_has_no_direction() -> None:
    now = EVENING + timedelta(seconds=9)
    assert (ENGLISH.lasted(EVENING, now), KOREAN.lasted(EVENING, now)) == ("9 seconds", "9초")
    assert ENGLISH.lasted(now, EVENING) == "1 second"  # of two clocks: not before it began
    assert ENGLISH.lasted(None, now) == "–"


@pytest.mark.parametrize(
    ("value", "english", "korean"),
    [
        (None, "–", "–"),
        ("", "–", "–"),
        ("048Y", "48 years", "48세"),
        ("001Y", "1 year", "1세"),
        ("000Y", "0 years", "0세"),
        ("018M", "18 months", "18개월"),
        ("003W", "3 weeks", "3주"),
        ("005D ", "5 days", "5일"),
        ("48", "48", "48"),  # no age by PS3.5 6.2
        ("048y", "048y", "048y"),
    ],
)
def test_an_age_is_written_as_a_person_reads_it(value: str | None, english: str, korean: str) -> None:
    assert (ENGLISH.age(value), KOREAN.age(value)) == (english, korean)


def test_every_page_writes_ages_so() -> None:
    templates = Path(__file__).resolve().parents[3] / "web" / "templates"
    ages = [age for page in templates.rglob("*.html") for age in re.findall(r"patient_age\S*", page.read_text("utf-8"))]
    assert set(ages) == {"patient_age|age"}


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


LARGE_AND_SMALL = [
    (3.4028235e38, "3.402824×10³⁸", "3.40×10³⁸", "3.4028235×10³⁸"),
    (9.99e28, "9.99×10²⁸", "9.99×10²⁸", "9.99×10²⁸"),
    (1e308, "1×10³⁰⁸", "1.00×10³⁰⁸", "1×10³⁰⁸"),
    (-1e30, "-1×10³⁰", "-1.00×10³⁰", "-1×10³⁰"),
    (9.996e20, "9.996×10²⁰", "1.00×10²¹", "9.996×10²⁰"),
    (123456789, "123,456,789", "123,456,789", "123456789"),
    (1e15, "1×10¹⁵", "1.00×10¹⁵", "1×10¹⁵"),
    (123456789012345.0, "123,456,789,012,345", "1.23×10¹⁴", "123456789012345"),
    (0.0000012345, "0.000001", "0.00000123", "0.0000012345"),
    (1.2345e-7, "1.2345×10⁻⁷", "1.23×10⁻⁷", "1.2345×10⁻⁷"),
    (5e-324, "5×10⁻³²⁴", "5.00×10⁻³²⁴", "5×10⁻³²⁴"),
    (-0.0, "0", "0", "0"),
    (9.996, "9.996", "10.0", "9.996"),
    (float("inf"), "∞", "∞", "∞"),
    (float("-inf"), "-∞", "-∞", "-∞"),
    (float("nan"), "–", "–", "–"),
    (10**400, "1×10⁴⁰⁰", "1.00×10⁴⁰⁰", "1×10⁴⁰⁰"),
]


@pytest.mark.parametrize(("value", "number", "significant", "all_digits"), LARGE_AND_SMALL)
def test_what_is_very_large_or_small_has_scientific_form(
    value: float, number: str, significant: str, all_digits: str
) -> None:
    for formats in (ENGLISH, KOREAN):
        assert formats.number(value) == number
        assert formats.significant(value) == significant
        assert formats.all_digits(value) == all_digits


def test_scientific_form_has_the_readers_decimal_sign() -> None:
    assert Formats(locale=Locale.parse("de"), zone=SEOUL).significant(3.4028235e38) == "3,40×10³⁸"


def test_a_number_of_fixed_digits_is_0_where_they_end_before_it_begins() -> None:
    assert ENGLISH.number(1e-9, 2) == "0.00"
    assert ENGLISH.number(-1e-9, 2) == "0.00"


def test_another_unit_is_exact_and_cannot_be_too_large() -> None:
    assert ENGLISH.all_digits(scaled(0.0000823, 1e4)) == "0.823"  # as a float 0.8230000000000001
    assert ENGLISH.significant(scaled(1e308, 1e4)) == "1.00×10³¹²"
    assert ENGLISH.significant(scaled(5e-324, 1e-3)) == "5.00×10⁻³²⁷"
    assert ENGLISH.significant(scaled(None, 1e4)) == "–"


@pytest.mark.parametrize("value", [3.4028235e38, 1e30, 10**400, float("inf"), 1e-9])
def test_any_size_has_a_unit(value: float) -> None:
    assert ENGLISH.size(value).endswith("B")


NUMBERS = st.one_of(st.none(), st.floats(), st.integers(), st.integers().map(lambda n: n * 10**4400), st.decimals())
ZONES = st.one_of(
    st.just(UTC), st.timezones(), st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
)
ENDS = [end.replace(tzinfo=UTC) for end in (datetime.min, datetime.max)]  # noqa: DTZ901
MOMENTS = st.one_of(
    st.none(),
    st.datetimes(),
    st.datetimes(timezones=ZONES),
    st.builds(lambda end, zone: end.replace(tzinfo=zone), st.sampled_from(ENDS), ZONES),
)
DAYS = st.one_of(st.none(), st.dates(), MOMENTS)
FILTERS: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "number": (NUMBERS, st.one_of(st.none(), st.integers(0, 20))),
    "significant": (NUMBERS, st.integers(1, 20)),
    "all_digits": (NUMBERS,),
    "size": (NUMBERS,),
    "iso_date": (DAYS,),
    "date_in_words": (DAYS,),
    "clock_time": (st.one_of(st.none(), st.times()),),
    "instant": (MOMENTS,),
    "ago": (MOMENTS, st.datetimes(timezones=ZONES)),
    "lasted": (MOMENTS, st.datetimes(timezones=ZONES)),
    "duration": (st.one_of(st.none(), st.floats()),),
    "age": (st.one_of(st.none(), st.text(max_size=8), st.from_regex(r"\A[0-9]{1,3}[DWMY]\Z")),),
    "person_name": (st.one_of(st.none(), st.text(alphabet=st.characters(), max_size=80)),),
}
"""What each filter of Formats can be given."""


def test_the_property_is_tried_on_every_filter() -> None:
    assert set(FILTERS) == {name for name, value in vars(Formats).items() if callable(value) and name[0] != "_"}


@pytest.mark.parametrize("name", FILTERS)
@given(data=st.data())
def test_no_filter_raises_whatever_it_is_given(name: str, data: st.DataObject) -> None:
    given_values = [data.draw(strategy) for strategy in FILTERS[name]]
    for zone in (SEOUL, ZoneInfo("America/Los_Angeles")):
        for locale in ("en", "ko"):
            assert getattr(Formats(locale=Locale.parse(locale), zone=zone), name)(*given_values)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_all_digits_are_all_and_a_few_are_near(value: float) -> None:
    def read(text: str) -> Decimal:
        figures, _, exponent = text.replace(",", "").partition("×10")
        superscripts = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
        return Decimal(f"{figures}e{exponent.translate(superscripts) or 0}")

    assert float(read(ENGLISH.all_digits(value))) == value
    written = Decimal(repr(value))
    assert abs(read(ENGLISH.significant(value)) - written) <= Decimal("0.0051") * abs(written)


def test_the_ends_of_the_calendar_are_shown_as_they_are() -> None:
    first, last = ENDS
    assert ENGLISH.instant(first) == "0001-01-01 08:27:52 LMT"  # Seoul had a time of its own
    assert ENGLISH.instant(last) == "9999-12-31 23:59:59 UTC"  # in Seoul it would be the year 10000
    assert (ENGLISH.iso_date(first), ENGLISH.iso_date(last)) == ("0001-01-01", "9999-12-31")
