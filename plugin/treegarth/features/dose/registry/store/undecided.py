"""Studies that are to be decided again, because another study has something in common with them. Queries only.

Whoever writes a source notes them in the same transaction; a worker decides each in a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert

from treegarth.features.dose.registry.store.acts import neighbours_by_acts
from treegarth.features.dose.registry.tables import dose_undecided
from treegarth.tasks import leases

SOON = timedelta(minutes=1)

# As texts: the same statement for every study, so PostgreSQL plans it once.
NEIGHBOURS = text("""
WITH RECURSIVE originals (id) AS (
    SELECT modified_from FROM dose_report WHERE orthanc_study_id = :study AND modified_from IS NOT NULL
    UNION
    SELECT made.modified_from FROM originals
    JOIN dose_report made ON made.orthanc_instance_id = originals.id WHERE made.modified_from IS NOT NULL
), copies (id) AS (
    SELECT made.orthanc_instance_id FROM dose_report mine
    JOIN dose_report made ON made.modified_from = mine.orthanc_instance_id WHERE mine.orthanc_study_id = :study
    UNION
    SELECT made.orthanc_instance_id FROM copies JOIN dose_report made ON made.modified_from = copies.id
)
SELECT other.orthanc_study_id FROM dose_report other
WHERE other.orthanc_instance_id IN (SELECT id FROM originals UNION SELECT id FROM copies)
AND other.orthanc_study_id <> :study
UNION
SELECT other.orthanc_study_id FROM dose_report mine
JOIN dose_report other ON other.sop_instance_uid = mine.sop_instance_uid
WHERE mine.orthanc_study_id = :study AND other.orthanc_study_id <> :study
UNION
SELECT other.orthanc_study_id FROM dose_report mine
JOIN irradiation_event one ON one.orthanc_instance_id = mine.orthanc_instance_id
JOIN irradiation_event same ON same.irradiation_event_uid = one.irradiation_event_uid
JOIN dose_report other ON other.orthanc_instance_id = same.orthanc_instance_id
WHERE mine.orthanc_study_id = :study AND other.orthanc_study_id <> :study
UNION
SELECT other.orthanc_study_id FROM dose_report mine
JOIN administration one ON one.orthanc_instance_id = mine.orthanc_instance_id
JOIN administration same ON same.irradiation_event_uid = one.irradiation_event_uid
JOIN dose_report other ON other.orthanc_instance_id = same.orthanc_instance_id
WHERE mine.orthanc_study_id = :study AND other.orthanc_study_id <> :study
""")

_LOCK = text("""
SELECT pg_advisory_xact_lock(7313, bucket) FROM (
    SELECT DISTINCT hashtext(one) & 255 AS bucket FROM unnest(CAST(:uids AS text[])) AS given (one) ORDER BY bucket
) AS buckets
""")


def lock_uids(connection: Connection, uids: Iterable[str]) -> None:
    """Of two that write the same event at once in two studies, the later one sees what the other wrote."""
    connection.execute(_LOCK, {"uids": sorted(set(uids))})


def note_neighbours(connection: Connection, orthanc_study_id: str) -> None:
    """Note the studies that have an object, an event or an original in common with this one, or of which a person
    moved something here, or to which something of here."""
    found = neighbours_of(connection, orthanc_study_id)
    if found:
        note_undecided(connection, found)


def neighbours_of(connection: Connection, orthanc_study_id: str) -> set[str]:
    """As of `note_neighbours`, without the study itself."""
    found = set(connection.execute(NEIGHBOURS, {"study": orthanc_study_id}).scalars())
    for one in (orthanc_study_id, *sorted(found)):
        found |= neighbours_by_acts(connection, one)
    return found - {orthanc_study_id}


def note_undecided(connection: Connection, orthanc_study_ids: Iterable[str]) -> None:
    rows = [{"orthanc_study_id": one} for one in sorted(set(orthanc_study_ids))]
    connection.execute(insert(dose_undecided).values(rows).on_conflict_do_nothing())


def being_decided(connection: Connection, orthanc_study_ids: Sequence[str]) -> set[str]:
    """Of these, those that were noted just now, or have something in common with one that was. One that waits for
    longer than `SOON` holds nobody up."""
    row = dose_undecided.c
    waiting = set(connection.execute(select(row.orthanc_study_id).where(row.since > func.now() - SOON)).scalars())
    if not waiting:
        return set()
    return {one for one in orthanc_study_ids if one in waiting or waiting & neighbours_of(connection, one)}


def take_undecided(connection: Connection) -> str | None:
    """A study that waits to be decided, no longer noted when this transaction commits; None when none does."""
    study = dose_undecided.c.orthanc_study_id
    taken = leases.take(connection, dose_undecided, dose_undecided.c.since, limit=1, returning=[study])
    return taken[0].orthanc_study_id if taken else None
