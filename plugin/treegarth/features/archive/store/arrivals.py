"""Which studies and series may still be arriving: noted by who writes the index. Queries only."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, exists, or_, text

from treegarth.database.parameters import is_among
from treegarth.index.tables import arrival, series

# As a text, like every statement of the store path: the same one for any number of rows, so PostgreSQL plans it once.
_NOTE = text("""
INSERT INTO arrival (orthanc_study_id, orthanc_series_id, last_arrived_at)
SELECT orthanc_study_id, orthanc_series_id, now()
FROM unnest(CAST(:studies AS text[]), CAST(:series AS text[])) AS new (orthanc_study_id, orthanc_series_id)
ON CONFLICT (orthanc_series_id, orthanc_study_id)
DO UPDATE SET last_arrived_at = greatest(excluded.last_arrived_at, arrival.last_arrived_at)
""")


def note_arrival(connection: Connection, studies_and_series: Iterable[tuple[str, str]]) -> None:
    """These series, by the identifiers of their study and their own, and their studies have a new object now."""
    found = set(studies_and_series)
    if found:
        rows = sorted(found | {(study_id, "") for study_id, _ in found})
        connection.execute(_NOTE, {"studies": [row[0] for row in rows], "series": [row[1] for row in rows]})


def forget_arrival(connection: Connection, orthanc_study_ids: Iterable[str]) -> None:
    """What is gone from the index does not arrive."""
    is_meant = or_(arrival.c.orthanc_series_id == series.c.orthanc_series_id, arrival.c.orthanc_series_id == "")
    is_here = exists().where(series.c.orthanc_study_id == arrival.c.orthanc_study_id, is_meant)
    of_studies = is_among(arrival.c.orthanc_study_id, sorted(set(orthanc_study_ids)))
    connection.execute(delete(arrival).where(of_studies, ~is_here))
