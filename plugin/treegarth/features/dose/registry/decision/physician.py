"""Who performed an exam, of what its objects say. Pure. A name is personal data: it stands in no log.

The header's Performing Physician's Name (0008,1050) goes before the persons of the report: it is the physician's. Where
no header has it, it is who administered the irradiation (TID 10003, Person Participant with the role 113851), if the
events that count name one person alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

LONGEST_NAME = 200
"""Characters: three groups of 64 with their signs (PS3.5 6.2, VR PN)."""

ADMINISTERING = "Irradiation Administering"
"""DCM 113851, PS3.16 CID 7445: as the reader has the code, whatever meaning the device wrote."""

_EMPTY_ENDS = re.compile(r"[\^\s]+(?==|$)")


def performing_physician(by_headers: Iterable[str | None], by_events: Iterable[str | None]) -> str | None:
    """The physician of an exam: the first name of these headers that is one, else who administered every event that
    says who did."""
    named = next((name for one in by_headers if (name := first_name(one))), None)
    if named is not None:
        return named
    told = {name for one in by_events if (name := first_name(one))}
    return told.pop() if len(told) == 1 else None


def first_name(text: str | None) -> str | None:
    """The first person of a text with several, without the signs of empty components at the ends of its groups: two
    devices that write one name with and without them mean one person."""
    first = (text or "").split("\\")[0].strip()[:LONGEST_NAME]
    return _EMPTY_ENDS.sub("", first).strip().rstrip("=") or None


def administering(values: Mapping[str, Any]) -> str | None:
    """Who administered the irradiation of an event, as `persons` says; None where it names nobody, or several."""
    persons = values.get("persons")
    named = {
        name
        for one in (persons if isinstance(persons, list) else [])
        if isinstance(one, Mapping)
        and one.get("role_in_procedure") == ADMINISTERING
        and isinstance(name := one.get("name"), str)
    }
    return named.pop() if len(named) == 1 else None
