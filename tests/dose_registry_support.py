"""What tests of the dose registry share: instances as the index gives them, and an archive that gives their files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.engine import Engine

from treegarth.database.engine import connect, transaction
from treegarth.errors import NotFound
from treegarth.features import dose
from treegarth.features.dose.tables import dose_report


@dataclass(frozen=True)
class Instance:
    orthanc_instance_id: str
    sop_instance_uid: str
    study_instance_uid: str = "1.2.3"
    sop_class_uid: str | None = "1.2.840.10008.5.1.4.1.1.88.67"
    modality: str | None = "SR"
    image_type: tuple[str, ...] | None = None
    number_of_frames: int | None = None

    @property
    def orthanc_series_id(self) -> str:
        return f"series of {self.study_instance_uid}"

    @property
    def orthanc_study_id(self) -> str:
        return f"study {self.study_instance_uid}"


class Archive:
    """Objects by their paths, as Orthanc would give them."""

    def __init__(self, **files: bytes | Exception) -> None:
        self.files = files
        self.asked: list[str] = []

    def get_bytes(self, path: str, *, timeout_s: float | None = None) -> bytes:
        name = path.split("/")[2]
        self.asked.append(name)
        found = self.files.get(name, NotFound(path))
        if isinstance(found, Exception):
            raise found
        return found

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[bytes]]:
        content = self.get_bytes(path)
        yield (content[start : start + 1000] for start in range(0, len(content), 1000))


def note(engine: Engine, *instances: Instance) -> None:
    with transaction(engine) as connection:
        dose.follow_indexed(connection, instances)


def states(engine: Engine) -> dict[str, str]:
    with connect(engine) as connection:
        rows = connection.execute(select(dose_report.c.orthanc_instance_id, dose_report.c.state))
        return {row.orthanc_instance_id: row.state for row in rows}
