"""Generated studies of conditions, written into the tables that the vocabulary reads."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Table

from tests.condition_builder import DESTINATIONS, HEADER, NOW, Row
from treegarth.conditions.vocabulary import Vocabulary
from treegarth.features.deliveries.tables import delivery_object, destination
from treegarth.features.dose.registry.tables import dose_study
from treegarth.features.retention.tables import hold
from treegarth.index.tables import arrival, instance, patient, series, study, study_label

_DAY = timedelta(days=1)


def write_studies(connection: Connection, vocabulary: Vocabulary, studies: Sequence[Row]) -> list[str]:
    """Write the studies; their keys, study-0 and so on."""
    rows: dict[Table, list[dict[str, Any]]] = defaultdict(list)
    rows[patient].append({"orthanc_patient_id": "patient"})
    rows[destination] = [
        {"id": at, "name": name, "kind": "folder", "address": {}} for at, name in enumerate(DESTINATIONS, 1)
    ]
    keys = [f"study-{at}" for at in range(len(studies))]
    for key, one in zip(keys, studies, strict=True):
        rows[study].append(_study(vocabulary, key, one))
        _add_neighbours(rows, key, one.values)
        for at, beneath in enumerate(one.below):
            rows[series].append(_series(vocabulary, key, f"{key}-{at}", beneath))
            for number, found in enumerate(beneath.below):
                rows[instance].append(_instance(vocabulary, f"{key}-{at}", f"{key}-{at}-{number}", found))
    order = (patient, destination, study, series, instance, arrival, dose_study, study_label, hold, delivery_object)
    for table in order:
        if rows[table]:
            connection.execute(table.insert(), rows[table])
    return keys


def _columns(vocabulary: Vocabulary, table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """Those of the values that stand in columns of the table."""
    found = {}
    for name, value in values.items():
        term = vocabulary.terms.get(name)
        if term is not None and term.rows is None and getattr(term.expression, "table", None) is table:
            found[term.expression.key] = value
    return found


def _study(vocabulary: Vocabulary, key: str, one: Row) -> dict[str, Any]:
    return {
        "orthanc_study_id": key,
        "orthanc_patient_id": "patient",
        "study_instance_uid": key,
        "series_count": len(one.below),
        "modalities": sorted({beneath.values["Modality"] for beneath in one.below} - {None}),
        **_columns(vocabulary, study, one.values),
    }


def _series(vocabulary: Vocabulary, parent: str, key: str, one: Row) -> dict[str, Any]:
    header = {HEADER[name][0]: given for name, given in one.values["header"].items() if given}
    return {
        "orthanc_series_id": key,
        "orthanc_study_id": parent,
        "series_instance_uid": key,
        "header": {tag: {"vr": "XX", "Value": json.loads(given)} for tag, given in header.items()} or None,
        **_columns(vocabulary, series, one.values),
    }


def _instance(vocabulary: Vocabulary, parent: str, key: str, one: Row) -> dict[str, Any]:
    return {
        "orthanc_instance_id": key,
        "orthanc_series_id": parent,
        "sop_instance_uid": key,
        "size_bytes": 1,
        "received_at": NOW,
        **_columns(vocabulary, instance, one.values),
    }


def _add_neighbours(rows: dict[Table, list[dict[str, Any]]], key: str, values: dict[str, Any]) -> None:
    """What other features know of the study."""
    if values["is_arriving"]:
        rows[arrival].append({"orthanc_study_id": key, "orthanc_series_id": "", "last_arrived_at": NOW})
    if values["dose"] is not None:
        rows[dose_study].append(_dose(key, values["dose"]))
    rows[study_label] += [{"orthanc_study_id": key, "label": label, "set_at": NOW} for label in values["label"]]
    rows[hold] += [_hold(key, kind, None, NOW + _DAY if at else None) for at, kind in enumerate(values["hold"])]
    rows[hold] += [
        _hold(key, kind, None, NOW) if at else _hold(key, kind, NOW, None)
        for at, kind in enumerate(values["holds_no_more"])
    ]
    for at, name in enumerate(DESTINATIONS, 1):
        for number, state in enumerate(values["delivery"].get(name, ())):
            rows[delivery_object].append(_delivered(key, at, number, state))


def _dose(key: str, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "orthanc_study_id": key,
        "study_instance_uid": key,
        "report_count": 1,
        "counted_report_ids": [],
        "rule": "single",
        "irradiation_event_count": 1,
        "issue_count": 0,
        "protocols": [],
        "changed_at": NOW,
        **{
            name.removeprefix("dose."): list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        },
    }


def _hold(key: str, kind: str, released_at: Any, until: Any) -> dict[str, Any]:
    return {
        "orthanc_study_id": key,
        "study_instance_uid": key,
        "kind": kind,
        "reason": "asked",
        "set_at": NOW - _DAY,
        "released_at": released_at,
        "until": until,
    }


def _delivered(key: str, destination_id: int, number: int, state: str) -> dict[str, Any]:
    return {
        "destination_id": destination_id,
        "orthanc_instance_id": f"{key}-{number}",
        "orthanc_series_id": key,
        "orthanc_study_id": key,
        "study_instance_uid": key,
        "series_instance_uid": key,
        "sop_instance_uid": key,
        "size_bytes": 1,
        "state": state.removesuffix(" with a proof"),
        "proof": "status" if state.endswith(" with a proof") else None,
        "proof_wanted": "best",
    }
