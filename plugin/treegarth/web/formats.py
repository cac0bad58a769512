"""How numbers, times, sizes and names are written on a page, by the reader's locale and the site's zone. Pure.

No filter raises, whatever the number or the moment: one odd value must not cost a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from functools import cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_timedelta
from babel.numbers import NumberPattern, parse_pattern
from babel.units import format_unit

ABSENT = "–"
INFINITE = "∞"
PLAIN = range(-6, 15)
"""Powers of ten that are written with all their zeros; what is larger or smaller is written as 3.40×10³⁸."""
PLAIN_IN_TABLES = range(-6, 9)
"""The same where a few figures are told: whole digits behind them say nothing, and need room."""
AGE = re.compile(r"([0-9]{1,3})([DWMY])")
AGE_UNITS = {"D": "day", "W": "week", "M": "month", "Y": "year"}
MOST_DIGITS = 6
"""After the point, where no number of digits is asked for."""
SIZES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"), (1, "B"))
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
HANGUL = ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7FF))
WRITTEN_TOGETHER = (*HANGUL, (0x2E80, 0x9FFF), (0xF900, 0xFAFF))  # Korean, Chinese and Japanese

LONGEST_S = 1e10
"""Of a duration that is told: three hundred years."""

Number: TypeAlias = float | Decimal


@dataclass(frozen=True, kw_only=True)
class PersonName:
    """A person name as shown: as its bearer writes it first, romanised beneath."""

    first: str
    beneath: str | None = None


@dataclass(frozen=True, kw_only=True)
class Formats:
    """The filters of one language. Absent, and what is no number, is shown as a dash, never as 0."""

    locale: Locale
    zone: ZoneInfo

    def number(self, value: Number | None, digits: int | None = None) -> str:
        """With the locale's separators; `digits` after the point, or as many as there are (up to 6)."""
        exact, fraction = _exact(value), "#" * MOST_DIGITS if digits is None else "0" * digits
        is_nothing = digits is not None and exact.is_finite() and exact.adjusted() < 0  # of what is asked for
        return self._plain(exact, fraction) if _is_plain(exact) or is_nothing else self._unusual(exact, fraction)

    def significant(self, value: Number | None, digits: int = 3) -> str:
        """With so many significant figures, for doses in tables: 8.237 → 8.24; whole digits stay: 1234.5 → 1,234."""
        exact = _exact(value)
        if not _is_plain(exact, PLAIN_IN_TABLES):
            return self._unusual(exact, "0" * (digits - 1))
        return self._plain(exact, "0" * max(0, digits - 1 - _rounded(exact, digits).adjusted()) if exact else "")

    def all_digits(self, value: Number | None) -> str:
        """Nothing rounded, nothing between the digits: to be read on hovering, and copied."""
        exact = _exact(value).normalize(ANY_SIZE)
        if exact.is_finite() and not _is_plain(exact):
            return _in_powers_of_ten(exact, lambda figures: f"{figures:f}")
        return f"{exact + 0:f}" if exact.is_finite() else self._unusual(exact, "")

    def size(self, value: Number | None) -> str:
        """Of bytes, in decimal units as disks have them: 1 500 000 → 1.5 MB."""
        exact = _exact(value)
        if exact.is_nan():
            return ABSENT
        for unit in ("B", "kB", "MB", "GB", "TB"):
            if abs(exact) < 1000 or unit == "TB":
                shown = self._plain(exact, "" if unit == "B" else "#") if _is_plain(exact) else self.significant(exact)
                return f"{shown} {unit}"
            exact = exact.scaleb(-3, ANY_SIZE)
        raise AssertionError("unreachable")

    def iso_date(self, value: date | datetime | None) -> str:
        """ISO form; of an instant, the day in the site's zone."""
        return ABSENT if value is None else self._day(value).isoformat()

    def date_in_words(self, value: date | datetime | None) -> str:
        """Friday, November 20, 2026."""
        return ABSENT if value is None else str(format_date(self._day(value), format="full", locale=self.locale))

    def clock_time(self, value: time | None) -> str:
        """Of a DICOM time, which has no zone: 14:05:09."""
        return ABSENT if value is None else value.strftime("%H:%M:%S")

    def instant(self, value: datetime | None) -> str:
        """A moment with its zone: 2026-11-20 14:05:09 KST."""
        if value is None:
            return ABSENT
        here = self._here(value)
        return f"{here.replace(tzinfo=None).isoformat(sep=' ', timespec='seconds')} {here.tzname()}"

    def duration(self, seconds: float | None) -> str:
        """How long something takes, about: 3 minutes."""
        if seconds is None or not 0 <= seconds < LONGEST_S:
            return ABSENT
        return str(format_timedelta(max(seconds, 1.0), locale=self.locale))

    def ago(self, value: datetime | None, now: datetime) -> str:
        """A moment relative to now: 3 minutes ago. Show `instant` on hover."""
        if value is None:
            return ABSENT
        return str(format_timedelta(self._here(value) - now, locale=self.locale, add_direction=True))

    def lasted(self, value: datetime | None, now: datetime) -> str:
        """How long something has been so: 3 minutes."""
        return ABSENT if value is None else self.duration(max(0.0, (now - self._here(value)).total_seconds()))

    def _day(self, value: date | datetime) -> date:
        return self._here(value).date() if isinstance(value, datetime) else value

    def _here(self, value: datetime) -> datetime:
        """In the site's zone; as it is in the first and the last hours of the calendar, which other zones have not."""
        if value.tzinfo is None:
            return value.replace(tzinfo=self.zone)
        try:
            return value.astimezone(self.zone)
        except OverflowError:
            return value

    def _plain(self, exact: Decimal, fraction: str) -> str:
        """`fraction` is what a pattern has behind the point: `00` always two digits, `##` up to two."""
        rounded = exact.quantize(Decimal((0, (1,), -len(fraction))), context=ANY_SIZE)
        return self._by_pattern(rounded, f"#,##0.{fraction}".rstrip("."))

    def _unusual(self, exact: Decimal, fraction: str) -> str:
        """What has no plain form: 3.40×10³⁸, ∞."""
        if exact.is_nan():
            return ABSENT
        if exact.is_infinite():
            return f"-{INFINITE}" if exact < 0 else INFINITE
        pattern = f"0.{fraction}".rstrip(".")
        return _in_powers_of_ten(_rounded(exact, len(fraction) + 1), lambda figures: self._by_pattern(figures, pattern))

    def _by_pattern(self, exact: Decimal, pattern: str) -> str:
        with localcontext(ANY_SIZE):
            return str(_parsed(pattern).apply(exact or Decimal(0), self.locale))

    def age(self, value: str | None) -> str:
        """A DICOM age (AS of PS3.5 6.2): 048Y is 48 years. What is none stays as it is written."""
        found = AGE.fullmatch(value.strip()) if value else None
        if found is None:
            return value or ABSENT
        number = int(found[1])
        if found[2] == "Y" and self.locale.language == "ko":  # CLDR knows only how long something took: 48년
            return f"{number}세"
        return str(format_unit(number, f"duration-{AGE_UNITS[found[2]]}", locale=self.locale))

    def person_name(self, value: str | None) -> PersonName:
        """A DICOM person name for reading: the same in every language."""
        return readable_person(value)


