"""What the ledger learns when objects leave the index or come back to it. Takes no lock that a deletion holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, text, update

from treegarth.database.parameters import is_among
from treegarth.features.retention.store.ledger_sums import tell_studies
from treegarth.features.retention.tables import prune_ledger, prune_mark
from treegarth.index.instances import RemovedInstance
from treegarth.index.tables import departed_study, series
from treegarth.tasks.leases import unlocked

_COLUMNS = (
    *("orthanc_instance_id", "orthanc_series_id", "orthanc_study_id", "study_instance_uid", "series_instance_uid"),
    *("sop_instance_uid", "sop_class_uid", "modality", "patient_id", "remote_ae_title", "size_bytes", "received_at"),
)


def note_departed(connection: Connection, instances: Sequence[RemovedInstance], at: datetime) -> None:
    """A row for each that no policy meant to delete; nobody deletes it once more, so its mark goes."""
    identifiers = [one.orthanc_instance_id for one in instances]
    ours = set(
        connection.execute(
            select(prune_ledger.c.orthanc_instance_id).where(
                prune_ledger.c.orthanc_instance_id.in_(identifiers),
                prune_ledger.c.policy_id.is_not(None),
                prune_ledger.c.state.in_(("intended", "deleted")),
                prune_ledger.c.returned_at.is_(None),
            )
        ).scalars()
    )
    rows = [
        {name: getattr(one, name) for name in _COLUMNS} | {"state": "deleted", "deleted_at": at}
        for one in instances
        if one.orthanc_instance_id not in ours
    ]
    if rows:
        connection.execute(insert(prune_ledger), rows)
    unmark(connection, identifiers)
    tell_studies(connection, [one.orthanc_study_id for one in instances])


def unmark(connection: Connection, orthanc_instance_ids: Sequence[str]) -> None:
    """No policy deletes these as they were marked."""
    marked = select(prune_mark.c.orthanc_instance_id).where(prune_mark.c.orthanc_instance_id.in_(orthanc_instance_ids))
    free = unlocked(marked)  # who holds one of them takes it away by itself
    connection.execute(delete(prune_mark).where(prune_mark.c.orthanc_instance_id.in_(free)))


def series_with_pruned(connection: Connection, orthanc_series_ids: Sequence[str]) -> list[str]:
    """Those of the series that a policy deleted objects of."""
    key = series.c.orthanc_series_id
    query = select(key).where(is_among(key, orthanc_series_ids), series.c.pruned_instance_count > 0).order_by(key)
    return list(connection.execute(query).scalars())


def studies_with_gone(connection: Connection, orthanc_study_ids: Sequence[str]) -> list[str]:
    """Those of the studies that objects are gone of, whoever deleted them."""
    key = departed_study.c.orthanc_study_id
    query = select(key).where(is_among(key, orthanc_study_ids), departed_study.c.instance_count > 0).order_by(key)
    return list(connection.execute(query).scalars())


def note_returned(connection: Connection, orthanc_instance_ids: Sequence[str], at: datetime) -> None:
    """These were deleted once, and are in the archive again."""
    noted = (
        update(prune_ledger)
        .where(is_among(prune_ledger.c.orthanc_instance_id, orthanc_instance_ids))
        .where(prune_ledger.c.state == "deleted", prune_ledger.c.returned_at.is_(None))
        .values(returned_at=at)
        .returning(prune_ledger.c.orthanc_study_id)
    )
    tell_studies(connection, connection.execute(noted).scalars())


def count_pruned(connection: Connection, orthanc_series_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """How many objects of each series policies deleted that are not in the index, and how large they were.

    Counted anew each time from the ledger and the index: right whatever was interrupted before.
    """
    rows = connection.execute(_PRUNED, {"ids": list(orthanc_series_ids)})
    return {row.id: (row.instances, int(row.bytes)) for row in rows}


# As a text: SQLAlchemy 2.0 and 2.1 are told of DISTINCT ON in different ways.
_PRUNED = text("""
SELECT k.id, count(l.orthanc_instance_id) AS instances, coalesce(sum(l.size_bytes), 0) AS bytes
FROM unnest(CAST(:ids AS text[])) AS k (id) LEFT JOIN (
    SELECT DISTINCT ON (orthanc_instance_id) orthanc_instance_id, orthanc_series_id, size_bytes
    FROM prune_ledger p WHERE orthanc_series_id = ANY(:ids) AND policy_id IS NOT NULL
    AND state <> 'kept' AND returned_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM instance i WHERE i.orthanc_instance_id = p.orthanc_instance_id)
    ORDER BY orthanc_instance_id, id DESC
) l ON l.orthanc_series_id = k.id GROUP BY 1
""")
