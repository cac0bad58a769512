"""What tests of the dose registry share: instances as the index gives them, and an archive that gives their files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Engine

from treegarth.database.engine import connect, transaction
from treegarth.errors import NotFound
from treegarth.features.dose.registry.pages.doses import DOSES
from treegarth.features.dose.registry.service import choose_samples, follow_indexed, read_waiting
from treegarth.features.dose.registry.store.filters import DoseStudyFilter
from treegarth.features.dose.registry.store.studies import DoseStudy, select_studies_with_dose
from treegarth.features.dose.registry.tables import dose_report
from treegarth.index import tables
from treegarth.web.listing import Rows

_MINUTES = count()


def another_store() -> datetime:
    """When the next object is stored: no two at once."""
    return datetime(2024, 3, 1, tzinfo=UTC) + timedelta(minutes=next(_MINUTES))


@dataclass(frozen=True)
class Instance:
    orthanc_instance_id: str
    sop_instance_uid: str
    study_instance_uid: str = "1.2.3"
    sop_class_uid: str | None = "1.2.840.10008.5.1.4.1.1.88.67"
    modality: str | None = "SR"
    image_type: tuple[str, ...] | None = None
    number_of_frames: int | None = None
    size_bytes: int = 1000
    received_at: datetime = field(default_factory=another_store)
    header_checksum: int | None = None
    is_stored_again: bool = False
    is_known: bool = False

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
        self.modified_from: dict[str, str] = {}

    def get_bytes(self, path: str, *, timeout_s: float | None = None) -> bytes:
        name = path.split("/")[2]
        if path.endswith("/metadata/ModifiedFrom"):
            return self.modified_from[name].encode() if name in self.modified_from else _raised(NotFound(path))
        self.asked.append(name)
        found = self.files.get(name, NotFound(path))
        if isinstance(found, Exception):
            raise found
        return found

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[bytes]]:
        content = self.get_bytes(path)
        yield (content[start : start + 1000] for start in range(0, len(content), 1000))


def _raised(error: Exception) -> bytes:
    raise error


def index(engine: Engine, *instances: Instance, modality: str = "CT", station: str = "CT1") -> None:
    """Put instances into the archive's index, without any file."""
    with transaction(engine) as connection:
        for each in instances:
            uid = each.study_instance_uid
            patient = {"orthanc_patient_id": f"patient of {uid}"}
            study = {"orthanc_study_id": each.orthanc_study_id, "study_instance_uid": uid, **patient}
            series = {"orthanc_series_id": each.orthanc_series_id, "orthanc_study_id": each.orthanc_study_id}
            stored = {name: getattr(each, name) for name in ("size_bytes", "received_at", "header_checksum")}
            for table, row in (
                (tables.patient, patient),
                (tables.study, study | {"modalities": [modality], "study_date": date(2024, 2, 29)}),
                (tables.series, series | {"modality": modality, "station_name": station, "series_instance_uid": "1.9"}),
                (
                    tables.instance,
                    stored
                    | {name: getattr(each, name) for name in ("orthanc_instance_id", "orthanc_series_id")}
                    | {name: getattr(each, name) for name in ("sop_instance_uid", "sop_class_uid")},
                ),
            ):
                connection.execute(insert(table).values(**row).on_conflict_do_nothing())


def note(engine: Engine, *instances: Instance) -> None:
    with transaction(engine) as connection:
        follow_indexed(connection, instances)


def read(engine: Engine, archive: Archive, at: datetime, *, limit: int = 500) -> None:
    """What a worker does: choose among the images, read what waits."""
    choose_samples(engine, limit=limit, clock=lambda: at)
    read_waiting(engine, archive, limit=limit, clock=lambda: at)


def states(engine: Engine) -> dict[str, str]:
    with connect(engine) as connection:
        rows = connection.execute(select(dose_report.c.orthanc_instance_id, dose_report.c.state))
        return {row.orthanc_instance_id: row.state for row in rows}


def list_doses(connection: Connection, filters: DoseStudyFilter | None = None, **paging: Any) -> Rows[DoseStudy]:
    """A page of the dose list: `sort`, `limit`, `cursor`."""
    return DOSES.rows(connection, select_studies_with_dose(connection, filters or DoseStudyFilter()), **paging)
