"""What the ledger's entries of each study add up to, and whose study it was. Queries only.

Counted anew each time from the entries: right whatever was interrupted before. The study's row is locked first and
counted by a statement of its own, so that what another writer has committed is seen; it is the last lock that a writer
of the ledger takes, and none that a deletion holds while Orthanc deletes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select, text

from treegarth.features.retention.tables import prune_ledger
from treegarth.index.tables import departed_study

_WHOSE = (
    *("patient_id", "patient_name", "patient_birth_date", "patient_sex", "study_date", "study_description"),
    "accession_number",
)


def tell_studies(connection: Connection, orthanc_study_ids: Iterable[str]) -> None:
    """Have these studies' rows say what their entries say, and whose they are as far as the index knows it now."""
    keys = sorted(set(orthanc_study_ids))
    if keys:
        connection.execute(_KEEP, {"ids": keys})
        connection.execute(_COUNT, {"ids": keys})


def untold(connection: Connection, since: datetime) -> list[str]:
    """The studies of which something was deleted since then that their rows do not tell of: who deleted it vanished."""
    entry, told = prune_ledger.c, departed_study.c
    query = (
        select(entry.orthanc_study_id)
        .distinct()
        .join(departed_study, told.orthanc_study_id == entry.orthanc_study_id)
        .where(entry.deleted_at >= since, told.left_at < entry.deleted_at)
    )
    return list(connection.execute(query).scalars())


# As texts, like every statement of the store path: the same for any number of rows, so PostgreSQL plans them once.
_KEEP = text(f"""
INSERT INTO departed_study (orthanc_study_id, study_instance_uid, {", ".join(_WHOSE)})
SELECT k.id, l.study_instance_uid, coalesce(t.patient_id, l.patient_id), {", ".join(f"t.{one}" for one in _WHOSE[1:])}
FROM unnest(CAST(:ids AS text[])) AS k (id)
JOIN LATERAL (
    SELECT study_instance_uid, patient_id FROM prune_ledger WHERE orthanc_study_id = k.id LIMIT 1
) l ON true
LEFT JOIN study t ON t.orthanc_study_id = k.id
ORDER BY k.id
ON CONFLICT (orthanc_study_id) DO UPDATE
SET {", ".join(f"{one} = coalesce(excluded.{one}, departed_study.{one})" for one in _WHOSE)}
""")  # noqa: S608 - names of our own columns
_COUNT = text("""
UPDATE departed_study d
SET modalities = c.modalities, instance_count = c.gone, size_bytes = c.bytes, returned_instance_count = c.returned,
    policy_ids = c.policies, by_others = c.others, left_at = c.left_at,
    state = CASE WHEN c.gone > 0 THEN 'deleted' WHEN c.intended THEN 'intended' WHEN c.returned > 0 THEN 'returned'
        ELSE 'kept' END
FROM (
    SELECT orthanc_study_id,
        coalesce(
            array_agg(DISTINCT modality ORDER BY modality) FILTER (WHERE modality IS NOT NULL), '{}'
        ) AS modalities,
        count(*) FILTER (WHERE state = 'deleted' AND returned_at IS NULL) AS gone,
        coalesce(sum(size_bytes) FILTER (WHERE state = 'deleted' AND returned_at IS NULL), 0) AS bytes,
        count(*) FILTER (WHERE returned_at IS NOT NULL) AS returned, bool_or(state = 'intended') AS intended,
        coalesce(
            array_agg(DISTINCT policy_id ORDER BY policy_id) FILTER (WHERE policy_id IS NOT NULL), '{}'
        ) AS policies,
        bool_or(policy_id IS NULL) AS others, max(coalesce(deleted_at, intended_at, received_at)) AS left_at
    FROM prune_ledger WHERE orthanc_study_id = ANY(CAST(:ids AS text[])) GROUP BY orthanc_study_id
) c
WHERE d.orthanc_study_id = c.orthanc_study_id
""")