@cache
def _parsed(pattern: str) -> NumberPattern:
    """A page may have thousands of numbers and has a handful of patterns: to read one takes longer than to fill it."""
    return parse_pattern(pattern)


def readable_person(value: str | None) -> PersonName:
    """A DICOM person name (PS3.5 6.2.1.1) for reading: groups are divided by =, components by ^.

    Korean stands first in whichever group it is, with the Chinese characters in brackets; otherwise the
    ideographic group does.
    """
    groups = [_components(group) for group in (value or "").split("=")]
    alphabetic, ideographic, phonetic = [*groups, "", "", ""][:3]
    first = ideographic or alphabetic or phonetic
    if _has(phonetic, HANGUL) and not _has(first, HANGUL):
        first = f"{phonetic} ({ideographic})" if ideographic else phonetic
    if not first:
        return PersonName(first=ABSENT)
    return PersonName(first=first, beneath=alphabetic if alphabetic and first != alphabetic else None)


def unit_of_sizes(largest_bytes: int) -> tuple[int, str]:
    """The unit in which the largest of some sizes has at least one digit before the point."""
    return next((unit for unit in SIZES if largest_bytes >= unit[0]), SIZES[-1])


def readable_name(value: str | None) -> str | None:
    """A person name in one line, for a cell of a file; None where there is none."""
    return readable_person(value).first if value else None


def scaled(value: Number | None, factor: float) -> Decimal:
    """A value in another unit: exactly, so that it cannot grow beyond every number, nor get digits that it has not."""
    with localcontext(ANY_SIZE):
        return _exact(value) * _exact(factor)


ANY_SIZE = Context(prec=1000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


def _exact(value: Number | None) -> Decimal:
    """Of a float, the shortest digits that mean it; NaN where there is none."""
    if value is None:
        return Decimal("NaN")
    return Decimal(float.__repr__(value)) if isinstance(value, float) else Decimal(value)


def _is_plain(exact: Decimal, powers: range = PLAIN) -> bool:
    return exact.is_finite() and (not exact or exact.adjusted() in powers)


def _rounded(exact: Decimal, figures: int) -> Decimal:
    return Context(prec=figures, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[]).plus(exact)


def _in_powers_of_ten(exact: Decimal, written: Callable[[Decimal], str]) -> str:
    """3.40×10³⁸: in superscripts, which people read at once and screen readers speak."""
    sign, digits, _ = exact.as_tuple()
    figures = Decimal((sign, digits, 1 - len(digits)))
    return f"{written(figures)}×10{str(exact.adjusted()).translate(SUPERSCRIPTS)}"


def _components(group: str) -> str:
    """family^given^middle^prefix^suffix in the order of reading; East Asian names without spaces."""
    family, given, middle, prefix, suffix = ([part.strip() for part in group.split("^")] + [""] * 5)[:5]
    if _has(group, WRITTEN_TOGETHER):
        return "".join(part for part in (family, given, middle) if part)
    named = ", ".join(part for part in (family, " ".join(p for p in (given, middle) if p)) if part)
    return " ".join(part for part in (prefix, named, suffix) if part)


def _has(text: str, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(low <= ord(letter) <= high for letter in text for low, high in ranges)
