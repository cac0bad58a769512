"""The OpenAPI 3.1 document of the API, made from the same route table that answers. Pure: routes in, document out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from treegarth.web.problems import PROBLEM_TYPE, Problem
from treegarth.web.routes import Permission, Route

REFERENCE = "#/components/schemas/{model}"
DESCRIPTION = """What Treegarth knows of an Orthanc's archive: studies, doses, its own state.

Names are DICOM keywords in snake_case with the unit in the name; what is absent is null. Lists are paged by keyset:
pass `next` as `cursor`. An unknown parameter is an error. Errors are problem documents (RFC 9457).
A request that changes something must come from the same origin where a browser sends it."""

Schema = dict[str, Any]


def openapi_document(routes: Iterable[Route], *, version: str) -> Schema:
    """The document of those routes that belong to the API."""
    of_api = [route for route in routes if route.is_api]
    schemas = _schemas(of_api)
    paths: dict[str, Schema] = {}
    for route in of_api:
        paths.setdefault(route.openapi_path, {})[route.method.lower()] = _operation(route, schemas)
    taken_apart = {kind.__name__ for route in of_api for kind in (route.query, route.path_parameters) if kind}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Treegarth",
            "version": version,
            "description": DESCRIPTION,
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": "/", "description": "this Orthanc"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in of_api)],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in schemas.items() if name not in taken_apart},
            "securitySchemes": {
                "orthanc_user": {"type": "http", "scheme": "basic", "description": "A user of Orthanc (mode prod)."}
            },
        },
    }


def _schemas(routes: Sequence[Route]) -> dict[str, Schema]:
    taken = [kind for route in routes for kind in (route.query, route.body, route.path_parameters) if kind]
    given = [kind for route in routes for kind in (route.answer, *route.also.values()) if kind]
    modes: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = []
    modes.extend((kind, "validation") for kind in dict.fromkeys(taken))
    given.append(Problem)
    modes.extend((kind, "serialization") for kind in dict.fromkeys(given))
    _, document = models_json_schema(modes, ref_template=REFERENCE)
    return dict(document.get("$defs", {}))


def _operation(route: Route, schemas: dict[str, Schema]) -> Schema:
    operation: Schema = {
        "operationId": route.name.replace(".", "_"),
        "tags": [route.tag],
        "summary": route.summary,
        "parameters": [*parameters(route, "path", schemas), *parameters(route, "query", schemas)],
        "responses": _responses(route),
        "security": [] if route.permission is Permission.PUBLIC else [{}, {"orthanc_user": []}],
        "x-permission": str(route.permission),
    }
    if route.description:
        operation["description"] = route.description
    if route.body is not None:
        content = {"application/json": {"schema": _reference(route.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def parameters(route: Route, place: Literal["path", "query"], schemas: dict[str, Schema]) -> list[Schema]:
    """A route's parameters in the path or the query, from the model's schema."""
    model = route.path_parameters if place == "path" else route.query
    if model is None:
        return []
    schema = schemas[model.__name__]
    required = set(schema.get("required", ()))
    return [
        {
            "name": name,
            "in": place,
            "required": place == "path" or name in required,
            "description": described.get("description", ""),
            "schema": _without_null({k: v for k, v in described.items() if k not in ("title", "description")}),
        }
        for name, described in schema.get("properties", {}).items()
    ]


def _without_null(schema: Schema) -> Schema:
    """A parameter is there or it is not; a query has no null."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    kept = {k: v for k, v in schema.items() if k != "anyOf" and not (k == "default" and v is None)}
    if not choices:
        return kept
    return {**choices[0], **kept} if len(choices) == 1 else {"anyOf": choices, **kept}


def _responses(route: Route) -> Schema:
    answers: Schema = {}
    if route.answer is None:
        answers[str(route.status)] = {"description": route.summary, "content": {route.media_type: {}}}
    else:
        answers[str(route.status)] = _answer(route.status, route.answer, route.media_type)
    for status in sorted(problem_statuses(route) - set(route.also) - {route.status}):
        answers[str(status)] = _answer(status, Problem, PROBLEM_TYPE)
    for status, kind in route.also.items():
        answers[str(status)] = _answer(status, kind, route.media_type)
    answers["default"] = {**_answer(500, Problem, PROBLEM_TYPE), "description": "Any other error"}
    return answers


def problem_statuses(route: Route) -> set[int]:
    """The statuses of the errors that a route can answer."""
    found = {400, *route.problems}
    if route.permission is not Permission.PUBLIC:
        found |= {401, 403}
    if route.path_names:
        found.add(404)
    if route.method != "GET":
        found.add(403)
    if route.body is not None:
        found |= {413, 415}
    return found


def _answer(status: int, kind: type[BaseModel], media_type: str) -> Schema:
    return {"description": HTTPStatus(status).phrase, "content": {media_type: {"schema": _reference(kind)}}}


def _reference(kind: type[BaseModel]) -> Schema:
    return {"$ref": REFERENCE.format(model=kind.__name__)}
