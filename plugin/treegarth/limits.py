"""How much of what comes from outside is taken: what PostgreSQL's columns can hold, how long, how deep. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

LARGEST_INTEGER = 2**31 - 1
"""Of PostgreSQL's type integer: numbers of rules, policies, destinations, holds."""
LARGEST_BIGINT = 2**63 - 1
"""Of its type bigint: numbers of events, deliveries, entries of the ledger, tasks."""
LONGEST_QUERY = 20_000
"""Of an address, as a form repeats it."""
LONGEST_TEXT = 1_000
"""Characters of a text that something is compared with."""
LONGEST_CURSOR = 4_096
"""Characters; the longest that a list gives has a text of the index, 640 characters of up to four bytes, in base64."""
DEEPEST_NESTING = 64
"""Levels of objects and lists in JSON and YAML. The deepest condition that is read, of 20 levels, takes 40 of them."""


def is_storable(value: object) -> bool:
    """Whether PostgreSQL can hold every text and number of a document: no NUL, no half of a surrogate pair, no number
    beyond bigint or that is not finite. Walks without recursion."""
    rest = [value]
    while rest:
        match rest.pop():
            case str() as text:
                if "\0" in text or _has_half_characters(text):
                    return False
            case float() as number:
                if not math.isfinite(number):
                    return False
            case int() as number:
                if abs(number) > LARGEST_BIGINT:
                    return False
            case Mapping() as found:
                rest.extend(found.keys())
                rest.extend(found.values())
            case list() | tuple() as found:
                rest.extend(found)
    return True


def storable(text: str) -> str:
    """A text from elsewhere as every column, page and address can hold it."""
    return text.encode(errors="replace").decode().replace("\0", "")[:LONGEST_TEXT]


def can_be_shown(moment: datetime) -> bool:
    """Whether PostgreSQL takes the moment, and every zone has it: not in the first and last days of the calendar, no
    offset of 16 hours or more."""
    is_inside = _FIRST <= moment.replace(tzinfo=UTC) <= _LAST
    return is_inside and abs(moment.utcoffset() or timedelta()) < timedelta(hours=16)


_FIRST, _LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)


def _has_half_characters(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
