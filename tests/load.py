"""Writes many CT objects quickly, for tests and benchmarks: one is built, its copies are patched as bytes.

Every copy is a valid object of its own, with its own instance, series, study and patient; the picture is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from pydicom import dcmwrite
from pydicom.dataset import Dataset

from treegarth.demo.ct import CtScan, ct_series
from treegarth.demo.ct_dose_report import CtEvent
from treegarth.demo.identifiers import made_up_uid
from treegarth.demo.patients import Patient
from treegarth.demo.studies import Procedure, Study

_UID_DIGITS = 38
_SMALL_HEADER = frozenset(
    {
        "SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "StudyDate", "SeriesDate", "ContentDate",
        "StudyTime", "SeriesTime", "ContentTime", "AccessionNumber", "Modality", "Manufacturer", "StationName",
        "ReferringPhysicianName", "StudyDescription", "SeriesDescription", "PatientName", "PatientID",
        "PatientBirthDate", "PatientSex", "BodyPartExamined", "SliceThickness", "KVP", "ProtocolName",
        "PatientPosition", "StudyInstanceUID", "SeriesInstanceUID", "StudyID", "SeriesNumber", "AcquisitionNumber",
        "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID",
        "PositionReferenceIndicator", "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns",
        "PixelSpacing", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "WindowCenter", "WindowWidth",
        "RescaleIntercept", "RescaleSlope", "RescaleType", "PixelData",
    }
)  # fmt: skip


def bench_instances(
    count: int, directory: Path, *, seed: int = 0, series_size: int = 100, series_per_study: int = 2, side: int = 512
) -> list[Path]:
    """Writes `count` CT objects with full headers, of `side` × `side` pixels (0.5 MB each), `series_size` to a series.

    A seed gives the same objects every time; other seeds give others.
    """
    return _write(_template(_one_image(side, seed)), count, directory, _Layout(seed, series_size, series_per_study))


def small_instances(
    count: int, directory: Path, *, seed: int = 0, series_size: int = 100, series_per_study: int = 2
) -> list[Path]:
    """Writes `count` CT objects of 16×16 pixels and short headers, below 3 kB each."""
    image = _one_image(16, seed)
    for element in list(image):
        if element.keyword not in _SMALL_HEADER:
            del image[element.tag]
    return _write(_template(image), count, directory, _Layout(seed, series_size, series_per_study))


@dataclass(frozen=True)
class _Layout:
    """How the copies are spread over series and studies."""

    seed: int
    series_size: int
    series_per_study: int


@dataclass(frozen=True, kw_only=True)
class _Template:
    """The bytes of one file, and where in it each of the exchangeable texts stands."""

    content: bytes
    offsets: Mapping[str, tuple[int, ...]]


# Texts that occur nowhere else in the file, each as long as what replaces it.
_STUDY_UID = "2.25." + "1" * _UID_DIGITS
_SERIES_UID = "2.25." + "2" * _UID_DIGITS
_INSTANCE_UID = "2.25." + "3" * _UID_DIGITS
_PATIENT_ID = "LOAD-PATIENT-ID#"
_PATIENT_NAME = "LOAD^PATIENT^NAME##"
_ACCESSION_NUMBER = "LOAD-ACCESS##"
_INSTANCE_NUMBER = "90817263"
_TEXTS = (_STUDY_UID, _SERIES_UID, _INSTANCE_UID, _PATIENT_ID, _PATIENT_NAME, _ACCESSION_NUMBER, _INSTANCE_NUMBER)


def _one_image(side: int, seed: int) -> Dataset:
    patient = Patient(
        patient_id=_PATIENT_ID,
        patient_name=_PATIENT_NAME,
        birth_date=datetime(1970, 1, 1, tzinfo=UTC).date(),
        sex="F",
        size_m=1.7,
        weight_kg=70.0,
    )
    study = Study(
        patient=patient,
        procedure=Procedure(description="CT load", code="CTLOAD", body_part="CHEST"),
        started=datetime(2026, 1, 1, 8, tzinfo=UTC),
        study_instance_uid=_STUDY_UID,
        accession_number=_ACCESSION_NUMBER,
    )
    event = CtEvent(mean_ctdi_vol_mgy=8.2, dlp_mgy_cm=270.6, irradiation_event_uid=made_up_uid("load", seed))
    image = ct_series(study, CtScan(event=event, instances=1, rows=side, columns=side))[0]
    image.SeriesInstanceUID = _SERIES_UID
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = _INSTANCE_UID
    image.InstanceNumber = int(_INSTANCE_NUMBER)
    for keyword in ("PerformedProcedureStepID", "RequestAttributesSequence"):
        delattr(image, keyword)  # they repeat the accession number with a prefix
    return image


def _template(image: Dataset) -> _Template:
    buffer = BytesIO()
    dcmwrite(buffer, image, enforce_file_format=True)
    content = buffer.getvalue()
    return _Template(content=content, offsets={text: _places(content, text.encode("ascii")) for text in _TEXTS})


def _places(content: bytes, text: bytes) -> tuple[int, ...]:
    places = []
    at = content.find(text)
    while at >= 0:
        places.append(at)
        at = content.find(text, at + 1)
    return tuple(places)


def _write(template: _Template, count: int, directory: Path, layout: _Layout) -> list[Path]:
    directory.mkdir(parents=True, exist_ok=True)
    content = bytearray(template.content)
    paths = []
    for number in range(count):
        for text, replacement in _replacements(number, layout).items():
            _patch(content, template.offsets[text], text, replacement)
        path = directory / f"{number:06d}.dcm"
        path.write_bytes(content)
        paths.append(path)
    return paths


def _replacements(number: int, layout: _Layout) -> dict[str, str]:
    seed, series = layout.seed, number // layout.series_size
    study = series // layout.series_per_study
    return {
        _STUDY_UID: _long_uid("study", seed, study),
        _SERIES_UID: _long_uid("series", seed, series),
        _INSTANCE_UID: _long_uid("instance", seed, number),
        _PATIENT_ID: f"LOAD{seed:05d}-{study:06d}",
        _PATIENT_NAME: f"LOAD^NUMBER{seed % 100:02d}{study:06d}",
        _ACCESSION_NUMBER: f"L{seed % 1000:03d}-{study:07d}",
        _INSTANCE_NUMBER: str(number % layout.series_size + 1),
    }


def _long_uid(*parts: object) -> str:
    """A UID of always the same length, for it replaces another in place."""
    digits = int(made_up_uid("load", *parts).removeprefix("2.25.")) % 10 ** (_UID_DIGITS - 1)
    return f"2.25.{digits + 10 ** (_UID_DIGITS - 1)}"


def _patch(content: bytearray, places: tuple[int, ...], text: str, replacement: str) -> None:
    padded = replacement.encode("ascii").ljust(len(text))
    if len(padded) > len(text):
        raise ValueError(f"{replacement!r} is longer than the {len(text)} bytes that it has to fit.")
    for place in places:
        content[place : place + len(padded)] = padded
