"""Write batches of instances into the index.

A series says what its object with the smallest identifier says, whatever came first; `parents.py` has its study and
its patient follow. Every statement names its rows in key order, and levels from patient down, so that two writers never
wait for each other in a circle. Who writes has the rows of its patients and studies locked: nobody else writes what
lies beneath them meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, text

from treegarth.database.phrase_column import kept
from treegarth.features.archive.store.arrivals import note_arrival
from treegarth.features.archive.store.removal import remove_empty_studies
from treegarth.index.instances import IndexedInstance, KnownStore, Origin
from treegarth.index.parents import STUDY_ATTRIBUTES, tell_parents
from treegarth.index.tables import instance, patient, series, study

_SERIES = (
    *("series_instance_uid", "modality", "series_number", "series_description", "series_date", "series_time"),
    *("body_part_examined", "protocol_name", "manufacturer", "manufacturer_model_name", "station_name"),
    *("device_serial_number", "institution_name"),
)
_ORIGIN = ("origin", "remote_ae_title", "called_ae_title", "remote_ip", "http_user")
_UPLOADER = ("uploader_id", "session_id", "token_id")
_INSTANCE = (
    *("sop_instance_uid", "sop_class_uid", "instance_number", "number_of_frames", "rows", "columns", "image_type"),
    *("acquisition_date", "acquisition_time", "transfer_syntax_uid"),
)

Choose: TypeAlias = Callable[[Mapping[str, KnownStore]], Sequence[IndexedInstance]]
"""Which of the instances are written, given what the index knows of those that it has."""
HeaderOf: TypeAlias = Callable[[str], dict[str, Any] | None]
"""The header of an instance of the batch as DICOM JSON; None where its bytes give none."""


def write_instances(
    connection: Connection,
    instances: Sequence[IndexedInstance],
    header_of: HeaderOf,
    choose: Choose | None = None,
    *,
    on_stored: Callable[[Iterable[str]], None] | None = None,
) -> Sequence[IndexedInstance]:
    """Write the rows of the instances, those that `choose` leaves, and bring their parents up to date; which those are.
    `on_stored` is told of those of which the index did not have this store.

    Studies and series with an instance that is new to the index, or was stored again, arrive.
    """
    patients = {i.orthanc_patient_id: {"orthanc_patient_id": i.orthanc_patient_id} for i in instances}
    _insert(connection, patient, patients)
    _insert(connection, study, {i.orthanc_study_id: _study_row(i) for i in reversed(instances)})
    if choose is not None:
        known = known_stores(connection, [i.orthanc_instance_id for i in instances])
        given, instances = instances, choose(known)
        if len(instances) < len(given):
            _forget_parents(connection, [i for i in given if i.orthanc_instance_id not in known], instances)
        if not instances:
            return instances
    _write_series(connection, instances, header_of)
    stored = _write_rows(connection, {i.orthanc_instance_id: _instance_row(i) for i in instances})
    if on_stored is not None:
        on_stored(stored)
    tell_parents(
        connection,
        series_ids={i.orthanc_series_id for i in instances},
        study_ids={i.orthanc_study_id for i in instances},
        patient_ids={i.orthanc_patient_id for i in instances},
    )
    arrived = (i for i in instances if i.orthanc_instance_id in stored)
    note_arrival(connection, ((i.orthanc_study_id, i.orthanc_series_id) for i in arrived))
    return instances


def _forget_parents(connection: Connection, new: Sequence[IndexedInstance], chosen: Sequence[IndexedInstance]) -> None:
    """The rows that were made for instances which are not written after all go again."""
    written = {i.orthanc_instance_id for i in chosen}
    dropped = [i for i in new if i.orthanc_instance_id not in written]
    studies = {i.orthanc_study_id for i in dropped} - {i.orthanc_study_id for i in chosen}
    if studies:
        remove_empty_studies(connection, studies, {i.orthanc_patient_id for i in dropped})


def known_stores(connection: Connection, orthanc_instance_ids: Sequence[str]) -> dict[str, KnownStore]:
    """Which store of each of these instances the index has, of those that it has."""
    # As texts, here and below: the same for any number of rows, so PostgreSQL plans them once.
    rows = connection.execute(
        text(
            "SELECT orthanc_instance_id, received_at, size_bytes, header_checksum,"
            " remote_ip, http_user, uploader_id, session_id, token_id FROM instance"
            " WHERE orthanc_instance_id = ANY(:ids)"
        ),
        {"ids": list(orthanc_instance_ids)},
    )
    return {
        row.orthanc_instance_id: KnownStore(
            received_at=row.received_at,
            size_bytes=row.size_bytes,
            header_checksum=row.header_checksum,
            origin=Origin(
                remote_ip=row.remote_ip,
                http_user=row.http_user,
                uploader_id=row.uploader_id,
                session_id=row.session_id,
                token_id=row.token_id,
            ),
        )
        for row in rows
    }


def _write_series(connection: Connection, instances: Sequence[IndexedInstance], header_of: HeaderOf) -> None:
    """A row for each series, with the attributes of its first object where the batch has that."""
    by_series: dict[str, list[IndexedInstance]] = {}
    for one in instances:
        by_series.setdefault(one.orthanc_series_id, []).append(one)
    firsts = _first_objects(connection, by_series)
    rows = {}
    for series_id, members in by_series.items():
        candidate = min(members, key=lambda one: one.orthanc_instance_id)
        first = firsts.get(series_id)
        is_first = first is None or candidate.orthanc_instance_id <= first
        rows[series_id] = _series_row(candidate, members, is_first=is_first, header_of=header_of)
    _run(connection, _series_statement(tuple(next(iter(rows.values())))), rows)


def _first_objects(connection: Connection, orthanc_series_ids: Iterable[str]) -> dict[str, str | None]:
    """The object with the smallest identifier of those that the index has, for each series that it has.

    It need not be looked for where the series' row says whose attributes it has.
    """
    rows = connection.execute(text(_FIRST_OBJECTS), {"ids": list(orthanc_series_ids)})
    return {row[0]: row[1] for row in rows}


_FIRST_OBJECTS = """
SELECT orthanc_series_id, CASE WHEN is_stale OR instance_count = 0 OR header_orthanc_instance_id IS NULL
    THEN (SELECT min(i.orthanc_instance_id) FROM instance i WHERE i.orthanc_series_id = s.orthanc_series_id)
    ELSE header_orthanc_instance_id END
