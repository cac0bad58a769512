"""Many distinct CT objects, quickly: one real object whose identifiers are written over in its bytes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from treegarth.demo.ct import CtScan, ct_series
from treegarth.demo.ct_dose_report import CtEvent
from treegarth.demo.patients import cast
from treegarth.demo.studies import Procedure, Study

_MARK = "2.25.9{:034d}"


def ct_template(rows: int = 512) -> bytes:
    """A CT object with a full header, whose identifiers are marks of fixed length."""
    study = Study(
        patient=cast(1)[0],
        procedure=Procedure(description="Chest CT", code="CT-CHEST", body_part="CHEST"),
        started=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        study_instance_uid=_MARK.format(1),
        accession_number="A0000001",
    )
    scan = CtScan(event=CtEvent(mean_ctdi_vol_mgy=8.0, dlp_mgy_cm=300.0), instances=1, rows=rows, columns=rows)
    return _marked(ct_series(study, scan)[0])


def _marked(dataset: Dataset) -> bytes:
    for number, keyword in enumerate(("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"), start=1):
        setattr(dataset, keyword, _MARK.format(number))
    dataset.PatientID = "PATIENT000"
    dataset.InstanceNumber = "00000"
    buffer = BytesIO()
    if getattr(dataset, "file_meta", None) is None:
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def write_studies(
    folder: Path, template: bytes, *, studies: int, series: int, instances: int, first: int = 0
) -> list[Path]:
    """Write distinct objects: so many studies of so many series of so many instances each; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    places = {mark: [m.start() for m in re.finditer(re.escape(mark), template)] for mark in _marks()}
    paths = []
    for number in range(first, first + studies * series * instances):
        study_number, series_number = number // (series * instances), number // instances
        data = bytearray(template)
        values = (
            *(
                _MARK.format(10**30 * level + value)
                for level, value in enumerate((study_number, series_number, number), 1)
            ),
            f"PATIENT{study_number % 1000:03d}",
        )
        for mark, value in zip(_marks(), values, strict=True):
            for place in places[mark]:
                data[place : place + len(mark)] = value.encode()
        path = folder / f"{number:07d}.dcm"
        path.write_bytes(data)
        paths.append(path)
    return paths


def _marks() -> tuple[bytes, ...]:
    return (*(_MARK.format(number).encode() for number in (1, 2, 3)), b"PATIENT000")
