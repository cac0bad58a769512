"""Choose which objects of a study go to a destination. Pure: the index's facts in, the chosen objects out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

DOSE_REPORTS = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.88.67",  # X-Ray Radiation Dose SR
        "1.2.840.10008.5.1.4.1.1.88.68",  # Radiopharmaceutical Radiation Dose SR
        "1.2.840.10008.5.1.4.1.1.88.73",  # Patient Radiation Dose SR
        "1.2.840.10008.5.1.4.1.1.88.76",  # Enhanced X-Ray Radiation Dose SR
    }
)
"""Classes (PS3.6 A) of which every object is about dose. Of others the dose registry says so, once it has read them."""

MAYBE_DOSE = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.88.22",  # Enhanced SR
        "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
        "1.2.840.10008.5.1.4.1.1.88.34",  # Comprehensive 3D SR
        SECONDARY_CAPTURE,  # of CT: a page with the scanner's dose table
    }
)

NO_IMAGES = (
    "1.2.840.10008.5.1.4.1.1.88.",  # structured reports
    "1.2.840.10008.5.1.4.1.1.104.",  # encapsulated documents
    "1.2.840.10008.5.1.4.1.1.11.",  # presentation states
    "1.2.840.10008.5.1.4.1.1.9.",  # waveforms
    "1.2.840.10008.5.1.4.1.1.481.2",  # RT dose, structure sets, plans, records
    "1.2.840.10008.5.1.4.1.1.481.3",
    "1.2.840.10008.5.1.4.1.1.481.4",
    "1.2.840.10008.5.1.4.1.1.481.5",
    "1.2.840.10008.5.1.4.1.1.481.6",
    "1.2.840.10008.5.1.4.1.1.481.7",
    "1.2.840.10008.5.1.4.1.1.481.8",
    "1.2.840.10008.5.1.4.1.1.481.9",
    "1.2.840.10008.5.1.4.1.1.66",  # raw data, registrations, fiducials, segmentations
    "1.2.840.10008.5.1.4.1.1.67",  # real world value mapping
    "1.2.840.10008.5.1.4.1.1.68",  # surface scans
    "1.2.840.10008.5.1.4.34.",  # RT beams delivery
    "1.2.840.10008.5.1.4.38.",  # hanging protocols
    "1.2.840.10008.5.1.4.39.",  # color palettes
)
"""Beginnings of storage classes (PS3.6 A) that hold no picture to look at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """An instance of the index."""

    orthanc_instance_id: str
    orthanc_series_id: str
    orthanc_study_id: str
    study_instance_uid: str
    series_instance_uid: str
    modality: str | None
    sop_instance_uid: str
    sop_class_uid: str | None
    instance_number: int | None
    image_type: tuple[str, ...]
    size_bytes: int


class Selection(StrEnum):
    """Which objects of a study; the value is what a rule's text says."""

    ALL = "all"
    DOSE = "dose objects"
    DOSE_AND_ONE = "dose and one image per series"


def choose(
    candidates: Sequence[Candidate],
    selection: Selection,
    *,
    read_as_dose: Collection[str] = (),
    represented: Mapping[str, str] | None = None,
) -> list[Candidate]:
    """The chosen ones in their order.

    `read_as_dose`: those that the dose registry read dose from; `represented`: by series, the image that was chosen for
    it before and stays.
    """
    if selection is Selection.ALL:
        return list(candidates)
    chosen = {one.orthanc_instance_id for one in candidates if is_dose(one, read_as_dose)}
    if selection is Selection.DOSE_AND_ONE:
        images = [one for one in candidates if one.orthanc_instance_id not in chosen and is_image(one)]
        chosen |= set(representatives(images, represented or {}).values())
    return [one for one in candidates if one.orthanc_instance_id in chosen]


def is_dose(one: Candidate, read_as_dose: Collection[str]) -> bool:
    """Whether the object itself reports dose."""
    if one.sop_class_uid in DOSE_REPORTS:
        return True
    if one.sop_class_uid == SECONDARY_CAPTURE and one.modality != "CT":  # an image whose header tells of dose
        return False
    return one.sop_class_uid in MAYBE_DOSE and one.orthanc_instance_id in read_as_dose


def is_image(one: Candidate) -> bool:
    """Whether the object is of a class of images."""
    return one.sop_class_uid is not None and not one.sop_class_uid.startswith(NO_IMAGES)


def representatives(images: Sequence[Candidate], represented: Mapping[str, str]) -> dict[str, str]:
    """By series, the one image that stands for it. What was chosen before stays, whatever arrived since."""
    chosen = {}

    def series(one: Candidate) -> str:
        return one.orthanc_series_id

    for orthanc_series_id, members in groupby(sorted(images, key=series), key=series):
        before = represented.get(orthanc_series_id)
        chosen[orthanc_series_id] = before or _representative(list(members)).orthanc_instance_id
    return chosen


def _representative(images: Sequence[Candidate]) -> Candidate:
    """The middle by instance number of the original axial ones, or of all where there are none; of PET the first."""
    axial = [one for one in images if _is_original_axial(one)]
    ordered = sorted(axial or images, key=lambda one: (one.instance_number or 0, one.sop_instance_uid))
    return ordered[0] if ordered[0].modality == "PT" else ordered[len(ordered) // 2]


def _is_original_axial(one: Candidate) -> bool:
    """By Image Type (PS3.3 C.8.2.1.1.1): value 1 original, value 3 axial."""
    return one.image_type[:1] == ("ORIGINAL",) and "AXIAL" in one.image_type[2:3]
