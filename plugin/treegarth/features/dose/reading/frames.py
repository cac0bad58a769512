"""The frames of a multi-frame object, each as the header of an image of its own, and which of them are one event. Pure.

An enhanced object says of each frame what an older image says in its header, in functional groups that all frames share
or that each has (PS3.3 C.7.6.16); a legacy converted one keeps there what had no place elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from treegarth.features.dose.reading.header import Header

FUNCTIONAL_GROUPS = (
    "FrameContentSequence",
    "FrameAnatomySequence",
    "IrradiationEventIdentificationSequence",
    "CTAcquisitionTypeSequence",
    "CTAcquisitionDetailsSequence",
    "CTTableDynamicsSequence",
    "CTExposureSequence",
    "CTXRayDetailsSequence",
    "CTAdditionalXRaySourceSequence",
    "FrameAcquisitionSequence",
    "XRayFilterSequence",
    "XRayGeometrySequence",
    "PositionerPositionSequence",
    "XRayAcquisitionDoseSequence",
    "UnassignedSharedConvertedAttributesSequence",
    "UnassignedPerFrameConvertedAttributesSequence",
)
"""Functional groups with something of an exposure in them: PS3.3 C.7.6.16.2 (all), C.8.15.3 (CT), C.8.19.6 (XA and XRF,
breast projections). A group has one item, or one for each X-ray path."""

PER_PATH = ("CTExposureSequence", "CTXRayDetailsSequence", "CTAdditionalXRaySourceSequence")
"""Groups with an item for each X-ray path; the last has the further sources, whose words are not the frame's."""

_PER_PATH_TAGS = tuple(int(tag_for_keyword(keyword) or 0) for keyword in PER_PATH)

Elements = Mapping[int, Any]
"""Elements by their tags, as pydicom holds them."""


def frames_of(header: Header) -> list[Header]:
    """What the functional groups say of each frame; of an object without any, nothing, once. Every frame has its own
    list of issues: what all of them share is told by `note_issues` once."""
    shared: dict[int, Any] = {}
    for item in header.items("SharedFunctionalGroupsSequence")[:1]:
        shared |= _of_groups(item)
    frames = header.items("PerFrameFunctionalGroupsSequence")
    return [_header(shared | _of_groups(frame), frame) for frame in frames] or [_header(shared, header)]


def over(upper: Header, lower: Header) -> Header:
    """Both as one header: the upper one's words count where it has any."""
    told = {tag: element for tag, element in _elements(upper.dataset).items() if not _is_empty(element.value)}
    return Header(
        Dataset(_elements(lower.dataset) | told),
        upper.issues,
        path=upper.path or lower.path,
        charset=upper.charset or lower.charset,
    )


def without(header: Header, keywords: Iterable[str]) -> Header:
    """The header but for these attributes."""
    left_out = {tag_for_keyword(keyword) for keyword in keywords}
    kept = {tag: element for tag, element in _elements(header.dataset).items() if tag not in left_out}
    return Header(Dataset(kept), header.issues, path=header.path, charset=header.charset)


def by_event(frames: Sequence[Header]) -> list[list[Header]]:
    """The frames of each irradiation event, told by its UID, else by the number of the acquisition."""
    events: dict[str | float | None, list[Header]] = {}
    for frame in frames:
        uid = frame.uid("IrradiationEventUID")
        events.setdefault(uid or acquisition_number(frame), []).append(frame)
    return list(events.values())


def acquisition_number(frame: Header) -> float | None:
    number = frame.quantity("FrameAcquisitionNumber")
    return number if number is not None else frame.number("AcquisitionNumber")


def note_issues(header: Header, frames: Sequence[Header]) -> None:
    """Tell the header what could not be read of the frames; the same of many frames once, with the first of them."""
    told: set[tuple[str, str]] = set()
    for issue in (issue for frame in frames for issue in frame.issues):
        key = (issue.path.rpartition("/")[2], issue.reason)
        if key not in told:
            told.add(key)
            header.issues.append(issue)


def _header(elements: Elements, of: Header) -> Header:
    return Header(Dataset(dict(elements)), [], path=of.path, charset=of.charset)


def _of_groups(item: Header) -> dict[int, Any]:
    """What the first item of each group says, and whole the groups of which every item counts."""
    found: dict[int, Any] = {}
    for keyword in FUNCTIONAL_GROUPS:
        groups = item.items(keyword)
        if groups and keyword != "CTAdditionalXRaySourceSequence":
            found |= _elements(groups[0].dataset)
    return found | {tag: item.dataset.get_item(tag) for tag in _PER_PATH_TAGS if tag in item.dataset}


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, Sequence) and not value)


def _elements(dataset: Dataset) -> dict[int, Any]:
    """As they are, raw bytes unread."""
    return {tag: dataset.get_item(tag) for tag in dataset.keys()}  # noqa: SIM118 (a data set is no dict)
