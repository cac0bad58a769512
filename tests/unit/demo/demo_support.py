"""What the tests of the made-up day share: a study, and the checker of dicom3tools."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydicom.dataset import Dataset

from treegarth.demo.attributes import write
from treegarth.demo.patients import cast
from treegarth.demo.studies import Procedure, Study


def study_of(place: int = 0, *, body_part: str = "CHEST") -> Study:
    """A study of one of the cast's patients."""
    return Study(
        patient=cast(1)[place],
        procedure=Procedure(description="Test procedure", code="TEST", body_part=body_part, reason="a test"),
        started=datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
        study_instance_uid=f"2.25.{4000 + place}",
        accession_number=f"A{place:07d}",
    )


def errors_of_dciodvfy(dataset: Dataset, folder: Path) -> list[str]:
    """The lines of dciodvfy that begin with `Error`, for one object."""
    program = shutil.which("dciodvfy")
    assert program, "dciodvfy is missing: install Debian's dicom3tools"
    path = folder / f"{dataset.SOPInstanceUID}.dcm"
    write(dataset, path)
    done = subprocess.run([program, str(path)], capture_output=True, text=True, errors="replace", timeout=60)
    said = (done.stdout + done.stderr).splitlines()
    assert said, "dciodvfy said nothing, not even the kind of object"
    return [line for line in said if line.startswith("Error")]


def content_items(dataset: Dataset, code: str) -> Iterator[Dataset]:
    """The content items of a report whose concept has the code value, in document order."""
    for item in dataset.get("ContentSequence", []):
        if item.ConceptNameCodeSequence[0].CodeValue == code:
            yield item
        yield from content_items(item, code)


def measured(dataset: Dataset, code: str) -> list[tuple[float, str]]:
    """The values and units of the report's measurements of that concept."""
    values = [item.MeasuredValueSequence[0] for item in content_items(dataset, code)]
    return [(float(value.NumericValue), value.MeasurementUnitsCodeSequence[0].CodeValue) for value in values]
