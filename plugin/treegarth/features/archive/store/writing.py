"""Write batches of instances into the index, and take out what Orthanc no longer has.

Every statement names its rows in key order, and levels from patient down, so that two writers never wait for
each other in a circle.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, text

from treegarth.database.phrase_column import kept
from treegarth.features.archive.model import IndexedInstance, Level, RemovedInstance
from treegarth.features.archive.store.arriving import forget_arrival, note_arrival
from treegarth.features.archive.tables import instance, patient, series, study

_PATIENT = ("patient_id", "patient_name", "patient_birth_date", "patient_sex")
_STUDY = (
    *("study_instance_uid", "patient_id", "patient_name", "patient_birth_date", "patient_sex"),
    *("study_date", "study_time", "study_id", "study_description", "accession_number"),
    *("referring_physician_name", "institution_name"),
)
_SERIES = (
    *("series_instance_uid", "modality", "series_number", "series_description", "series_date", "series_time"),
    *("body_part_examined", "protocol_name", "manufacturer", "manufacturer_model_name", "station_name"),
    *("device_serial_number", "institution_name"),
)
_ORIGIN = ("origin", "remote_ae_title", "called_ae_title", "remote_ip", "http_user")
_RECEIVED = ("first_received_at", "last_received_at")  # of the first object; with later ones the counting sets the last
_INSTANCE = (
    *("sop_instance_uid", "sop_class_uid", "instance_number", "number_of_frames", "rows", "columns", "image_type"),
    *("acquisition_date", "acquisition_time", "transfer_syntax_uid"),
)
_KEYS = {
    Level.PATIENT: (patient, "orthanc_patient_id"),
    Level.STUDY: (study, "orthanc_study_id"),
    Level.SERIES: (series, "orthanc_series_id"),
    Level.INSTANCE: (instance, "orthanc_instance_id"),
}


def write_instances(
    connection: Connection, instances: Sequence[IndexedInstance], series_headers: Mapping[str, tuple[str, Any]]
) -> None:
    """Upsert the rows of these instances and of their parents, and bring the parents' counts up to date.

    `series_headers` gives, by Orthanc's series identifier, an instance's identifier and its header as DICOM JSON.
    A later instance's attribute wins over an earlier one's, but never an absent one over a present one. Only a series'
    origin is that of one object, the last. Studies and series with an instance that is new to the index arrive.
    """
    _upsert(connection, patient, _merged((i.orthanc_patient_id, _patient_row(i)) for i in instances))
    _upsert(connection, study, _merged((i.orthanc_study_id, _study_row(i)) for i in instances))
    _upsert(connection, series, _merged((i.orthanc_series_id, _series_row(i, series_headers)) for i in instances))
    new = _upsert(connection, instance, {i.orthanc_instance_id: _instance_row(i) for i in instances}, replace=True)
    count_again(connection, {i.orthanc_series_id for i in instances}, {i.orthanc_study_id for i in instances})
    arrived = (i for i in instances if i.orthanc_instance_id in new)
    note_arrival(connection, ((i.orthanc_study_id, i.orthanc_series_id) for i in arrived))


def series_with_header(connection: Connection, orthanc_series_ids: Iterable[str]) -> set[str]:
    """Those of the series that are in the index with their header."""
    found = connection.execute(
        text("SELECT orthanc_series_id FROM series WHERE orthanc_series_id = ANY(:ids) AND header IS NOT NULL"),
        {"ids": list(orthanc_series_ids)},
    )
    return set(found.scalars())


def known(connection: Connection, level: Level, identifiers: Sequence[str]) -> set[str]:
    """Those of Orthanc's identifiers that are in the index."""
    table, key = _KEYS[level]
    found = connection.execute(
        text(f"SELECT {key} FROM {table.name} WHERE {key} = ANY(:ids)"),  # noqa: S608 - names of our own tables
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
    count_again(connection, {one.orthanc_series_id for one in removed}, {one.orthanc_study_id for one in removed})
    return removed


def remove_empty(connection: Connection, removed: Sequence[RemovedInstance]) -> list[str]:
    """Take out the parents of removed instances that nothing is left of, not even objects that were pruned; the
    studies that left the index."""
    series, studies = {one.orthanc_series_id for one in removed}, {one.orthanc_study_id for one in removed}
    connection.execute(text(_REMOVE_SERIES), {"ids": sorted(series)})
    gone = connection.execute(text(_REMOVE_STUDIES), {"ids": sorted(studies)}).scalars().all()
    connection.execute(text(_REMOVE_PATIENTS), {"ids": sorted({one.orthanc_patient_id for one in removed})})
    forget_arrival(connection, studies)
    return sorted(gone)


def note_pruned(connection: Connection, counts: Mapping[str, tuple[int, int]]) -> None:
    """Write how many objects of each series a retention policy deleted, and their bytes; studies add them up."""
    given = [{"id": key, "instances": count, "bytes": size} for key, (count, size) in sorted(counts.items())]
    studies = connection.execute(text(_NOTE_PRUNED), {"rows": json.dumps(given)}).scalars()
    connection.execute(text(_COUNT_STUDIES), {"ids": sorted(set(studies))})


def count_again(connection: Connection, series_ids: set[str], study_ids: set[str]) -> None:
    """Bring counts, sizes and modalities of series and studies up to date. Their rows are locked by this transaction,
    so that what another writer has committed is seen."""
    connection.execute(text(_COUNT_SERIES), {"ids": sorted(series_ids)})
    connection.execute(text(_COUNT_STUDIES), {"ids": sorted(study_ids)})


_COUNT_SERIES = """
UPDATE series s
SET instance_count = c.instances, size_bytes = c.bytes, last_received_at = greatest(s.last_received_at, c.received_at)
FROM (
    SELECT k.orthanc_series_id, count(i.orthanc_instance_id) AS instances, coalesce(sum(i.size_bytes), 0) AS bytes,
        max(i.received_at) AS received_at
    FROM unnest(CAST(:ids AS text[])) AS k (orthanc_series_id)
    LEFT JOIN instance i ON i.orthanc_series_id = k.orthanc_series_id
    GROUP BY 1
) c
WHERE s.orthanc_series_id = c.orthanc_series_id
"""
_COUNT_STUDIES = """
UPDATE study t
SET series_count = c.series, instance_count = c.instances, size_bytes = c.bytes, modalities = c.modalities,
    last_received_at = greatest(t.last_received_at, c.received_at),
    pruned_instance_count = c.pruned, pruned_size_bytes = c.pruned_bytes
FROM (
    SELECT k.orthanc_study_id, count(s.orthanc_series_id) AS series, coalesce(sum(s.instance_count), 0) AS instances,
        coalesce(sum(s.size_bytes), 0) AS bytes, max(s.last_received_at) AS received_at,
        coalesce(sum(s.pruned_instance_count), 0) AS pruned, coalesce(sum(s.pruned_size_bytes), 0) AS pruned_bytes,
        coalesce(
            array_agg(DISTINCT s.modality ORDER BY s.modality) FILTER (WHERE s.modality IS NOT NULL), '{}'
        ) AS modalities
    FROM unnest(CAST(:ids AS text[])) AS k (orthanc_study_id)
    LEFT JOIN series s ON s.orthanc_study_id = k.orthanc_study_id
        AND (s.instance_count > 0 OR s.pruned_instance_count > 0)
    GROUP BY 1
) c
WHERE t.orthanc_study_id = c.orthanc_study_id
"""
_NOTE_PRUNED = """
UPDATE series s SET pruned_instance_count = r.instances, pruned_size_bytes = r.bytes
FROM json_to_recordset(CAST(:rows AS json)) AS r (id text, instances integer, bytes bigint)
WHERE s.orthanc_series_id = r.id RETURNING s.orthanc_study_id
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
    """Lock the studies, then the series, that lose instances: the same order in which a batch is written."""
    for table, key in (("study", "orthanc_study_id"), ("series", "orthanc_series_id")):
        connection.execute(
            text(
                f"SELECT 1 FROM {table} WHERE {key} IN (SELECT {key} FROM instance i"  # noqa: S608 - our own names
                f" JOIN series USING (orthanc_series_id) WHERE {condition}) ORDER BY {key} FOR UPDATE"
            ),
            {"ids": list(identifiers)},
        )


def _patient_row(item: IndexedInstance) -> dict[str, Any]:
    return {"orthanc_patient_id": item.orthanc_patient_id, **_attributes(item, _PATIENT)}


def _study_row(item: IndexedInstance) -> dict[str, Any]:
    return {
        "orthanc_study_id": item.orthanc_study_id,
        "orthanc_patient_id": item.orthanc_patient_id,
        **_attributes(item, _STUDY),
        "first_received_at": item.received_at,
        "last_received_at": item.received_at,
    }


def _series_row(item: IndexedInstance, headers: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    header_of, header = headers.get(item.orthanc_series_id, (None, None))
    return {
        "orthanc_series_id": item.orthanc_series_id,
        "orthanc_study_id": item.orthanc_study_id,
        **_attributes(item, _SERIES),
        "last_received_at": item.received_at,
        **_origin(item),
        "header": header,
        "header_orthanc_instance_id": header_of,
    }


def _instance_row(item: IndexedInstance) -> dict[str, Any]:
    issues = [{"path": issue.path, "reason": kept(issue.reason)} for issue in item.header.issues]
    return {
        "orthanc_instance_id": item.orthanc_instance_id,
        "orthanc_series_id": item.orthanc_series_id,
        **_attributes(item, _INSTANCE),
        "size_bytes": item.size_bytes,
        **_origin(item),
        "received_at": item.received_at,
        "issues": issues or None,
        "nesting_depth": item.nesting_depth,
    }


def _origin(item: IndexedInstance) -> dict[str, Any]:
    origin = item.origin
    values = (origin.kind, origin.remote_ae_title, origin.called_ae_title, origin.remote_ip, origin.http_user)
    return dict(zip(_ORIGIN, values, strict=True))


def _attributes(item: IndexedInstance, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(item.header, name) for name in names}


def _merged(rows: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """One row a key: of each attribute the last value that is present, and the last origin whole."""
    merged: dict[str, dict[str, Any]] = {}
    for key, row in rows:
        if key in merged:
            kept = {name: value for name, value in row.items() if value is not None or name in _ORIGIN}
            merged[key].update(kept)
        else:
            merged[key] = row
    return merged


def _upsert(
    connection: Connection, table: Table, rows: Mapping[str, dict[str, Any]], *, replace: bool = False
) -> set[str]:
    """Insert or update these rows; with `replace`, which of them were not there before."""
    ordered = [rows[key] for key in sorted(rows)]
    statement = _upsert_statement(table, tuple(ordered[0]), replace)
    written = connection.execute(statement, {"rows": json.dumps(ordered, default=_plain, ensure_ascii=False)})
    return {key for key, is_new in written if is_new} if replace else set()


@cache
def _upsert_statement(table: Table, columns: tuple[str, ...], replace: bool) -> Any:
    """One statement for any number of rows, which come as one JSON text: a parameter each would cost more.

    A parent that says nothing new is locked but not written: each version of a row costs an entry in all its indexes.
    """
    (key,) = table.primary_key.columns.keys()
    names = ", ".join(f'"{name}"' for name in columns)
    typed = ", ".join(f'"{name}" {table.c[name].type.compile(_dialect())}' for name in columns)
    changing = [name for name in columns if name != key and (replace or name not in _RECEIVED)]
    changes = ", ".join(f'"{name}" = {_new_value(table, name, replace)}' for name in changing)
    news = " OR ".join(f"({_is_news(table, name)})" for name in changing)
    return text(
        f"INSERT INTO {table.name} ({names}) SELECT {names} FROM json_to_recordset(CAST(:rows AS json)) AS r ({typed})"  # noqa: S608
        f" ON CONFLICT ({key}) DO UPDATE SET {changes}"
        + (f" RETURNING {key}, xmax = 0" if replace else f" WHERE {news}")
    )


def _new_value(table: Table, name: str, replace: bool) -> str:
    return f'excluded."{name}"' if replace or name in _ORIGIN else f'coalesce(excluded."{name}", {table.name}."{name}")'


def _is_news(table: Table, name: str) -> str:
    differs = f'excluded."{name}" IS DISTINCT FROM {table.name}."{name}"'
    return differs if name in _ORIGIN else f'excluded."{name}" IS NOT NULL AND {differs}'


def _dialect() -> Any:
    from sqlalchemy.dialects import postgresql

    return postgresql.dialect()  # type: ignore[no-untyped-call]


def _plain(value: object) -> str:
    if isinstance(value, date | time | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
