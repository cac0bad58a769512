"""The API's document as it is served, and the names of its objects: always the same ones, and none for two."""

from __future__ import annotations

import random
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import pytest
from pydantic import BaseModel, Field, create_model

from tests.api_document import check_document, dangling, incomplete
from tests.unit.web.test_api_page import Thing, route
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.web.openapi import openapi_document
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, Parameters, Route

ROOT = Path(__file__).resolve().parents[3]
ItemT = TypeVar("ItemT")


class Circle(Answer):
    shape: Literal["circle"] = "circle"
    radius: float = 1
    """May be left out in what is taken; what is answered has it."""


class Square(Answer):
    shape: Literal["square"]
    side: float


class Drawing(Answer):
    """Looks otherwise as it is taken only because of what it refers to."""

    shape: Circle | Square = Field(discriminator="shape")
    beside: list[Drawing] = Field(default_factory=list)


class Page(Answer, Generic[ItemT]):
    items: list[ItemT]


def rule_item(module: str, docstring: str, field: str) -> type[BaseModel]:
    """A class of the same name as others, as another feature may have it."""
    model: type[BaseModel] = create_model(
        "RuleItem", __base__=Answer, __module__=module, __doc__=docstring, **{field: (int, ...)}
    )
    return model


def document_of(
    *answers: type[BaseModel], bodies: tuple[type[BaseModel], ...] = (), shuffled: int = 0
) -> dict[str, Any]:
    routes: list[Route] = [
        *(route(f"api.get{number}", f"{API_PATH}/gets/{number}", answer=kind) for number, kind in enumerate(answers)),
        *(
            route(f"api.post{number}", f"{API_PATH}/posts/{number}", method="POST", body=kind, answer=Thing)
            for number, kind in enumerate(bodies)
        ),
    ]
    random.Random(shuffled).shuffle(routes)
    document = openapi_document(routes, version="1.2.3")
    check_document(document)
    return document


def answered(document: dict[str, Any], number: int) -> str:
    content = document["paths"][f"{API_PATH}/gets/{number}"]["get"]["responses"]["200"]["content"]
    return str(content["application/json"]["schema"]["$ref"]).rpartition("/")[2]


def test_the_document_as_it_is_served_can_be_relied_on() -> None:
    client = make_application(make_services(ROOT / "web")).test_client()  # type: ignore[attr-defined]
    document = client.get(f"{API_PATH}/openapi.json").get_json()
    check_document(document)
    assert len(document["paths"]) > 60
    own = {kind.__name__ for base in (BaseModel, Enum) for kind in descendants(base)}
    taken_otherwise = {f"{name}Input" for name in own}  # than it is answered
    shared = set(document["components"]["schemas"]) - own - taken_otherwise
    assert shared == set(), "classes of one name: a client would know each by another name when the other came or went"


def descendants(kind: type) -> Iterator[type]:
    for below in kind.__subclasses__():
        yield below
        yield from descendants(below)


def test_no_docstring_changes_a_name_or_breaks_a_reference() -> None:
    names = ("DoseNotPatientsRuleItem", "RulesRuleItem")
    for ours, theirs, field in (("A rule.", "A rule.", "id"), ("A rule.", "Another.", "id"), ("A rule.", "", "number")):
        dose = rule_item("treegarth.features.dose.registry.api.not_patients", ours, "id")
        rules = rule_item("treegarth.features.rules.api", theirs, field)
        document = document_of(dose, rules)
        assert (answered(document, 0), answered(document, 1)) == names
        assert [document["components"]["schemas"][name].get("description") for name in names] == [ours, theirs or None]


def test_queries_and_paths_of_one_name_keep_their_own_parameters() -> None:
    routes = []
    for number, docstring in enumerate(("Which rule.", "Which rule.", "Which of the rules.")):
        query = create_model(
            "RuleQuery",
            __base__=Parameters,
            __module__=f"feature{number}",
            __doc__=docstring,
            **{f"of_{number}": (int, ...)},
        )
        routes.append(route(f"api.get{number}", f"{API_PATH}/gets/{number}", query=query, answer=Thing))
    document = openapi_document(routes, version="1.2.3")
    check_document(document)
    found = [one["get"]["parameters"][0]["name"] for one in document["paths"].values()]
    assert found == ["of_0", "of_1", "of_2"]
    assert not any("Query" in name for name in document["components"]["schemas"])


@pytest.mark.parametrize("seed", range(5))
def test_no_order_of_routes_changes_a_name(seed: int) -> None:
    kinds = [rule_item(module, "", "id") for module in ("one", "two", "two")]
    document = document_of(*kinds, Thing, Page[Thing], bodies=(Drawing,), shuffled=seed)
    assert [answered(document, number) for number in range(5)] == [
        "OneRuleItem",
        "TwoRuleItem1",
        "TwoRuleItem2",
        "Thing",
        "PageThing",
    ]


def test_what_is_taken_otherwise_than_it_is_answered_has_a_name_of_its_own() -> None:
    schemas = document_of(Drawing, bodies=(Drawing,))["components"]["schemas"]
    assert set(schemas) == {
        "Circle",
        "CircleInput",
        "Drawing",
        "DrawingInput",
        "FieldProblem",
        "Problem",
        "Square",
        "Thing",
    } | {"Colour"}
    assert schemas["DrawingInput"]["properties"]["beside"]["items"] == {"$ref": "#/components/schemas/DrawingInput"}
    assert (schemas["CircleInput"].get("required"), schemas["Circle"].get("required")) == (None, ["shape", "radius"])
    alone = document_of(Thing, bodies=(Drawing,))["components"]["schemas"]
    assert {name for name in alone if name.endswith("Input")} == set()


def test_what_leads_nowhere_or_says_nothing_is_seen() -> None:
    document = document_of(Drawing)
    schemas = document["components"]["schemas"]
    del schemas["Circle"]
    assert len(list(dangling(document))) == 2, "the reference and the mapping of the discriminator"
    answer = document["paths"][f"{API_PATH}/gets/0"]["get"]["responses"]["200"]["content"]["application/json"]
    del answer["schema"]
    assert [*incomplete(document)] == [f"get {API_PATH}/gets/0: 200 without a schema"]