FROM series s WHERE orthanc_series_id = ANY(:ids)
"""


def _study_row(item: IndexedInstance) -> dict[str, Any]:
    return {
        "orthanc_study_id": item.orthanc_study_id,
        "orthanc_patient_id": item.orthanc_patient_id,
        "study_instance_uid": item.study_instance_uid,
        "first_received_at": item.received_at,
        "last_received_at": item.received_at,
    }


def _series_row(
    candidate: IndexedInstance, members: Sequence[IndexedInstance], *, is_first: bool, header_of: HeaderOf
) -> dict[str, Any]:
    last = max(enumerate(members), key=lambda each: (each[1].received_at, each[0]))[1]
    return {
        "orthanc_series_id": candidate.orthanc_series_id,
        "orthanc_study_id": candidate.orthanc_study_id,
        **_attributes(candidate, _SERIES),
        "study_attributes": _attributes(candidate, STUDY_ATTRIBUTES),
        "header": header_of(candidate.orthanc_instance_id) if is_first else None,
        "header_orthanc_instance_id": candidate.orthanc_instance_id if is_first else None,
        "last_received_at": last.received_at,
        **_origin(last),
    }


def _instance_row(item: IndexedInstance) -> dict[str, Any]:
    issues = [{"path": issue.path, "reason": kept(issue.reason)} for issue in item.header.issues]
    return {
        "orthanc_instance_id": item.orthanc_instance_id,
        "orthanc_series_id": item.orthanc_series_id,
        **_attributes(item, _INSTANCE),
        "size_bytes": item.size_bytes,
        **_origin(item),
        **{name: getattr(item.origin, name) for name in _UPLOADER},
        "received_at": item.received_at,
        "header_checksum": item.header_checksum,
        "issues": issues or None,
        "nesting_depth": item.nesting_depth,
    }


def _origin(item: IndexedInstance) -> dict[str, Any]:
    origin = item.origin
    values = (origin.kind, origin.remote_ae_title, origin.called_ae_title, origin.remote_ip, origin.http_user)
    return dict(zip(_ORIGIN, values, strict=True))


def _attributes(item: IndexedInstance, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(item.header, name) for name in names}


def _insert(connection: Connection, table: Table, rows: Mapping[str, dict[str, Any]]) -> None:
    """Insert these parents where they are not there, and lock them all."""
    _run(connection, _insert_statement(table, tuple(next(iter(rows.values())))), rows)


def _write_rows(connection: Connection, rows: Mapping[str, dict[str, Any]]) -> set[str]:
    """Insert or replace these instances; of which of them the index did not have this store."""
    written = _run(connection, _instance_statement(tuple(next(iter(rows.values())))), rows)
    return {key for key, is_stored in written if is_stored}


def _run(connection: Connection, statement: Any, rows: Mapping[str, dict[str, Any]]) -> Any:
    ordered = [rows[key] for key in sorted(rows)]
    return connection.execute(statement, {"rows": json.dumps(ordered, default=_plain, ensure_ascii=False)})


@cache
def _insert_statement(table: Table, columns: tuple[str, ...]) -> Any:
    (key,) = table.primary_key.columns.keys()
    return text(f"{_inserting(table, columns)} ON CONFLICT ({key}) DO UPDATE SET {key} = excluded.{key} WHERE false")


@cache
def _series_statement(columns: tuple[str, ...]) -> Any:
    """Attributes are taken where the row names the object that they are of, the origin where nothing later came.

    A row that has no news is not written: each version of a row costs an entry in all its indexes.
    """
    is_first, is_last = (
        "excluded.header_orthanc_instance_id IS NOT NULL",
        "excluded.last_received_at >= series.last_received_at",
    )
    attributes = (*_SERIES, "study_attributes", "header", "header_orthanc_instance_id")
    changes = [_taken(name, is_first) for name in attributes] + [_taken(name, is_last) for name in _ORIGIN]
    changes.append(f"is_stale = series.is_stale AND NOT {is_first}")
    here, there = (", ".join(f"{row}.{name}" for name in _ORIGIN) for row in ("series", "excluded"))
    return text(
        f"{_inserting(series, columns)} ON CONFLICT (orthanc_series_id) DO UPDATE SET {', '.join(changes)}"
        f" WHERE {is_first} OR {is_last} AND ({there}) IS DISTINCT FROM ({here})"
    )


def _taken(name: str, condition: str) -> str:
    return f'"{name}" = CASE WHEN {condition} THEN excluded."{name}" ELSE series."{name}" END'


@cache
def _instance_statement(columns: tuple[str, ...]) -> Any:
    """`content_since` moves with every store that is not the one that the row has, whatever its header says: a picture
    may be another under the same header."""
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in columns[1:])
    return text(
        f"{_inserting(instance, columns)} ON CONFLICT (orthanc_instance_id) DO UPDATE SET {changes},"
        f" content_since = CASE WHEN {_SAME_STORE} THEN instance.content_since ELSE now() END"
        " RETURNING orthanc_instance_id, coalesce(content_since = now(), false)"
    )


# As `ingest/stores.py` tells stores apart. Older versions wrote times by the clock of the plugin, not in whole seconds.
_SAME_STORE = """(
    excluded.size_bytes = instance.size_bytes
    AND coalesce(excluded.header_checksum = instance.header_checksum, true)
    AND CASE WHEN date_trunc('second', instance.received_at) = instance.received_at
        THEN excluded.received_at = instance.received_at
        ELSE abs(extract(epoch FROM excluded.received_at - instance.received_at)) <= 2 END
)"""


def _inserting(table: Table, columns: tuple[str, ...]) -> str:
    """One statement for any number of rows, which come as one JSON text: a parameter each would cost more."""
    names = ", ".join(f'"{name}"' for name in columns)
    typed = ", ".join(f'"{name}" {table.c[name].type.compile(_dialect())}' for name in columns)
    return (
        f"INSERT INTO {table.name} ({names}) SELECT {names} FROM json_to_recordset(CAST(:rows AS json)) AS r ({typed})"  # noqa: S608
    )


def _dialect() -> Any:
    from sqlalchemy.dialects import postgresql

    return postgresql.dialect()  # type: ignore[no-untyped-call]


def _plain(value: object) -> str:
    if isinstance(value, date | time | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
