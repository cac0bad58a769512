"""The archive's index, as far as this feature's queries look into it: names of tables and columns, one query.

Features do not import each other's inside; what these columns mean, the archive's own tables say, and a test compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Date, DateTime, Integer, Select, String, Text, column, select, table

study = table(
    "study",
    column("orthanc_study_id", String),
    column("study_instance_uid", String),
    column("patient_id", Text),
    column("patient_name", Text),
    column("study_date", Date),
    column("study_description", Text),
    column("accession_number", Text),
    column("modalities", ARRAY(Text)),
    column("instance_count", Integer),
    column("last_received_at", DateTime(timezone=True)),
)

series = table(
    "series",
    column("orthanc_series_id", String),
    column("orthanc_study_id", String),
    column("modality", Text),
    column("manufacturer", Text),
    column("manufacturer_model_name", Text),
    column("station_name", Text),
    column("device_serial_number", Text),
)

instance = table(
    "instance",
    column("orthanc_instance_id", String),
    column("orthanc_series_id", String),
    column("sop_instance_uid", String),
    column("sop_class_uid", String),
    column("number_of_frames", Integer),
    column("image_type", ARRAY(Text)),
    column("size_bytes", BigInteger),
    column("header_checksum", BigInteger),
    column("received_at", DateTime(timezone=True)),
    column("nesting_depth", Integer),
)


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
