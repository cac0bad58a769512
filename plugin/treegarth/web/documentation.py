"""The API described: its OpenAPI document, and a page that shows it to people. Both read the table that answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response
from markupsafe import Markup

import treegarth
from treegarth.access.actors import PERMISSION_WORDS, Permission
from treegarth.phrases import N_
from treegarth.settings import SignIn
from treegarth.web.api_examples import curl
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.openapi import openapi_document
from treegarth.web.paths import API_PATH, BASE_PATH
from treegarth.web.routes import Navigation, Parameters, Route, Text
from treegarth.web.templates import render_page

OPENAPI_PATH = f"{API_PATH}/openapi.json"
PERMISSIONS = {
    Permission.PUBLIC: N_("everybody"),
    Permission.SIGNED_IN: N_("whoever has signed in"),
    **PERMISSION_WORDS,
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
    model: str = ""  # the object that it is, or consists of


@dataclass(frozen=True, kw_only=True)
class Model:
    """A kind of object in bodies and answers."""

    name: str
    description: str
    fields: tuple[Field, ...]
    kind: str = ""  # of what has no fields: the values or objects of which it is one


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
    body: Model | None
    curl: str  # the line of a shell that asks so

    def speaks_of(self, words: str) -> bool:
        """Whether each of these words is in what the page says of it, in capitals or not."""
        body = [(one.name, one.description) for one in self.body.fields] if self.body else []
        given = [(one.name, one.description) for one in self.parameters]
        said = (self.method, self.path, self.tag, self.summary, self.description, *map(" ".join, (*given, *body)))
        return all(word in " ".join(said).lower() for word in words.lower().split())


class ReferenceQuery(Parameters):
    """Which endpoints the page shows."""

    q: Text | None = None
    """Words that each stand in an address, a summary, or the name or the meaning of a parameter or a field."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the page shows of the API: the endpoints that were found, and how many they are."""

    count: int
    reference: Markup


BEARER = '-H "Authorization: Bearer $TOKEN"'
LOGINS = {SignIn.NONE: "", SignIn.ORTHANC: "-u NAME", SignIn.TREEGARTH: BEARER, SignIn.OIDC: BEARER}
"""How curl says who asks: with a name alone it asks for the password."""


class Documentation:
    """The handlers. The table never changes, so its document is made once, and what the page shows of it once for each
    language: a megabyte, a third of a second."""

    def __init__(self) -> None:
        self._document: Mapping[str, Any] = {}
        self._text = ""
        self._operations: Sequence[Operation] = ()
        self._models: Sequence[Model] = ()
        self._whole: dict[str, Shown] = {}

    def openapi(self, call: Call[None, None, None]) -> str:
        self._make(call)
        return self._text

    def page(self, call: Call[ReferenceQuery, None, None]) -> Response:
        document = self._make(call)
        if call.query.q:
            shown = self._shown(call, call.query.q)
        else:
            if call.language not in self._whole:
                self._whole[call.language] = self._shown(call, "")
            shown = self._whole[call.language]
        return render_page(
            call,
            "api.html",
            description=document["info"]["description"],
            version=document["info"]["version"],
            openapi_url=call.site.url("api.openapi"),
            found=shown.count,
            count=len(self._operations),
            reference=shown.reference,
        )

    def _shown(self, call: AnyCall, words: str) -> Shown:
        found = [one for one in self._operations if one.speaks_of(words)]
        objects = reached(found, self._models) if words else self._models
        values = {"operations": found, "models": objects, "permissions": PERMISSIONS}
        template = call.site.environments[call.language].get_template("api_reference.html")
        return Shown(count=len(found), reference=Markup(template.render(values, is_searched=bool(words))))

    def _make(self, call: AnyCall) -> Mapping[str, Any]:
        if not self._text:
            public_url = call.services.reach.public_url
            self._document = openapi_document(
                call.site.routes.values(), version=treegarth.__version__, public_url=public_url
            )
            self._models = models(self._document)
            login = LOGINS[call.services.settings.sign_in]
            self._operations = operations(self._document, public_url or "http://localhost:8042", login)
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
            permission=Permission.SIGNED_IN,
            handler=documentation.page,
            summary="The API's reference for people.",
            navigation=Navigation(label=N_("API"), icon="api", order=50, key="a"),
        ),
    ]


