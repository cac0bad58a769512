"""Whether two accounts tell of one device, one event, the same numbers. Pure.

A device gives an event UID once, so equal UIDs decide. Elsewhere the device, the instant and the numbers do; what they
leave open is said to be open, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto

from treegarth.features.dose.registry.decision.facts import Device, EventFacts
from treegarth.features.dose.registry.decision.instants import gap

SAME_NUMBER = 0.005
"""Two accounts of one number differ by no more than this part of the larger: devices round."""

SAME_INSTANT_S = 1.0
"""Two structured reports have the device's own clock: they differ by the rounding of a second."""

HEADER_INSTANT_S = 5.0
"""An image's acquisition begins shortly after the exposure that made it."""

INJECTION_S = 60.0
"""An operator types the time of an injection; between sources of one sort it is copied."""

INJECTION_OF_HEADER_S = 15 * 60.0
"""What the scanner asked for and what the injector noted: 8 minutes apart in one public examination."""

CT_ACQUISITION_S = 60.0
"""Images of one CT acquisition tell times within it."""


class Match(Enum):
    """How two accounts relate."""

    SAME = auto()
    DISAGREE = auto()  # one event, other numbers
    DISTINCT = auto()


def close(first: float, second: float) -> bool:
    return abs(first - second) <= SAME_NUMBER * max(abs(first), abs(second))


def totals_differ(total: float | None, of_events: float | None) -> bool:
    """Whether a total as reported and the sum of the events are two numbers: what lists, pages and exports call so."""
    return total is not None and of_events is not None and not close(total, of_events)


def agree(first: Mapping[str, float], second: Mapping[str, float]) -> bool | None:
    """Whether the numbers that both have are the same; None where none but zeros is in common."""
    common = [name for name in first if name in second]
    if not all(close(first[name], second[name]) for name in common):
        return False
    return True if any(first[name] for name in common) else None


def same_device(first: Device, second: Device) -> bool:
    """Whether nothing says that these are two: serial numbers decide, else what both name must be equal."""
    if first.serial and second.serial:
        others = [_differ(first.manufacturer, second.manufacturer), _differ(first.model, second.model)]
        return _plain(first.serial) == _plain(second.serial) and not all(others)
    named = ((first.manufacturer, second.manufacturer), (first.model, second.model), (first.station, second.station))
    return not any(_differ(one, other) for one, other in named)


def devices(named: Iterable[Device]) -> dict[Device, int]:
    """A number for each device, the same where they are one. Those that say most stand for the others."""
    found: dict[Device, int] = {}
    first: list[Device] = []
    for device in sorted(set(named), key=lambda one: (-_told(one), _order(one))):
        number = next((number for number, other in enumerate(first) if same_device(device, other)), None)
        if number is None:
            number = len(first)
            first.append(device)
        found[device] = number
    return found


def marks_differ(first: EventFacts, second: EventFacts, names: Sequence[str] | None = None) -> bool:
    """Whether both say something of the exposure in which they differ: side, view, plane, kVp, exposure."""
    for name in names or first.marks:
        one, other = first.marks.get(name), second.marks.get(name)
        if one is None or other is None:
            continue
        if isinstance(one, str) or isinstance(other, str):
            if str(one) != str(other):
                return True
        elif not close(one, other):
            return True
    return False


def seconds_apart(first: EventFacts, second: EventFacts, *, numbers_agree: bool) -> float | None:
    """How far apart they began; None where one does not tell, or where only a guessed zone would bring them together
    and the numbers do not speak for it."""
    if first.instant is None or second.instant is None:
        return None
    found = gap(first.instant, second.instant)
    return float("inf") if found.is_shifted and not numbers_agree else found.seconds


def same_exposure(first: EventFacts, second: EventFacts, *, within_s: float, of_images: bool = False) -> Match:
    """Of two accounts without a common UID: whether they tell of one irradiation event of one device."""
    names = ("acquisition_plane",) if not of_images else None
    if marks_differ(first, second, names):
        return Match.DISTINCT
    numbers = agree(first.numbers, second.numbers)
    apart = seconds_apart(first, second, numbers_agree=numbers is True)
    if apart is None:
        return Match.DISTINCT
    if numbers is False:
        return Match.DISAGREE if apart <= SAME_INSTANT_S and not (first.uid and second.uid) else Match.DISTINCT
    return Match.SAME if apart <= (within_s if numbers else SAME_INSTANT_S) else Match.DISTINCT


def same_administration(first: EventFacts, second: EventFacts, *, within_s: float) -> Match:
    """Whether two accounts tell of one administration: nuclide, time, activity, whatever the device."""
    if first.nuclide and second.nuclide and first.nuclide != second.nuclide:
        return Match.DISTINCT
    numbers = agree(first.numbers, second.numbers)
    apart = seconds_apart(first, second, numbers_agree=numbers is True)
    if apart is None:
        return Match.DISTINCT if numbers is False else Match.SAME
    if numbers is False:
        return Match.DISAGREE if apart <= INJECTION_S else Match.DISTINCT
    return Match.SAME if apart <= within_s else Match.DISTINCT


def _plain(text: str | None) -> str:
    return "".join((text or "").lower().split())


def _differ(first: str | None, second: str | None) -> bool:
    return bool(first and second) and _plain(first) != _plain(second)


def _told(device: Device) -> int:
    return sum(bool(one) for one in (device.serial, device.model, device.station, device.manufacturer))


def _order(device: Device) -> tuple[str, ...]:
    return tuple(one or "" for one in (device.serial, device.manufacturer, device.model, device.station))
