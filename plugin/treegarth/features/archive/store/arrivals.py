"""Which studies and series may still be arriving: noted by who writes the index. Queries only."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, text

_NOTE = text("""
INSERT INTO arrival (orthanc_study_id, orthanc_series_id, last_arrived_at)
SELECT orthanc_study_id, orthanc_series_id, now()
FROM unnest(CAST(:studies AS text[]), CAST(:series AS text[])) AS new (orthanc_study_id, orthanc_series_id)
ON CONFLICT (orthanc_series_id, orthanc_study_id)
DO UPDATE SET last_arrived_at = greatest(excluded.last_arrived_at, arrival.last_arrived_at)
""")
_FORGET = text("""
DELETE FROM arrival a WHERE orthanc_study_id = ANY(:ids) AND NOT EXISTS (
    SELECT 1 FROM series s
    WHERE s.orthanc_study_id = a.orthanc_study_id AND a.orthanc_series_id IN (s.orthanc_series_id, '')
)
""")


def note_arrival(connection: Connection, studies_and_series: Iterable[tuple[str, str]]) -> None:
    """These series, by the identifiers of their study and their own, and their studies have a new object now."""
    found = set(studies_and_series)
    if found:
        rows = sorted(found | {(study_id, "") for study_id, _ in found})
        connection.execute(_NOTE, {"studies": [row[0] for row in rows], "series": [row[1] for row in rows]})


def forget_arrival(connection: Connection, orthanc_study_ids: Iterable[str]) -> None:
    """What is gone from the index does not arrive."""
    connection.execute(_FORGET, {"ids": sorted(set(orthanc_study_ids))})
