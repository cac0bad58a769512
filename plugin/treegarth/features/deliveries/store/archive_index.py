"""What the index has of a study that is to be delivered. Queries only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from treegarth.features.deliveries.selection import Candidate
from treegarth.index.tables import instance, series, study

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
