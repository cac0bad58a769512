"""Take out of the index what Orthanc no longer has. Queries only; rows are locked in the order of who writes batches.

Where the object goes that a series' attributes are of, the series is stale: its next object is read in the background.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from treegarth.features.archive.store.arrivals import forget_arrival
from treegarth.index.instances import Level, RemovedInstance
from treegarth.index.parents import tell_parents, tell_patients

_KEYS = {
    Level.PATIENT: ("patient", "orthanc_patient_id"),
    Level.STUDY: ("study", "orthanc_study_id"),
    Level.SERIES: ("series", "orthanc_series_id"),
    Level.INSTANCE: ("instance", "orthanc_instance_id"),
}


def known(connection: Connection, level: Level, identifiers: Sequence[str]) -> set[str]:
    """Those of Orthanc's identifiers that are in the index."""
    table, key = _KEYS[level]
    found = connection.execute(
        text(f"SELECT {key} FROM {table} WHERE {key} = ANY(:ids)"),  # noqa: S608 - names of our own tables
        {"ids": list(identifiers)},
    )
    return set(found.scalars())


def remove(connection: Connection, level: Level, identifiers: Sequence[str]) -> list[RemovedInstance]:
    """Take the instances of these resources out of the index; what is left empty stays until `remove_empty`."""
    if level is Level.INSTANCE:
        condition = "i.orthanc_instance_id = ANY(:ids)"
    elif level is Level.SERIES:
        condition = "i.orthanc_series_id = ANY(:ids)"
    elif level is Level.STUDY:
        condition = "i.orthanc_series_id IN (SELECT orthanc_series_id FROM series WHERE orthanc_study_id = ANY(:ids))"
    else:
        condition = (
            "i.orthanc_series_id IN (SELECT orthanc_series_id FROM series JOIN study USING (orthanc_study_id)"
            " WHERE orthanc_patient_id = ANY(:ids))"
        )
    _lock_parents(connection, condition, identifiers)
    rows = connection.execute(
        text(
            f"WITH gone AS (DELETE FROM instance i WHERE {condition} RETURNING orthanc_instance_id, orthanc_series_id,"  # noqa: S608
            " sop_instance_uid, sop_class_uid, remote_ae_title, size_bytes, received_at)"
            " SELECT gone.*, s.orthanc_study_id, s.series_instance_uid, s.modality, t.orthanc_patient_id,"
            " t.study_instance_uid, t.patient_id"
            " FROM gone JOIN series s USING (orthanc_series_id) JOIN study t USING (orthanc_study_id)"
            " ORDER BY gone.orthanc_instance_id"
        ),
        {"ids": list(identifiers)},
    )
    removed = [RemovedInstance(**row._mapping) for row in rows]
    series = sorted({one.orthanc_series_id for one in removed})
    connection.execute(text(_STALE), {"series": series, "gone": [one.orthanc_instance_id for one in removed]})
    connection.execute(text(_LAST_ORIGIN), {"series": series})
    tell_parents(
        connection,
        series_ids=series,
        study_ids={one.orthanc_study_id for one in removed},
        patient_ids={one.orthanc_patient_id for one in removed},
    )
    return removed


def remove_empty(connection: Connection, removed: Sequence[RemovedInstance]) -> list[str]:
    """Take out the parents of removed instances that nothing is left of, not even objects that were pruned; the
    studies that left the index."""
    studies = {one.orthanc_study_id for one in removed}
    connection.execute(text(_REMOVE_SERIES), {"ids": sorted({one.orthanc_series_id for one in removed})})
    gone = remove_empty_studies(connection, studies, {one.orthanc_patient_id for one in removed})
    forget_arrival(connection, studies)
    return gone


def remove_empty_studies(connection: Connection, study_ids: Iterable[str], patient_ids: Iterable[str]) -> list[str]:
    """Those of the studies that have nothing beneath them go, and those of the patients; the studies that went."""
    gone = connection.execute(text(_REMOVE_STUDIES), {"ids": sorted(set(study_ids))}).scalars().all()
    if gone:
        patients = sorted(set(patient_ids))
        connection.execute(text(_REMOVE_PATIENTS), {"ids": patients})
        tell_patients(connection, patients)
    return sorted(gone)


_STALE = """
UPDATE series SET is_stale = true, header_orthanc_instance_id = NULL
WHERE orthanc_series_id = ANY(:series) AND header_orthanc_instance_id = ANY(:gone)
"""
_LAST_ORIGIN = """
UPDATE series s SET origin = i.origin, remote_ae_title = i.remote_ae_title, called_ae_title = i.called_ae_title,
    remote_ip = i.remote_ip, http_user = i.http_user
FROM (
    SELECT DISTINCT ON (orthanc_series_id) * FROM instance WHERE orthanc_series_id = ANY(:series)
    ORDER BY orthanc_series_id, received_at DESC, orthanc_instance_id DESC
) i
WHERE s.orthanc_series_id = i.orthanc_series_id
AND (s.origin, s.remote_ae_title, s.called_ae_title, s.remote_ip, s.http_user)
    IS DISTINCT FROM (i.origin, i.remote_ae_title, i.called_ae_title, i.remote_ip, i.http_user)
"""
_REMOVE_SERIES = """
DELETE FROM series WHERE orthanc_series_id = ANY(:ids) AND instance_count = 0 AND pruned_instance_count = 0
"""
_REMOVE_STUDIES = """
DELETE FROM study WHERE orthanc_study_id = ANY(:ids) AND instance_count = 0 AND pruned_instance_count = 0
RETURNING orthanc_study_id
"""
_REMOVE_PATIENTS = """
DELETE FROM patient p WHERE orthanc_patient_id = ANY(:ids)
AND NOT EXISTS (SELECT 1 FROM study t WHERE t.orthanc_patient_id = p.orthanc_patient_id)
"""


def _lock_parents(connection: Connection, condition: str, identifiers: Sequence[str]) -> None:
    """Lock the patients and studies that lose instances: by these, nobody else writes what lies beneath."""
    for table, key in (("patient", "orthanc_patient_id"), ("study", "orthanc_study_id")):
        connection.execute(
            text(
                f"SELECT 1 FROM {table} WHERE {key} IN (SELECT {key} FROM instance i"  # noqa: S608 - our own names
                f" JOIN series USING (orthanc_series_id) JOIN study USING (orthanc_study_id) WHERE {condition})"
                f" ORDER BY {key} FOR UPDATE"
            ),
            {"ids": list(identifiers)},
        )
