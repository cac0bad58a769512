"""Calls every GET of the API by a client that openapi-python-client made of the document. A program of its own.

    PYTHONPATH=FOLDER-OF-THE-CLIENT python calls_of_generated_client.py SERVER

It prints what became of each call as JSON: {call: {status, parsed, length, differences}}. The parts of paths come from
what the lists answer. A parsed answer is written out again and compared with what came: a field that the document does
not know, or knows as something else, is a difference.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import EnumType
from functools import cached_property
from importlib import import_module
from typing import Any, get_args, get_type_hints

from treegarth_client import Client

# Of each parameter that must be given: the list that knows one, and where in its answer.
FOUND_IN: Mapping[str, tuple[str, tuple[str | int, ...]]] = {
    "study_instance_uid": ("api_list_studies", ("items", 0, "study_instance_uid")),
    "series_instance_uid": ("api_read_study", ("series", 0, "series_instance_uid")),
    "orthanc_instance_id": ("api_dose_reports", ("items", 0, "orthanc_instance_id")),
    "patient_id": ("api_list_studies", ("items", 0, "patient_id")),
    "not_patient_rule_id": ("api_not_patient_rules", ("items", 0, "id")),
    "character_set_id": ("api_character_sets", ("items", 0, "id")),
    "standard_name_id": ("api_standard_names", ("items", 0, "id")),
    "key": ("api_raw_names", ("items", 0, "key")),
    "dose_limit_id": ("api_dose_limits", ("items", 0, "id")),
    "dose_alert_level_id": ("api_dose_alert_levels", ("items", 0, "id")),
    "dose_alert_id": ("api_dose_alerts", ("items", 0, "id")),
    "dose_coefficient_id": ("api_dose_coefficients", ("items", 0, "id")),
    "device_key": ("api_dose_equipment", ("items", 0, "key")),
    "size_import_id": ("api_dose_size_files", ("items", 0, "id")),
    "dose_chart_id": ("api_dose_charts", ("items", 0, "id")),
    "level_set_id": ("api_level_sets", ("items", 0, "id")),
    "view_id": ("api_saved_views", ("items", 0, "id")),
    "rule_id": ("api_rules", ("items", 0, "id")),
    "destination_id": ("api_destinations", ("items", 0, "id")),
    "policy_id": ("api_retention_policies", ("items", 0, "id")),
    "ledger_id": ("api_retention_ledger_objects", ("items", 0, "id")),
    "orthanc_study_id": ("api_retention_ledger", ("items", 0, "orthanc_study_id")),
    "user_id": ("api_access_users", ("items", 0, "id")),
    "role_id": ("api_roles", ("items", 0, "id")),
    "work_id": ("api_works", ("items", 0, "id")),
}
ALSO_GIVEN: Mapping[str, list[dict[str, str]]] = {
    "api_dose_events_file": [{"format": "csv"}, {"format": "xlsx"}, {"format": "parquet"}],
    "api_dose_studies_file": [{"format": "csv"}, {"format": "xlsx"}, {"format": "parquet"}],
    "api_dose_report": [{"year": "2026"}],
    "api_preview_not_patient_rule": [{"study_description": "*CT*"}],
}


class Caller:
    """The generated client of one server, and what its lists have answered."""

    def __init__(self, server: str) -> None:
        self._client = Client(base_url=server, raise_on_unexpected_status=True, timeout=120)
        self._values: dict[str, Any] = {}

    @cached_property
    def operations(self) -> dict[str, Any]:
        """Of each GET by its name, as the document has it."""
        openapi = import_module("treegarth_client.api.documentation.api_openapi")
        document = openapi.sync(client=self._client).to_dict()
        return {one["get"]["operationId"]: one["get"] for one in document["paths"].values() if "get" in one}

    def call(self, name: str, given: Mapping[str, str]) -> Any:
        operation = self.operations[name]
        function = import_module(f"treegarth_client.api.{operation['tags'][0]}.{name}").sync_detailed
        hints = get_type_hints(function)
        values = {one: self._value(one) for one in _required(operation) if one not in given} | dict(given)
        arguments = {hint: values[hint.rstrip("_")] for hint in hints if hint.rstrip("_") in values}
        return function(client=self._client, **{key: _typed(value, hints[key]) for key, value in arguments.items()})

    def _value(self, parameter: str) -> Any:
        if parameter not in self._values:
            source, way = FOUND_IN[parameter]
            value = self.call(source, {}).parsed
            for step in way:
                value = value[step] if isinstance(step, int) else getattr(value, step)
            self._values[parameter] = value
        return self._values[parameter]


def _required(operation: Mapping[str, Any]) -> list[str]:
    return [one["name"] for one in operation["parameters"] if one["required"]]


def _typed(value: Any, hint: Any) -> Any:
    """A text as the member of the enumeration that the client wants there."""
    kinds = [kind for kind in (hint, *get_args(hint)) if isinstance(kind, EnumType)]
    return kinds[0](value) if kinds else value


def outcome_of(answer: Any) -> dict[str, Any]:
    """What came back, and where the parsed answer is not the same."""
    parsed = answer.parsed
    differences = []
    if hasattr(parsed, "to_dict"):
        differences = list(_differences(json.loads(answer.content), parsed.to_dict()))
    return {
        "status": int(answer.status_code),
        "parsed": type(parsed).__name__,
        "length": len(parsed.items) if isinstance(getattr(parsed, "items", None), list) else None,
        "bytes": len(answer.content),
        "differences": differences,
    }


def _differences(came: Any, parsed: Any, place: str = "") -> Iterator[str]:
    if isinstance(came, dict) and isinstance(parsed, dict):
        for key in came.keys() | parsed.keys():
            if key in came and key in parsed:
                yield from _differences(came[key], parsed[key], f"{place}.{key}")
            else:
                yield f"{place}.{key}: only in {'the answer' if key in came else 'the document'}"
    elif isinstance(came, list) and isinstance(parsed, list) and len(came) == len(parsed):
        for index, (one, other) in enumerate(zip(came, parsed, strict=True)):
            yield from _differences(one, other, f"{place}[{index}]")
    elif came != parsed and _moment(came) != _moment(parsed):
        yield f"{place}: {came!r} came, {parsed!r} was understood"


def _moment(value: Any) -> Any:
    """The same moment may be written with Z or +00:00."""
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value


def main(server: str) -> None:
    caller = Caller(server)
    outcomes = {
        f"{name} {' '.join(given.values())}".rstrip(): outcome_of(caller.call(name, given))
        for name in caller.operations
        for given in ALSO_GIVEN.get(name, [{"format": "csv"}] if name.endswith("_file") else [{}])
    }
    json.dump(outcomes, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
