"""The modalities of a study with dose: those of its series, kept when the series leave the archive. Queries only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, TextClause, select, text

from treegarth.features.dose.analysis.store.values import refresh_values
from treegarth.features.dose.registry.tables import dose_study
from treegarth.index.instances import IndexedInstance
from treegarth.index.tables import study

# A text, like every statement of the store path: the same one for any number of studies, so PostgreSQL plans it once.
_NOTE_MODALITIES = text("""
UPDATE dose_study d SET modalities = t.modalities FROM study t
WHERE d.orthanc_study_id = ANY(:ids) AND t.orthanc_study_id = d.orthanc_study_id
AND NOT d.modalities @> t.modalities
RETURNING d.orthanc_study_id
""")


_FORGET_MODALITIES = text("""
UPDATE dose_study d SET modalities = now.modalities
FROM study t CROSS JOIN LATERAL (
    SELECT ARRAY(
        SELECT unnest(t.modalities) UNION SELECT r.modality FROM dose_report r
        WHERE r.orthanc_study_id = t.orthanc_study_id AND r.source_deleted_at IS NOT NULL AND r.modality IS NOT NULL
        ORDER BY 1
    ) AS modalities
) now
WHERE d.orthanc_study_id = ANY(:ids) AND t.orthanc_study_id = d.orthanc_study_id
AND d.modalities IS DISTINCT FROM now.modalities
RETURNING d.orthanc_study_id
""")


def modalities_of(connection: Connection, orthanc_study_ids: Sequence[str]) -> dict[str, list[str]]:
    """By study, what the index and the study's row know, sorted."""
    found: dict[str, set[str]] = {}
    for table in (study, dose_study):
        query = select(table.c.orthanc_study_id, table.c.modalities)
        for row in connection.execute(query.where(table.c.orthanc_study_id.in_(orthanc_study_ids))):
            found.setdefault(row.orthanc_study_id, set()).update(row.modalities or ())
    return {one: sorted(modalities) for one, modalities in found.items()}


def note_modalities(connection: Connection, instances: Iterable[IndexedInstance]) -> None:
    """Bring the rows of these instances' studies up to date, in the transaction that indexes them.

    A series may come long after the dose report, and changes nothing else of the study's row.
    """
    _bring(connection, _NOTE_MODALITIES, instances)


def forget_modalities(connection: Connection, instances: Iterable[IndexedInstance]) -> None:
    """After these instances were stored again, their studies have the modalities that their series have now, and those
    of sources that left the archive."""
    _bring(connection, _FORGET_MODALITIES, instances)


def _bring(connection: Connection, statement: TextClause, instances: Iterable[IndexedInstance]) -> None:
    """Statistics follow the few studies that change: the modality of a projection is that of its images."""
    ids = sorted({instance.orthanc_study_id for instance in instances})
    refresh_values(connection, connection.execute(statement, {"ids": ids}).scalars().all())
