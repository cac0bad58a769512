"""Instances of the index as followers of the index get to see them. One query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, Select, select

from treegarth.database.parameters import is_among
from treegarth.features.dose.registry.tables import dose_report
from treegarth.index.instances import IndexedInstance
from treegarth.index.tables import instance, series, study


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivedInstance:
    """An instance of the index, as followers of the index get to see it."""

    orthanc_instance_id: str
    orthanc_series_id: str
    orthanc_study_id: str
    sop_instance_uid: str
    sop_class_uid: str | None
    study_instance_uid: str
    modality: str | None
    image_type: Sequence[str] | None
    number_of_frames: int | None
    size_bytes: int
    received_at: datetime
    header_checksum: int | None


KnownInstance: TypeAlias = IndexedInstance | ArchivedInstance
"""An instance that was indexed just now, or long ago."""


def archived_instances() -> Select[tuple[object, ...]]:
    """Instances of the index in the order of their identifiers; a row gives the fields of an ArchivedInstance."""
    return (
        select(
            *(instance.c[name] for name in ("orthanc_instance_id", "orthanc_series_id", "sop_instance_uid")),
            *(instance.c[name] for name in ("sop_class_uid", "image_type", "number_of_frames")),
            *(instance.c[name] for name in ("size_bytes", "received_at", "header_checksum")),
            series.c.modality,
            study.c.orthanc_study_id,
            study.c.study_instance_uid,
        )
        .join(series, series.c.orthanc_series_id == instance.c.orthanc_series_id)
        .join(study, study.c.orthanc_study_id == series.c.orthanc_study_id)
        .order_by(instance.c.orthanc_instance_id)
    )


def sources_in(connection: Connection, orthanc_series_ids: Sequence[str]) -> list[ArchivedInstance]:
    """The sources of dose in these series, as far as they are in the archive."""
    query = (
        archived_instances()
        .join(dose_report, dose_report.c.orthanc_instance_id == instance.c.orthanc_instance_id)
        .where(is_among(instance.c.orthanc_series_id, orthanc_series_ids))
    )
    return [ArchivedInstance(**row._mapping) for row in connection.execute(query)]
