"""How numbers, times, sizes and names are written on a page, by the reader's locale and the site's zone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from math import floor, log10
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal

ABSENT = "–"
HANGUL = ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7FF))
WRITTEN_TOGETHER = (*HANGUL, (0x2E80, 0x9FFF), (0xF900, 0xFAFF))  # Korean, Chinese and Japanese


@dataclass(frozen=True, kw_only=True)
class PersonName:
    """A person name as shown: as its bearer writes it first, romanised beneath."""

    first: str
    beneath: str | None = None


@dataclass(frozen=True, kw_only=True)
class Formats:
    """The filters of one language. Absent is shown as a dash, never as 0."""

    locale: Locale
    zone: ZoneInfo

    def number(self, value: float | None, digits: int | None = None) -> str:
        """With the locale's separators; `digits` after the point, or as many as there are (up to 6)."""
        if value is None:
            return ABSENT
        pattern = "#,##0.######" if digits is None else ("#,##0." + "0" * digits).rstrip(".")
        return str(format_decimal(value, format=pattern, locale=self.locale))

    def significant(self, value: float | None, digits: int = 3) -> str:
        """With so many significant figures, for doses in tables: 8.237 → 8.24; whole digits stay: 1234.5 → 1,235."""
        if value is None:
            return ABSENT
        if value == 0:
            return self.number(0)
        return self.number(value, max(0, digits - 1 - floor(log10(abs(value)))))

    def size(self, value: float | None) -> str:
        """Of bytes, in decimal units as disks have them: 1 500 000 → 1.5 MB."""
        if value is None:
            return ABSENT
        for unit in ("B", "kB", "MB", "GB", "TB"):
            if abs(value) < 1000 or unit == "TB":
                return f"{self.number(round(value, 1) if unit != 'B' else value)} {unit}"
            value /= 1000
        raise AssertionError("unreachable")

    def iso_date(self, value: date | datetime | None) -> str:
        """ISO form; of an instant, the day in the site's zone."""
        if isinstance(value, datetime):
            value = value.astimezone(self.zone).date()
        return ABSENT if value is None else value.isoformat()

    def date_in_words(self, value: date | datetime | None) -> str:
        """Friday, November 20, 2026."""
        if isinstance(value, datetime):
            value = value.astimezone(self.zone).date()
        return ABSENT if value is None else str(format_date(value, format="full", locale=self.locale))

    def clock_time(self, value: time | None) -> str:
        """Of a DICOM time, which has no zone: 14:05:09."""
        return ABSENT if value is None else value.strftime("%H:%M:%S")

    def instant(self, value: datetime | None) -> str:
        """A moment with its zone: 2026-11-20 14:05:09 KST."""
        return ABSENT if value is None else value.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S %Z")

    def ago(self, value: datetime | None, now: datetime) -> str:
        """A moment relative to now: 3 minutes ago. Show `instant` on hover."""
        if value is None:
            return ABSENT
        return str(format_timedelta(value - now, locale=self.locale, add_direction=True))

    def person_name(self, value: str | None) -> PersonName:
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


def _components(group: str) -> str:
    """family^given^middle^prefix^suffix in the order of reading; East Asian names without spaces."""
    family, given, middle, prefix, suffix = ([part.strip() for part in group.split("^")] + [""] * 5)[:5]
    if _has(group, WRITTEN_TOGETHER):
        return "".join(part for part in (family, given, middle) if part)
    named = ", ".join(part for part in (family, " ".join(p for p in (given, middle) if p)) if part)
    return " ".join(part for part in (prefix, named, suffix) if part)


def _has(text: str, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(low <= ord(letter) <= high for letter in text for low, high in ranges)
