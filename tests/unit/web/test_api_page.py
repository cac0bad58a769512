"""The API's document and its page, made of the table that answers."""

from __future__ import annotations

import json
import shlex
from enum import StrEnum
from pathlib import Path

import pytest

from tests.api_document import check_document
from tests.places import HERE
from tests.unit.web.web_support import make_site, web_folder
from treegarth.access.actors import Permission
from treegarth.assembly import house
from treegarth.web.api_examples import example_of
from treegarth.web.documentation import kind_of, models, operations
from treegarth.web.openapi import openapi_document
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, Parameters, Route
from treegarth.web.templates import with_code

HOUSE = house(HERE)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Query(Parameters):
    colour: Colour = Colour.RED
    """Which one."""
    size: int | None = None
    """How large."""


class Place(Parameters):
    name: str


class Body(Parameters):
    colours: list[Colour]


class Thing(Answer):
    """Something."""

    colour: Colour | None
    parts: list[Thing]


def route(name: str, path: str, **given: object) -> Route:
    values = {"permission": Permission.SIGNED_IN, "handler": lambda call: "", "summary": "A test.", **given}
    return Route(name=name, path=path, **values)  # type: ignore[arg-type]


ROUTES = [
    route("api.thing", f"{API_PATH}/things/{{name}}", query=Query, path_parameters=Place, answer=Thing),
    route("api.change", f"{API_PATH}/things", method="POST", body=Body, answer=Thing, status=201, problems=(409,)),
    route("api.open", f"{API_PATH}/open", permission=Permission.PUBLIC, answer=Thing, also={503: Thing}),
    route("api.table", f"{API_PATH}/table", media_type="text/csv", other_media_types=("text/plain",)),
    route("page", "/treegarth/page"),
]


def test_the_document_is_openapi_and_has_the_api_alone() -> None:
    document = openapi_document(ROUTES, version="1.2.3")
    check_document(document)
    assert set(document["paths"]) == {f"{API_PATH}/{path}" for path in ("things/{name}", "things", "open", "table")}
    reading = document["paths"][f"{API_PATH}/things/{{name}}"]["get"]
    assert [(p["name"], p["in"], p["required"]) for p in reading["parameters"]] == [
        ("name", "path", True),
        ("colour", "query", False),
        ("size", "query", False),
    ]
    assert set(reading["responses"]) == {"200", "400", "401", "403", "404", "default"}
    changing = document["paths"][f"{API_PATH}/things"]["post"]
    assert set(changing["responses"]) == {"201", "400", "401", "403", "409", "413", "415", "default"}
    assert changing["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/Body")
    assert document["paths"][f"{API_PATH}/open"]["get"]["security"] == []


def test_the_page_tells_what_the_document_tells() -> None:
    document = openapi_document(ROUTES, version="1.2.3")
    thing = next(operation for operation in operations(document) if operation.name == "api_thing")
    assert [(p.name, p.kind, p.default) for p in thing.parameters] == [
        ("name", "string", ""),
        ("colour", "Colour", "red"),
        ("size", "integer", ""),
    ]
    assert ("200", "Thing") in thing.responses
    [table] = [operation for operation in operations(document) if operation.name == "api_table"]
    assert (table.responses[0], table.media_types) == (("200", ""), ("text/csv", "text/plain"))
    [fields] = [model.fields for model in models(document) if model.name == "Thing"]
    assert [(field.name, field.kind) for field in fields] == [("colour", "Colour or null"), ("parts", "list of Thing")]
    assert kind_of({"type": "integer", "minimum": 1, "maximum": 9}) == "integer 1…9"


def test_the_page_is_made_of_its_template(tmp_path: Path) -> None:
    templates = Path(__file__).resolve().parents[3] / "web" / "templates"
    text = (templates / "api.html").read_text(encoding="utf-8").replace('{% extends "base.html" %}', "")
    reference = (templates / "api_reference.html").read_text(encoding="utf-8")
    client = make_site(web_folder(tmp_path, api=text, api_reference=reference), ROUTES).test_client()
    page = client.get("/treegarth/api/")
    assert page.status_code == 200
    for part in (f"GET {API_PATH}/things/{{name}}", 'id="model-Thing"', "How large.", "openapi.json", "text/csv"):
        assert part in page.text, part
    assert client.get(f"{API_PATH}/openapi.json").get_json()["info"]["title"] == "Treegarth"
    for words, has_it in (("post", True), ("table", False)):
        searched = client.get("/treegarth/api/", query_string={"q": words}).text
        assert ('id="model-Body"' in searched, 'id="model-Colour"' in searched) == (has_it, has_it)
        assert f"GET {API_PATH}/open" not in searched
    assert client.get("/treegarth/api/").text == page.text


def test_a_body_is_shown_with_its_fields_and_a_line_that_can_be_pasted() -> None:
    document = openapi_document(ROUTES, version="1")
    change = next(one for one in operations(document, "http://pacs", '-H "Authorization: Bearer $TOKEN"') if one.body)
    assert change.body is not None
    assert [(one.name, one.kind, one.required, one.model) for one in change.body.fields] == [
        ("colours", "list of Colour", True, "Colour"),
    ]
    words = shlex.split(change.curl.replace("\\\n", " "))
    assert words[:5] == ["curl", "-H", "Authorization: Bearer $TOKEN", "-X", "POST"]
    assert words[5] == f"http://pacs{API_PATH}/things"
    assert json.loads(words[-1]) == {"colours": ["red"]}


@pytest.mark.parametrize("route", [one for one in HOUSE.routes() if one.is_api], ids=lambda one: str(one.name))
def test_every_example_is_what_its_endpoint_takes(route: Route) -> None:
    document = openapi_document([route], version="1")
    ((operation,),) = [methods.values() for methods in document["paths"].values()]
    objects = document["components"]["schemas"]
    if route.body is not None:
        route.body.model_validate(operation["requestBody"]["content"]["application/json"]["example"])
    for model, place in ((route.query, "query"), (route.path_parameters, "path")):
        given = [one for one in operation["parameters"] if one["in"] == place and one["required"]]
        if model is not None:
            model.model_validate({one["name"]: example_of(one["schema"], objects, one["name"]) for one in given})
    (shown,) = operations(document)
    assert "{" not in shlex.split(shown.curl.replace("\\\n", " "))[3 if route.method != "GET" else 1]


def test_endpoints_are_found_by_their_words_without_javascript() -> None:
    every = operations(openapi_document(HOUSE.routes(), version="1"))
    assert {one.name for one in every if one.speaks_of("HOLD study_instance_uid post")} >= {"api_set_retention_hold"}
    assert [one for one in every if one.speaks_of("nowhere to be found")] == []


def test_backticks_are_code_and_nothing_else_is_html() -> None:
    assert with_code("a `<b>` & c") == "a <code>&lt;b&gt;</code> &amp; c"
