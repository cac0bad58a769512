"""An example of what each endpoint of the API takes, made of its schema: plausible, and right by it. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

Schema: TypeAlias = Mapping[str, Any]

PLAUSIBLE: Mapping[str, Any] = {
    "study_instance_uid": "1.2.840.113619.2.55.3.2831868886.1",
    "into_study_instance_uid": "1.2.840.113619.2.55.3.2831868886.2",
    "series_instance_uid": "1.2.840.113619.2.55.3.2831868886.1.3",
    "sop_instance_uid": "1.2.840.113619.2.55.3.2831868886.1.3.17",
    "orthanc_study_id": "6b9e19d9-62094390-5f9ddb01-4a191ae7-9766b715",
    "orthanc_instance_id": "8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d",
    "patient_id": "TG803401",
    "device_key": "0f3a5c7e9b1d2f40",
    "reason": "asked for by the medical physicist",
    "destination": "long-term archive",
    "label": "seen",
    "study_date_from": "2026-11-01",
    "chosen": ["6b9e19d9-62094390-5f9ddb01-4a191ae7-9766b715"],
    "is_on": True,
    "dry_run": True,
}
"""By the name of a field or a parameter, where its schema tells only its type."""
OF_ITS_OWN_ACCORD = ("study_date_from", "state", "kind", "is_on", "reason", "scope", "sort", "dry_run")
"""Which field stands in the example of an object that needs none."""
WITH_A_QUERY = "query"
"""What is to be done with all rows is said of some, in an example: nobody should copy the whole archive's."""


def example_of(schema: Schema, objects: Mapping[str, Schema], name: str = "") -> Any:
    """A value that the schema takes. Of an object what it needs, or one field where it needs none."""
    if "$ref" in schema:
        return example_of(objects[str(schema["$ref"]).rsplit("/", 1)[-1]], objects, name)
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return example_of(next(one for one in schema[key] if one.get("type") != "null"), objects, name)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object" or "properties" in schema:
        return _object(schema, objects)
    if name in PLAUSIBLE and _is_of(PLAUSIBLE[name], schema):
        return PLAUSIBLE[name]
    if schema.get("type") == "array":
        return [example_of(schema.get("items", {}), objects, name.removesuffix("s"))]
    return _scalar(schema, name)


def _object(schema: Schema, objects: Mapping[str, Schema]) -> dict[str, Any]:
    fields = schema.get("properties", {})
    required = list(schema.get("required", ()))
    names = [one for one in fields if one in required or (one == WITH_A_QUERY and required)]
    if not names:
        names = [one for one in OF_ITS_OWN_ACCORD if one in fields][:1] or list(fields)[:1]
    return {one: example_of(fields[one], objects, one) for one in names}


def _scalar(schema: Schema, name: str) -> Any:
    kind = schema.get("type")
    if schema.get("default") is not None:
        return schema["default"]
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    by_format = {"date": "2026-11-20", "date-time": "2026-11-20T14:30:00+09:00"}
    return by_format.get(schema.get("format", ""), name.replace("_", " ") or "text")


def _is_of(value: Any, schema: Schema) -> bool:
    kinds = {"string": str, "integer": int, "boolean": bool, "array": list, "number": float}
    items = schema.get("items", {}).get("type")
    fits = isinstance(value, kinds.get(schema.get("type", ""), object))
    return fits and (not isinstance(value, list) or items is None or isinstance(value[0], kinds[items]))


def curl(
    method: str, address: str, parameters: list[Schema], body: Any, objects: Mapping[str, Schema], *, login: str = ""
) -> str:
    """The line of a shell that asks so. `parameters` are the document's; those of the path, and what is needed. `login`
    is how curl says who asks, as a shell reads it."""
    values = {one["name"]: example_of(one["schema"], objects, one["name"]) for one in parameters if one["required"]}
    query = {one["name"]: values[one["name"]] for one in parameters if one["in"] == "query" and one["required"]}
    for name, value in values.items():
        address = address.replace(f"{{{name}}}", quote(str(value), safe=""))
    url = f"{address}?{urlencode(query)}" if query else address
    asked = " ".join(shlex.quote(part) for part in (*(["-X", method] if method != "GET" else []), url))
    line = f"curl {login} {asked}" if login else f"curl {asked}"
    if body is None:
        return line
    return (
        f"{line} \\\n  -H 'Content-Type: application/json' \\\n  -d {shlex.quote(json.dumps(body, ensure_ascii=False))}"
    )
