"""Take out of the index what Orthanc no longer has. Queries only; rows are locked in the order of who writes batches.

Where the object goes that a series' attributes are of, the series is stale: its next object is read in the background.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, select, text, update

from treegarth.database.parameters import is_among, written_out
from treegarth.features.archive.store.arrivals import forget_arrival
from treegarth.index.instances import Level, RemovedInstance
from treegarth.index.parents import tell_parents, tell_patients
from treegarth.index.tables import instance, patient, series, study

_KEYS = {
    Level.PATIENT: patient.c.orthanc_patient_id,
    Level.STUDY: study.c.orthanc_study_id,
    Level.SERIES: series.c.orthanc_series_id,
    Level.INSTANCE: instance.c.orthanc_instance_id,
}
_OF_INSTANCE = (
    *("orthanc_instance_id", "orthanc_series_id", "sop_instance_uid", "sop_class_uid", "remote_ae_title"),
    *("size_bytes", "received_at"),
)
_OF_PARENTS = (
    *(series.c[name] for name in ("orthanc_study_id", "series_instance_uid", "modality")),
    *(study.c[name] for name in ("orthanc_patient_id", "study_instance_uid", "patient_id")),
)
_IN_STUDY = series.c.orthanc_study_id == study.c.orthanc_study_id


def known(connection: Connection, level: Level, identifiers: Sequence[str]) -> set[str]:
    """Those of Orthanc's identifiers that are in the index."""
    key = _KEYS[level]
    return set(connection.execute(select(key).where(is_among(key, identifiers))).scalars())


def remove(connection: Connection, level: Level, identifiers: Sequence[str]) -> list[RemovedInstance]:
    """Take the instances of these resources out of the index; what is left empty stays until `remove_empty`."""
    which = _are_beneath(level, identifiers)
    _lock_parents(connection, which)
    gone = delete(instance).where(which).returning(*(instance.c[name] for name in _OF_INSTANCE)).cte("gone")
    query = (
        select(gone, *_OF_PARENTS)
        .join_from(gone, series, series.c.orthanc_series_id == gone.c.orthanc_series_id)
        .join(study, _IN_STUDY)
        .order_by(gone.c.orthanc_instance_id)
    )
    removed = [RemovedInstance(**row._mapping) for row in connection.execute(query)]
    series_ids = sorted({one.orthanc_series_id for one in removed})
    _mark_stale(connection, series_ids, [one.orthanc_instance_id for one in removed])
    connection.execute(_LAST_ORIGIN, {"series": series_ids})
    tell_parents(
        connection,
        series_ids=series_ids,
        study_ids={one.orthanc_study_id for one in removed},
        patient_ids={one.orthanc_patient_id for one in removed},
    )
    return removed


def remove_empty(connection: Connection, removed: Sequence[RemovedInstance]) -> list[str]:
    """Take out the parents of removed instances that nothing is left of, not even objects that were pruned; the
    studies that left the index."""
    studies = {one.orthanc_study_id for one in removed}
    of_removed = is_among(series.c.orthanc_series_id, sorted({one.orthanc_series_id for one in removed}))
    connection.execute(delete(series).where(of_removed, *_has_nothing(series)))
    gone = remove_empty_studies(connection, studies, {one.orthanc_patient_id for one in removed})
    forget_arrival(connection, studies)
    return gone


def remove_empty_studies(connection: Connection, study_ids: Iterable[str], patient_ids: Iterable[str]) -> list[str]:
    """Those of the studies that have nothing beneath them go, and those of the patients; the studies that went."""
    key = study.c.orthanc_study_id
    empty = delete(study).where(is_among(key, sorted(set(study_ids))), *_has_nothing(study)).returning(key)
    gone = connection.execute(empty).scalars().all()
    if gone:
        patients = sorted(set(patient_ids))
        has_study = exists().where(study.c.orthanc_patient_id == patient.c.orthanc_patient_id)
        connection.execute(delete(patient).where(is_among(patient.c.orthanc_patient_id, patients), ~has_study))
        tell_patients(connection, patients)
    return sorted(gone)


def _has_nothing(table: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """No objects, not even pruned ones."""
    return table.c.instance_count == written_out(0), table.c.pruned_instance_count == 0


def _mark_stale(connection: Connection, series_ids: Sequence[str], gone: Sequence[str]) -> None:
    """Those of the series whose attributes are of an object that is gone."""
    lost = (is_among(series.c.orthanc_series_id, series_ids), is_among(series.c.header_orthanc_instance_id, gone))
    connection.execute(update(series).where(*lost).values(is_stale=True, header_orthanc_instance_id=None))


# As a text: SQLAlchemy 2.0 and 2.1 are told of DISTINCT ON in different ways.
_LAST_ORIGIN = text("""
UPDATE series s SET origin = i.origin, remote_ae_title = i.remote_ae_title, called_ae_title = i.called_ae_title,
    remote_ip = i.remote_ip, http_user = i.http_user
FROM (
    SELECT DISTINCT ON (orthanc_series_id) * FROM instance WHERE orthanc_series_id = ANY(:series)
    ORDER BY orthanc_series_id, received_at DESC, orthanc_instance_id DESC
) i
WHERE s.orthanc_series_id = i.orthanc_series_id
AND (s.origin, s.remote_ae_title, s.called_ae_title, s.remote_ip, s.http_user)
    IS DISTINCT FROM (i.origin, i.remote_ae_title, i.called_ae_title, i.remote_ip, i.http_user)
""")


def _are_beneath(level: Level, identifiers: Sequence[str]) -> ColumnElement[bool]:
    """The instances of these resources."""
    if level is Level.INSTANCE:
        return is_among(instance.c.orthanc_instance_id, identifiers)
    if level is Level.SERIES:
        return is_among(instance.c.orthanc_series_id, identifiers)
    of_series = select(series.c.orthanc_series_id).correlate(None)
    if level is Level.STUDY:
        of_series = of_series.where(is_among(series.c.orthanc_study_id, identifiers))
    else:
        of_series = of_series.join(study, _IN_STUDY).where(is_among(study.c.orthanc_patient_id, identifiers))
    return instance.c.orthanc_series_id.in_(of_series)


def _lock_parents(connection: Connection, which: ColumnElement[bool]) -> None:
    """Lock the patients and studies that lose these instances: by these, nobody else writes what lies beneath them."""
    with_series = instance.join(series, series.c.orthanc_series_id == instance.c.orthanc_series_id)
    with_study = with_series.join(study, _IN_STUDY)
    for key, of_study in (
        (patient.c.orthanc_patient_id, study.c.orthanc_patient_id),
        (study.c.orthanc_study_id, series.c.orthanc_study_id),
    ):
        losing = select(of_study).select_from(with_study).where(which).correlate(None)
        connection.execute(select(key).where(key.in_(losing)).order_by(key).with_for_update())
