"""Read dose from multi-frame X-ray images: Enhanced XA and XRF, breast projections and tomosynthesis, 3D X-ray. Pure.

The object says what holds for all of it (PS3.3 C.8.19.3, C.8.21), its frames or projections what holds for each. Where
all of them are of one irradiation event, the object's words are the event's, and what it leaves out is the sum of its
parts; where they are of several, each event has the sum of its own parts, and a dose of all together is of none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import fsum
from typing import Any, TypeAlias

from treegarth.features.dose.reading.exposure import (
    AREA_DOSE_PRODUCT_GY_M2,
    ENTRANCE_DOSE_MGY,
    EXPOSURE_TIME_MS,
    EXPOSURE_UAS,
    ORGAN_DOSE_MGY,
    Ways,
    first_told,
)
from treegarth.features.dose.reading.frames import by_event, frames_of, note_issues, over, without
from treegarth.features.dose.reading.header import Header
from treegarth.phrases import P_

EventOf: TypeAlias = Callable[[Header], dict[str, Any]]

ADDED: Mapping[str, Ways] = {
    "exposure_time_ms": EXPOSURE_TIME_MS,
    "exposure_uas": EXPOSURE_UAS,
    "entrance_exposure_at_rp_mgy": ENTRANCE_DOSE_MGY,
    "average_glandular_dose_mgy": ORGAN_DOSE_MGY,
    "dose_area_product_gy_m2": AREA_DOSE_PRODUCT_GY_M2,
}
"""What of an event is the sum of its frames or projections."""

ADDED_ATTRIBUTES = tuple(keyword for ways in ADDED.values() for keyword, _ in ways)


def enhanced_events(header: Header, event_of: EventOf) -> list[dict[str, Any]]:
    """The events of the frames of an Enhanced XA, XRF or Breast Projection object."""
    frames = frames_of(header)
    events = _events(header, frames, event_of)
    note_issues(header, frames)
    return events


def acquisition_events(header: Header, event_of: EventOf) -> list[dict[str, Any]]:
    """The events of a volume: of each item of X-Ray 3D Acquisition Sequence, by its projections (PS3.3 C.8.21.3).

    The UID of an event is its projections', else that of the one source event; when it began, the contributing sources
    say. Of what holds for the whole object no dose is an acquisition's, unless there is one.
    """
    acquisitions = header.items("XRay3DAcquisitionSequence")
    contributing = header.items("ContributingSourcesSequence")
    sources = header.items("SourceIrradiationEventSequence")
    whole = over(header, frames_of(header)[0])
    if len(acquisitions) == 1:
        whole = over(whole, contributing[0]) if contributing else whole
        whole = over(whole, sources[0]) if len(sources) == 1 else whole
    elif acquisitions:
        whole = _alone(whole, len(acquisitions))
    found = []
    for acquisition in acquisitions or [whole]:
        found += _events(over(acquisition, whole), acquisition.items("PerProjectionAcquisitionSequence"), event_of)
    return found


def _events(whole: Header, parts: Sequence[Header], event_of: EventOf) -> list[dict[str, Any]]:
    events = by_event(parts)
    if len(events) < 2:
        own = without(parts[0], ADDED_ATTRIBUTES) if parts else None
        event = event_of(over(whole, own) if own is not None else whole)
        return [_sums(parts) | event]
    rest = _alone(whole, len(events))
    return [event_of(over(without(part[0], ADDED_ATTRIBUTES), rest)) | _sums(part) for part in events]


def _alone(whole: Header, count: int) -> Header:
    """What holds for each of several events; a number of all of them is an issue."""
    for keyword in ADDED_ATTRIBUTES:
        if whole.quantity(keyword):
            whole.issue(keyword, P_("the number is of %(count)s irradiation events together", count=count))
    return without(whole, ADDED_ATTRIBUTES)


def _sums(parts: Sequence[Header]) -> dict[str, Any]:
    """Sums over the parts, of what every one of them says."""
    found: dict[str, Any] = {}
    for name, ways in ADDED.items():
        numbers = [first_told(part, ways) for part in parts]
        known = [number for number in numbers if number is not None]
        if known and len(known) == len(numbers):
            found[name] = fsum(known)
    return found
