"""Which stored instances can be sources of dose. Pure: the index's facts in, yes or no out."""

from __future__ import annotations

from typing import Protocol

from treegarth.features.dose.reading.captured_images import X_RAY_MODALITIES
from treegarth.features.dose.registry.rules import Source

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

IMAGE_SOURCES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
        "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray, panoramic too, for presentation
        "1.2.840.10008.5.1.4.1.1.1.1.1",  # for processing
        "1.2.840.10008.5.1.4.1.1.1.2",  # Digital Mammography, for presentation
        "1.2.840.10008.5.1.4.1.1.1.2.1",  # for processing
        "1.2.840.10008.5.1.4.1.1.1.3",  # Digital Intra-Oral X-Ray, for presentation
        "1.2.840.10008.5.1.4.1.1.1.3.1",  # for processing
        "1.2.840.10008.5.1.4.1.1.12.1",  # X-Ray Angiographic: a run is one object
        "1.2.840.10008.5.1.4.1.1.12.1.1",  # Enhanced XA
        "1.2.840.10008.5.1.4.1.1.12.2",  # X-Ray Radiofluoroscopic
        "1.2.840.10008.5.1.4.1.1.12.2.1",  # Enhanced XRF
        "1.2.840.10008.5.1.4.1.1.13.1.1",  # X-Ray 3D Angiographic
        "1.2.840.10008.5.1.4.1.1.13.1.2",  # X-Ray 3D Craniofacial
        "1.2.840.10008.5.1.4.1.1.13.1.3",  # Breast Tomosynthesis
        "1.2.840.10008.5.1.4.1.1.13.1.4",  # Breast Projection X-Ray, for presentation
        "1.2.840.10008.5.1.4.1.1.13.1.5",  # for processing
        "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT: a series is one object
        "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy Converted Enhanced CT
        "1.2.840.10008.5.1.4.1.1.20",  # Nuclear Medicine
        "1.2.840.10008.5.1.4.1.1.128.1",  # Legacy Converted Enhanced PET
        "1.2.840.10008.5.1.4.1.1.130",  # Enhanced PET
    }
)
"""Image classes (PS3.6 A) each of whose headers describes exposures or administrations of its own."""

SAMPLED_SOURCES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.2",  # CT
        "1.2.840.10008.5.1.4.1.1.128",  # PET
    }
)
"""Image classes with hundreds of images a series, all from one scan or one administration: a few of each are read."""

SAMPLE = 2
"""Images read of each series of SAMPLED_SOURCES: those with the smallest Orthanc identifiers, once the series has come
to rest. The choice is the same for every order of arrival, and the identifiers are hashes: it favours no position."""

SECONDARY_CAPTURES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture
        "1.2.840.10008.5.1.4.1.1.7.2",  # multi-frame, grayscale byte
        "1.2.840.10008.5.1.4.1.1.7.3",  # multi-frame, grayscale word
        "1.2.840.10008.5.1.4.1.1.7.4",  # multi-frame, true color
    }
)
"""Classes (PS3.6 A) of anything that was captured: in a CT series perhaps a dose page, in an X-ray series an image."""

IMAGE_CLASSES = IMAGE_SOURCES | SAMPLED_SOURCES | SECONDARY_CAPTURES
"""Classes of which what matters stands before the pixels."""


class Indexed(Protocol):
    """What tells whether an object can hold dose."""

    @property
    def sop_class_uid(self) -> str | None: ...
    @property
    def modality(self) -> str | None: ...


def is_candidate(instance: Indexed) -> bool:
    """Whether the object is to be read by the dose reader. Of what was captured the index does not know what it is: in
    a CT series it may be a dose page, in an X-ray series an original image."""
    if instance.sop_class_uid in SECONDARY_CAPTURES:
        return instance.modality == "CT" or instance.modality in X_RAY_MODALITIES
    return instance.sop_class_uid in SR_SOURCES | IMAGE_SOURCES | SAMPLED_SOURCES


def is_sampled(instance: Indexed) -> bool:
    """Whether the object is read only if it is chosen among the images of its series."""
    return instance.sop_class_uid in SAMPLED_SOURCES


def source_of(sop_class_uid: str | None, kind: str | None) -> Source:
    """What kind of source an object of the class is of which this kind of dose was read."""
    if sop_class_uid in SECONDARY_CAPTURES:
        return Source.CAPTURE if kind == "ct" else Source.HEADER
    return Source.HEADER if sop_class_uid in IMAGE_SOURCES | SAMPLED_SOURCES else Source.REPORT


def is_image(sop_class_uid: str | None) -> bool:
    """Whether what matters of the object stands before its pixels."""
    return sop_class_uid in IMAGE_CLASSES
