"""Every field of every query, path and body of the whole route table is bounded: by what a column can hold and by a
length. A field that takes more than that is a way to status 500."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from babel.messages.pofile import read_po
from pydantic import BaseModel, RootModel, ValidationError
from pydantic.fields import FieldInfo

from tests.hostile_values import kinds
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.limits import LARGEST_BIGINT
from treegarth.web.routes import LARGEST_BODY_BYTES, Route
from treegarth.web.validation import InvalidFields, validated

ROOT = Path(__file__).resolve().parents[3]
TOO_LONG = "x" * 2_000_000
TOO_MUCH: dict[str, tuple[Any, ...]] = {
    "number": (LARGEST_BIGINT + 1, -LARGEST_BIGINT - 2, str(10**30), "9" * 5000, float("inf"), float("nan"), "inf"),
    "text": ("a\0b", "\ud800", TOO_LONG),
    "day": ("10000-01-01", "0000-01-01", "infinity", "20261120", 20261120, 1e300, "x" * 100_000),
    "moment": ("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+00:00", "2026-11-20T14:30", 1e300, 20261120, "2026"),
    "list": (["x"] * 100_000, [["x"]] * 100_000),
}


def routes() -> list[Route]:
    application = make_application(make_services(ROOT / "web"))
    return list(application.extensions["treegarth"].routes.values())  # type: ignore[attr-defined]


def models() -> list[type[BaseModel]]:
    """Those of the table, and those inside of them."""
    rest = [model for one in routes() for model in (one.query, one.body, one.path_parameters) if model is not None]
    found: dict[type[BaseModel], None] = {}
    while rest:
        if (model := rest.pop()) not in found:
            found[model] = None
            rest += [inner for field in model.model_fields.values() for inner in models_in(field.annotation)]
    return sorted(found, key=lambda model: f"{model.__module__}.{model.__name__}")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def taken(model: type[BaseModel], name: str, value: Any) -> bool:
    """Whether the field has nothing against the value."""
    try:
        model.model_validate({name: value})
    except ValidationError as error:
        return not any(details["loc"][:1] == (name,) for details in error.errors())
    return True


@cache
def largest_bodies() -> dict[type[BaseModel] | None, int]:
    """Of the routes that take a file."""
    return {one.body: one.largest_body for one in routes() if one.largest_body > LARGEST_BODY_BYTES}


def unbounded(model: type[BaseModel], name: str, field: FieldInfo) -> list[str]:
    """What the field takes and should not."""
    given = [value for kind in kinds(field.annotation) for value in TOO_MUCH.get(kind, ())]
    if model in largest_bodies():
        given = ["x" * largest_bodies()[model] if value == TOO_LONG else value for value in given]
    return [f"{name} takes {str(value)[:40]!r}" for value in given if taken(model, name, value)]


@pytest.mark.parametrize("model", models(), ids=lambda model: f"{model.__module__}.{model.__name__}")
def test_every_field_is_bounded(model: type[BaseModel]) -> None:
    if issubclass(model, RootModel):  # a document, which has a reader of its own
        return
    found = [said for name, field in model.model_fields.items() for said in unbounded(model, name, field)]
    assert found == []


def test_the_table_is_not_empty() -> None:
    assert len(models()) > 60
    assert sum(len(model.model_fields) for model in models()) > 150


class Loose(BaseModel):
    number: int = 0
    text: str | None = None
    texts: list[str] = []


@pytest.mark.parametrize("name", Loose.model_fields)
def test_a_field_without_bounds_is_noticed(name: str) -> None:
    assert unbounded(Loose, name, Loose.model_fields[name])


def page_models() -> list[type[BaseModel]]:
    """What people fill in: queries, paths and forms of pages."""
    pages = [one for one in routes() if not one.is_api]
    found = {model for one in pages for model in (one.query, one.body, one.path_parameters) if model is not None}
    return sorted(found, key=lambda model: f"{model.__module__}.{model.__name__}")


@pytest.mark.parametrize("model", page_models(), ids=lambda model: f"{model.__module__}.{model.__name__}")
def test_whatever_is_refused_on_a_page_is_said_in_every_language(model: type[BaseModel]) -> None:
    with next(ROOT.glob("web/locales/ko/LC_MESSAGES/*.po")).open("rb") as file:
        catalog = read_po(file, locale="ko")
    english = []
    for name, field in model.model_fields.items():
        wrong = [
            value for kind in kinds(field.annotation) for value in (*TOO_MUCH.get(kind, ()), "x", "", None, [], {})
        ]
        said = {message for value in wrong for message in refusals(model, {name: value})}
        english += [f"{name}: {message}" for message in said if catalog.get(message) is None]
    assert english == []


def refusals(model: type[BaseModel], values: dict[str, Any]) -> list[str]:
    try:
        validated(model, values)
    except InvalidFields as refused:
        return [fault.message for fault in refused.faults]
    return []
