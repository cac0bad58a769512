"""Models say what their docstrings say, also those that no module has written; nobody reads source to make one."""

from __future__ import annotations

import inspect
from typing import Annotated, Generic, TypeVar

import pytest
from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

from treegarth.described import Described, docstrings_of
from treegarth.web.routes import Parameters, make_model

Item = TypeVar("Item")


class Asked(Parameters):
    """What is asked."""

    name: str = ""
    """What it is called."""
    kind: Annotated[str, Field(description="As it stands in its field.")] = ""
    """Not this."""
    silent: int = 0


class Few(Parameters, Generic[Item]):
    """Some of a kind."""

    items: list[Item]
    """The few
    of them."""
    first: Asked
    """The first of them."""


def said_by(model: type[BaseModel]) -> dict[str, str | None]:
    return {name: one.get("description") for name, one in model.model_json_schema()["properties"].items()}


def test_a_schema_says_what_the_docstrings_say() -> None:
    assert said_by(Asked) == {"name": "What it is called.", "kind": "As it stands in its field.", "silent": None}
    assert said_by(Few[int]) == {"items": "The few\nof them.", "first": "The first of them."}


def test_a_class_in_a_function_is_found_and_a_field_by_its_other_name() -> None:
    class Inner(Described):
        other: int = Field(alias="Other")
        """It has another name."""

    assert docstrings_of(Inner) == {"other": "It has another name."}
    assert said_by(Inner) == {"Other": "It has another name."}


def test_a_made_model_says_what_its_base_and_its_own_fields_say() -> None:
    made = make_model("Made", Asked, doc="Made here.", sort=(str, FieldInfo(default="", description="The order.")))
    assert made.model_json_schema()["description"] == "Made here."
    assert said_by(made) == said_by(Asked) | {"sort": "The order."}
    assert made.model_config["extra"] == "forbid"


def test_no_source_is_read_to_make_or_use_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("getsource", "getsourcelines", "findsource", "getmodule"):
        monkeypatch.setattr(inspect, name, None)  # calling it would fail

    class Quick(Described):
        name: str
        """What it is called."""

    assert Quick(name="x").name == "x"
    assert make_model("Made", Quick, doc=None)(name="x").name == "x"