def operations(document: Mapping[str, Any], server: str = "", login: str = "") -> list[Operation]:
    """The endpoints of an OpenAPI document, as it orders them, with examples for the server at this address, at which
    curl says by `login` who asks."""
    objects = document["components"]["schemas"]
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
            body=_body(given, objects),
            curl=curl(
                method.upper(),
                server.rstrip("/") + path,
                given["parameters"],
                _taken(given).get("example"),
                objects,
                login=login,
            ),
        )
        for path, methods in document["paths"].items()
        for method, given in methods.items()
    ]


def models(document: Mapping[str, Any]) -> list[Model]:
    """The objects of an OpenAPI document that have fields, or that are one of several values or objects."""
    found = sorted(document["components"]["schemas"].items())
    return [_model(name, schema) for name, schema in found if schema.keys() & {"properties", "enum", "oneOf", "anyOf"}]


def reached(found: Sequence[Operation], every: Sequence[Model]) -> list[Model]:
    """The objects that these endpoints take or answer, and those that these consist of."""
    objects = {one.name: one for one in every}
    names = [
        name
        for one in found
        for name in (
            *(parameter.model for parameter in one.parameters),
            *(model for _, model in one.responses),
            one.body.name if one.body else "",
        )
    ]
    seen = dict.fromkeys(name for name in names if name in objects)
    waiting = list(seen)
    while waiting:
        for name in (field.model for field in objects[waiting.pop()].fields):
            if name in objects and name not in seen:
                seen[name] = None
                waiting.append(name)
    return [one for one in every if one.name in seen]


def _model(name: str, schema: Mapping[str, Any]) -> Model:
    required = set(schema.get("required", ()))
    return Model(
        name=name,
        description=schema.get("description", ""),
        kind="" if schema.get("properties") else kind_of(schema),
        fields=tuple(
            Field(
                name=field,
                kind=kind_of(described),
                description=described.get("description", ""),
                default=_written(described.get("default")),
                required=field in required,
                model=_referred(described),
            )
            for field, described in schema.get("properties", {}).items()
        ),
    )


def _taken(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return found


def _body(operation: Mapping[str, Any], objects: Mapping[str, Any]) -> Model | None:
    name = _referred(_taken(operation).get("schema", {}))
    return _model(name, objects[name]) if name else None


def _referred(schema: Mapping[str, Any]) -> str:
    """The object that a schema means, alone, in a list or beside null; empty where it is none."""
    choices = [schema, schema.get("items", {}), *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    found = next((str(one["$ref"]) for one in choices if "$ref" in one), "")
    return found.rsplit("/", 1)[-1]


def _written(default: Any) -> str:
    return "" if default in (None, [], {}) else json.dumps(default, ensure_ascii=False).strip('"')


def _parameter(given: Mapping[str, Any]) -> Field:
    schema = given["schema"]
    return Field(
        name=given["name"],
        place=given["in"],
        kind=kind_of(schema),
        description=given["description"],
        default=_written(schema.get("default")),
        required=given["required"],
        model=_referred(schema),
    )


def _model_of(answer: Mapping[str, Any]) -> str:
    for content in answer.get("content", {}).values():
        return str(content.get("schema", {}).get("$ref", "")).rsplit("/", 1)[-1]
    return ""


def kind_of(schema: Mapping[str, Any]) -> str:
    """A schema in few words: `integer 1…1000`, `list of StudyItem`, `string (date) or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema or "oneOf" in schema:
        return " or ".join(kind_of(choice) for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())))
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
