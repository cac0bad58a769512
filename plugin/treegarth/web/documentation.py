"""The API described: its OpenAPI document, and a page that shows it to people. Both read the table that answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response

import treegarth
from treegarth.phrases import N_
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.openapi import openapi_document
from treegarth.web.paths import API_PATH, BASE_PATH
from treegarth.web.routes import Navigation, Route
from treegarth.web.templates import render_page

OPENAPI_PATH = f"{API_PATH}/openapi.json"
PERMISSIONS = {
    Permission.PUBLIC: N_("everybody"),
    Permission.VIEW: N_("may view"),
    Permission.OPERATE: N_("may operate"),
    Permission.ADMINISTER: N_("may administer"),
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """A parameter, or a field of an answer, as the page shows it."""

    name: str
    kind: str  # "text", "number or null", "list of SeriesItem"
    place: str = ""  # path or query
    description: str = ""
    default: str = ""
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Model:
    """A kind of object in bodies and answers."""

    name: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An endpoint as the page shows it."""

    name: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    permission: Permission
    parameters: tuple[Field, ...]
    responses: tuple[tuple[str, str], ...]  # status, name of the model or ""
    media_types: tuple[str, ...]  # of the answer when all goes well


class Documentation:
    """The handlers. The table never changes, so its document is made once: it costs a fifth of a second."""

    def __init__(self) -> None:
        self._document: Mapping[str, Any] = {}
        self._text = ""

    def openapi(self, call: Call[None, None, None]) -> str:
        self._make(call)
        return self._text

    def page(self, call: Call[None, None, None]) -> Response:
        document = self._make(call)
        return render_page(
            call,
            "api.html",
            description=document["info"]["description"],
            version=document["info"]["version"],
            openapi_url=call.site.url("api.openapi"),
            operations=operations(document),
            models=models(document),
            permissions=PERMISSIONS,
        )

    def _make(self, call: Call[None, None, None]) -> Mapping[str, Any]:
        if not self._text:
            public_url = call.services.reach.public_url
            self._document = openapi_document(
                call.site.routes.values(), version=treegarth.__version__, public_url=public_url
            )
            self._text = json.dumps(self._document, ensure_ascii=False)
        return self._document


def documentation_routes() -> list[Route]:
    """The routes of the document and of the page."""
    documentation = Documentation()
    return [
        route(
            name="api.openapi",
            path=OPENAPI_PATH,
            permission=Permission.PUBLIC,
            handler=documentation.openapi,
            summary="This API as an OpenAPI 3.1 document.",
            tag="documentation",
        ),
        route(
            name="api.reference_page",
            path=f"{BASE_PATH}/api/",
            permission=Permission.VIEW,
            handler=documentation.page,
            summary="The API's reference for people.",
            navigation=Navigation(label=N_("API"), icon="api", order=50, key="a"),
        ),
    ]


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """The endpoints of an OpenAPI document, as it orders them."""
    return [
        Operation(
            name=given["operationId"],
            method=method.upper(),
            path=path,
            tag=given["tags"][0],
            summary=given["summary"],
            description=given.get("description", ""),
            permission=Permission(given["x-permission"]),
            parameters=tuple(_parameter(parameter) for parameter in given["parameters"]),
            responses=tuple((status, _model_of(answer)) for status, answer in given["responses"].items()),
            media_types=tuple(next(iter(given["responses"].values()))["content"]),
        )
        for path, methods in document["paths"].items()
        for method, given in methods.items()
    ]


def models(document: Mapping[str, Any]) -> list[Model]:
    """The objects of an OpenAPI document that have fields."""
    return [
        Model(
            name=name,
            description=schema.get("description", ""),
            fields=tuple(
                Field(name=field, kind=kind_of(described), description=described.get("description", ""))
                for field, described in schema.get("properties", {}).items()
            ),
        )
        for name, schema in sorted(document["components"]["schemas"].items())
        if schema.get("properties")
    ]


def _parameter(given: Mapping[str, Any]) -> Field:
    schema = given["schema"]
    return Field(
        name=given["name"],
        place=given["in"],
        kind=kind_of(schema),
        description=given["description"],
        default=str(schema.get("default", "")),
        required=given["required"],
    )


def _model_of(answer: Mapping[str, Any]) -> str:
    for content in answer.get("content", {}).values():
        return str(content.get("schema", {}).get("$ref", "")).rsplit("/", 1)[-1]
    return ""


def kind_of(schema: Mapping[str, Any]) -> str:
    """A schema in few words: `integer 1…1000`, `list of StudyItem`, `string (date) or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(kind_of(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    if "format" in schema:
        return f"{kind} ({schema['format']})"
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} {schema['minimum']}…{schema['maximum']}"
    return kind
