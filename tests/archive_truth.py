"""What the files in an Orthanc say of every row of the index.

Read by pydicom, with none of the own code of the index but the JSON form of a header, and by the rules on which object
speaks for a series, a study and a patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from io import BytesIO
from typing import Any, TypeAlias

import psycopg
import pydicom
import requests
from psycopg.rows import dict_row
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

from tests.servers import OrthancServer
from treegarth.database.embedded import EmbeddedServer
from treegarth.dicom.header_json import header_json
from treegarth.dicom.headers import TAGS
from treegarth.dicom.raw_elements import header_end

Row: TypeAlias = dict[str, Any]
_PATIENT = ("patient_id", "patient_name", "patient_birth_date", "patient_sex")
_STUDY = (
    *_PATIENT,
    *("study_date", "study_time", "study_id", "study_description", "accession_number"),
    *("referring_physician_name", "institution_name"),
)
_SERIES = (
    *("series_instance_uid", "modality", "series_number", "series_description", "series_date", "series_time"),
    *("body_part_examined", "protocol_name", "manufacturer", "manufacturer_model_name", "station_name"),
    *("device_serial_number", "institution_name"),
)
_INSTANCE = (
    *("sop_instance_uid", "sop_class_uid", "instance_number", "number_of_frames", "rows", "columns", "image_type"),
    *("acquisition_date", "acquisition_time"),
)
_ORIGIN = ("origin", "remote_ae_title", "called_ae_title", "remote_ip", "http_user")
_ORIGINS = {"DicomProtocol": 2, "RestApi": 3}
NOT_OF_THE_FILES = {
    "patient": set(),
    "study": {
        "scope_id",
        "search_text",
        "pruned_instance_count",
        "pruned_size_bytes",
        "first_received_at",
        "last_received_at",
    },
    "series": {"pruned_instance_count", "pruned_size_bytes", "last_received_at", *_ORIGIN},
    "instance": {"header_checksum", "indexed_at", "content_since", "issues", "uploader_id", "session_id", "token_id"},
}
"""Columns that say how the index came by a row, or follow from others; the origin of a series is looked at apart."""


@dataclass(kw_only=True)
class Truth:
    """The rows that the index should have, by table and Orthanc's identifier; the origins that a series may have."""

    tables: dict[str, dict[str, Row]]
    origins: dict[str, set[tuple[Any, ...]]]
    datasets: dict[str, Dataset] = field(default_factory=dict)


def truth_of(server: OrthancServer) -> Truth:
    """Read every file that Orthanc holds now."""
    instances = {one["ID"]: one for one in server.orthanc("instances", expand="")}
    series = {one["ID"]: one["ParentStudy"] for one in server.orthanc("series", expand="")}
    studies = {one["ID"]: one["ParentPatient"] for one in server.orthanc("studies", expand="")}
    with requests.Session() as session:
        files = {key: session.get(f"{server.url}/instances/{key}/file", timeout=120).content for key in instances}
        about = {
            key: session.get(f"{server.url}/instances/{key}/metadata?expand", timeout=120).json() for key in instances
        }
    datasets = {key: pydicom.dcmread(BytesIO(data)) for key, data in files.items()}
    rows: dict[str, dict[str, Row]] = {name: {} for name in NOT_OF_THE_FILES}
    for key, dataset in datasets.items():
        rows["instance"][key] = {
            "orthanc_instance_id": key,
            "orthanc_series_id": instances[key]["ParentSeries"],
            **_values(dataset, _INSTANCE),
            "transfer_syntax_uid": str(dataset.file_meta.TransferSyntaxUID),
            "nesting_depth": None,  # none of these is nested
            "size_bytes": len(files[key]),
            "received_at": _received_at(about[key]),
            **dict(zip(_ORIGIN, _origin(about[key]), strict=True)),
        }
    members = _grouped(rows["instance"], lambda row: row["orthanc_series_id"])
    for key, study in series.items():
        first = min(members[key])
        rows["series"][key] = {
            "orthanc_series_id": key,
            "orthanc_study_id": study,
            **_values(datasets[first], _SERIES),
            "study_attributes": {name: _as_json(value) for name, value in _values(datasets[first], _STUDY).items()},
            "header": header_json(files[first][: header_end(files[first])]),
            "header_orthanc_instance_id": first,
            "is_stale": False,
            "instance_count": len(members[key]),
            "size_bytes": sum(len(files[one]) for one in members[key]),
        }
    of_study = _grouped(rows["series"], lambda row: row["orthanc_study_id"])
    for key, patient in studies.items():
        own = sorted(of_study[key])
        firsts = [datasets[min(members[one])] for one in own]
        rows["study"][key] = {
            "orthanc_study_id": key,
            "orthanc_patient_id": patient,
            "study_instance_uid": str(firsts[0].StudyInstanceUID),
            **_first_present([_values(one, _STUDY) for one in firsts], _STUDY),
            "modalities": sorted({rows["series"][one]["modality"] for one in own} - {None}),
            "series_count": len(own),
            **{name: sum(rows["series"][one][name] for one in own) for name in ("instance_count", "size_bytes")},
        }
    for key, own in _grouped(rows["study"], lambda row: row["orthanc_patient_id"]).items():
        newest = sorted((rows["study"][one] for one in sorted(own)), key=_newest_first)
        rows["patient"][key] = {"orthanc_patient_id": key, **_first_present(newest, _PATIENT)}
    return Truth(tables=rows, origins=_last_origins(rows["instance"], members), datasets=datasets)


