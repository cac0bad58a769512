"""The OpenAPI 3.1 document of the API, made from the same route table that answers. Pure: routes in, document out."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Literal

from treegarth.access.actors import Permission
from treegarth.web.api_examples import example_of
from treegarth.web.problems import PROBLEM_TYPE, Problem
from treegarth.web.routes import Route
from treegarth.web.schemas import ANSWERED, TAKEN, Schema, Schemas

DESCRIPTION = """What Treegarth knows of an Orthanc's archive: studies, doses, its own state.

Names are DICOM keywords in snake_case with the unit in the name; what is absent is null. Lists are paged by keyset:
pass `next` as `cursor`. An unknown parameter is an error. Errors are problem documents (RFC 9457).
A request that changes something must come from the same origin where a browser sends it."""

BYTES: Schema = {"type": "string", "format": "binary"}
TEXT: Schema = {"type": "string"}


def openapi_document(routes: Iterable[Route], *, version: str, public_url: str | None = None) -> Schema:
    """The document of those routes that belong to the API, for clients that reach Orthanc's root by `public_url`."""
    of_api = [route for route in routes if route.is_api]
    schemas = _schemas(sorted(of_api, key=lambda route: route.name))
    paths: dict[str, Schema] = {}
    for route in of_api:
        paths.setdefault(route.openapi_path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Treegarth",
            "version": version,
            "description": DESCRIPTION,
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": public_url or "/", "description": "this Orthanc"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in of_api)],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "orthanc_user": {"type": "http", "scheme": "basic", "description": "A user of Orthanc (mode prod)."}
            },
        },
    }


def _schemas(routes: Iterable[Route]) -> Schemas:
    taken = [(route.body, TAKEN) for route in routes if route.body]
    answered = [(kind, ANSWERED) for route in routes for kind in (route.answer, *route.also.values()) if kind]
    return Schemas(
        objects=[*taken, *answered, (Problem, ANSWERED)],
        parameters=[kind for route in routes for kind in (route.query, route.path_parameters) if kind],
    )


def _operation(route: Route, schemas: Schemas) -> Schema:
    operation: Schema = {
        "operationId": route.name.replace(".", "_"),
        "tags": [route.tag],
        "summary": route.summary,
        "parameters": [*parameters(route, "path", schemas), *parameters(route, "query", schemas)],
        "responses": _responses(route, schemas),
        "security": [] if route.permission is Permission.PUBLIC else [{}, {"orthanc_user": []}],
        "x-permission": str(route.permission),
    }
    if route.description:
        operation["description"] = route.description
    if route.body is not None:
        schema = schemas.reference(route.body, TAKEN)
        example = example_of(schema, schemas.components) if route.example is None else route.example
        content = {"application/json": {"schema": schema, "example": example}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def parameters(route: Route, place: Literal["path", "query"], schemas: Schemas) -> list[Schema]:
    """A route's parameters in the path or the query, from the model's schema."""
    model = route.path_parameters if place == "path" else route.query
    if model is None:
        return []
    schema = schemas.of_parameters(model)
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


def _responses(route: Route, schemas: Schemas) -> Schema:
    problem = schemas.reference(Problem, ANSWERED)
    given = _file(route.answers_as) if route.answer is None else schemas.reference(route.answer, ANSWERED)
    answers = {str(route.status): _answer(route.status, given, route.answers_as, *route.other_media_types)}
    for status in sorted(problem_statuses(route) - set(route.also) - {route.status}):
        answers[str(status)] = _answer(status, problem, PROBLEM_TYPE)
    for status, kind in route.also.items():
        answers[str(status)] = _answer(status, schemas.reference(kind, ANSWERED), route.answers_as)
    answers["default"] = {**_answer(500, problem, PROBLEM_TYPE), "description": "Any other error"}
    return answers


def _file(media_type: str) -> Schema:
    """What is no object of ours: a file, or a document of others."""
    if media_type == "application/json":
        return {"type": "object", "additionalProperties": True}
    return BYTES if media_type == "application/octet-stream" else TEXT


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


def _answer(status: int, schema: Schema, *media_types: str) -> Schema:
    content = {media_type: {"schema": schema} for media_type in media_types}
    return {"description": HTTPStatus(status).phrase, "content": content}
