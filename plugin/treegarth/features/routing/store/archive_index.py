"""The archive's index, as far as deliveries look into it: names of tables and columns, and the instances of a study.

Features do not import each other's inside; what these columns mean, the archive's own tables say, and a test compares.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ARRAY, BigInteger, Connection, DateTime, Integer, String, Text, column, func, select, table

from treegarth.features.routing.choosing import Candidate

study = table("study", column("orthanc_study_id", String), column("study_instance_uid", String))

series = table(
    "series",
    column("orthanc_series_id", String),
    column("orthanc_study_id", String),
    column("series_instance_uid", String),
    column("series_number", Integer),
    column("modality", Text),
)

instance = table(
    "instance",
    column("orthanc_instance_id", String),
    column("orthanc_series_id", String),
    column("sop_instance_uid", String),
    column("sop_class_uid", String),
    column("instance_number", Integer),
    column("image_type", ARRAY(Text)),
    column("size_bytes", BigInteger),
    column("received_at", DateTime(timezone=True)),
    column("header_checksum", BigInteger),
    column("content_since", DateTime(timezone=True)),
)

stored_at = func.coalesce(instance.c.content_since, instance.c.received_at)
"""Since when Orthanc keeps just this content of an instance, at the latest."""


def read_candidates(
    connection: Connection, orthanc_study_id: str, orthanc_series_ids: Sequence[str] | None = None
) -> list[Candidate]:
    """The instances of a study, or of these series of it, in the order of series and instance number."""
    query = (
        select(
            instance.c.orthanc_instance_id,
            series.c.orthanc_series_id,
            study.c.orthanc_study_id,
            study.c.study_instance_uid,
            series.c.series_instance_uid,
            series.c.modality,
            instance.c.sop_instance_uid,
            instance.c.sop_class_uid,
            instance.c.instance_number,
            instance.c.image_type,
            instance.c.size_bytes,
        )
        .join_from(study, series, series.c.orthanc_study_id == study.c.orthanc_study_id)
        .join(instance, instance.c.orthanc_series_id == series.c.orthanc_series_id)
        .where(study.c.orthanc_study_id == orthanc_study_id)
        .order_by(series.c.series_number, series.c.orthanc_series_id)
        .order_by(instance.c.instance_number, instance.c.sop_instance_uid)
    )
    if orthanc_series_ids is not None:
        query = query.where(series.c.orthanc_series_id.in_(orthanc_series_ids))
    return [
        Candidate(**{**row._mapping, "image_type": tuple(row.image_type or ())}) for row in connection.execute(query)
    ]