def index_of(server: OrthancServer) -> dict[str, dict[str, Row]]:
    """The rows that the index has, without the columns that no file says."""
    found = {}
    for name, left_out in NOT_OF_THE_FILES.items():
        rows = table(server, name)
        key = f"orthanc_{name}_id"
        found[name] = {row[key]: {c: value for c, value in row.items() if c not in left_out} for row in rows}
    return found


def table(server: OrthancServer, name: str) -> list[Row]:
    """Every row of a table of the server's embedded database."""
    with _connect(server) as connection:
        return list(connection.execute(f"SELECT * FROM {name}".encode()))  # noqa: S608 - a test's own words


def execute(server: OrthancServer, statement: str) -> None:
    """A change that Treegarth does not make."""
    with _connect(server) as connection:
        connection.execute(statement.encode())


def _connect(server: OrthancServer) -> psycopg.Connection[Row]:
    address = EmbeddedServer(server.folder / "treegarth/postgresql").running_address()
    assert address is not None, "the database does not run"
    return psycopg.connect(address.conninfo(), row_factory=dict_row)


def differences(server: OrthancServer, truth: Truth) -> list[str]:
    """Where the index says something else than the files; empty when it says just what they say."""
    index, found = index_of(server), []
    for name, rows in truth.tables.items():
        for key in sorted(rows.keys() | index[name].keys()):
            want, have = rows.get(key), index[name].get(key)
            if want is None or have is None:
                found.append(f"{name} {key} is {'missing' if have is None else 'left over'}")
                continue
            assert want.keys() == have.keys(), f"columns of {name} that nobody looks at: {want.keys() ^ have.keys()}"
            found += [f"{name} {key}: {c} is {have[c]!r}, not {want[c]!r}" for c in want if have[c] != want[c]]
    for row in table(server, "series"):
        origin = tuple(row[name] for name in _ORIGIN)
        if origin not in truth.origins.get(row["orthanc_series_id"], {origin}):
            found.append(f"series {row['orthanc_series_id']}: its origin is {origin}")
    return found


def _values(dataset: Dataset, names: Iterable[str]) -> Row:
    return {name: _value(dataset, name) for name in names}


def _value(dataset: Dataset, name: str) -> Any:
    value = dataset.get(keyword_for_tag(TAGS[name]))
    if value is None or str(value) == "":
        return None
    if name.endswith("_date"):
        return date.fromisoformat(str(value))
    if name.endswith("_time"):
        return _time(str(value))
    if name == "image_type":
        return [str(part) for part in value]
    if name in ("series_number", "instance_number", "number_of_frames", "rows", "columns"):
        return int(value)
    return str(value)


def _time(value: str) -> time:
    whole, _, fraction = value.partition(".")
    return time(int(whole[:2]), int(whole[2:4]), int(whole[4:]), int(fraction.ljust(6, "0")) if fraction else 0)


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | time) else value


def _first_present(rows: Iterable[Row], names: Iterable[str]) -> Row:
    listed = list(rows)
    return {name: next((row[name] for row in listed if row[name] is not None), None) for name in names}


def _newest_first(row: Row) -> tuple[Any, ...]:
    day, moment = row["study_date"], row["study_time"]
    return (
        day is None,
        -day.toordinal() if day else 0,
        moment is None,
        -(moment.hour * 3600 + moment.minute * 60 + moment.second) if moment else 0,
        row["orthanc_study_id"],
    )


def _received_at(metadata: Mapping[str, str]) -> datetime:
    return datetime.strptime(metadata["ReceptionDate"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def _origin(metadata: Mapping[str, str]) -> tuple[Any, ...]:
    texts = (metadata.get(name) or None for name in ("RemoteAET", "CalledAET", "RemoteIP", "HttpUsername"))
    return (_ORIGINS[metadata["Origin"]], *texts)


def _last_origins(instances: Mapping[str, Row], members: Mapping[str, list[str]]) -> dict[str, set[tuple[Any, ...]]]:
    """Of the objects that were received in the last second of each series: which was last nobody can tell."""
    found = {}
    for key, own in members.items():
        last = max(instances[one]["received_at"] for one in own)
        found[key] = {
            tuple(instances[one][name] for name in _ORIGIN) for one in own if instances[one]["received_at"] == last
        }
    return found


def _grouped(rows: Mapping[str, Row], by: Any) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for key, row in rows.items():
        groups.setdefault(by(row), []).append(key)
    return groups
