"""Which stored instances can be sources of dose. Pure: the index's facts in, yes or no out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

SR_SOURCES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.88.22",  # Enhanced SR: GE CT, ARCADIS
        "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
        "1.2.840.10008.5.1.4.1.1.88.34",  # Comprehensive 3D SR
        "1.2.840.10008.5.1.4.1.1.88.67",  # X-Ray Radiation Dose SR
        "1.2.840.10008.5.1.4.1.1.88.68",  # Radiopharmaceutical Radiation Dose SR
        "1.2.840.10008.5.1.4.1.1.88.73",  # Patient Radiation Dose SR
        "1.2.840.10008.5.1.4.1.1.88.76",  # Enhanced X-Ray Radiation Dose SR
    }
)
"""SR storage classes (PS3.6 A) in which dose reports are met; whether one is, the reader decides by its content."""


class IndexedInstance(Protocol):
    """What the dose feature needs to know of an instance that has just been indexed."""

    @property
    def orthanc_instance_id(self) -> str: ...
    @property
    def orthanc_series_id(self) -> str: ...
    @property
    def orthanc_study_id(self) -> str: ...
    @property
    def sop_instance_uid(self) -> str: ...
    @property
    def sop_class_uid(self) -> str | None: ...
    @property
    def study_instance_uid(self) -> str: ...
    @property
    def modality(self) -> str | None: ...
    @property
    def image_type(self) -> Sequence[str] | None: ...
    @property
    def number_of_frames(self) -> int | None: ...


def is_candidate(instance: IndexedInstance) -> bool:
    """Whether the object is to be read by the dose reader."""
    return instance.sop_class_uid in SR_SOURCES
