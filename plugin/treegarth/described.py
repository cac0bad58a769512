"""Models whose fields say what they are in docstrings below them, which are read only where somebody asks for them.

pydantic's own `use_attribute_docstrings` looks for the source of each class while it makes the class: a quarter of the
start of each process, for words that only the API's document shows.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationInfo, field_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticKnownError


class Described(BaseModel):
    """Base of all models: frozen, and a name that nobody knows is an error. Its JSON schema has its docstrings."""

    # Hundreds of models are answers of endpoints that nobody may ask for: each is made ready at its first use.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler, /) -> JsonSchemaValue:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        said = docstrings_of(cls)
        for name, field in cls.model_fields.items():
            shown = properties.get(field.alias or name)
            if shown is not None and name in said:
                shown.setdefault("description", said[name])
        return schema


class FromOutside(Described):
    """Base of what others send: JSON's true is no number, for which Python would take it (1)."""

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: object, about: ValidationInfo) -> object:
        if isinstance(value, bool) and about.field_name is not None:
            kinds = _kinds(cls.model_fields[about.field_name].annotation)
            if bool not in kinds and not kinds.isdisjoint({int, float}):
                raise PydanticKnownError("int_type" if int in kinds else "float_type")
        return value


def _kinds(annotation: object) -> set[object]:
    """What an annotation names, in its parts too."""
    parts = get_args(annotation)
    return {annotation}.union(*map(_kinds, parts)) if parts and get_origin(annotation) is not Literal else {annotation}


def docstrings_of(model: type[BaseModel]) -> dict[str, str]:
    """What a model's fields say, and those of its bases, by the field's name."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, Described):
            found |= _written_in(base.__module__).get(_path(base.__qualname__), {})
    return found


def _path(qualified_name: str) -> tuple[str, ...]:
    """Of a class in a function too, and of a generic one for some type."""
    plain = qualified_name.partition("[")[0]
    return tuple(part for part in plain.split(".") if part != "<locals>")


@cache
def _written_in(module: str) -> dict[tuple[str, ...], dict[str, str]]:
    """Of every class in a module's source; nothing where there is no source."""
    try:
        return dict(_classes(ast.parse(inspect.getsource(sys.modules[module])), ()))
    except (OSError, TypeError, KeyError):
        return {}


def _classes(node: ast.AST, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    for one in ast.iter_child_nodes(node):
        named = isinstance(one, ast.ClassDef | ast.FunctionDef)
        below = (*place, one.name) if isinstance(one, ast.ClassDef | ast.FunctionDef) else place
        if isinstance(one, ast.ClassDef):
            yield below, dict(_docstrings(one))
        if named or isinstance(one, ast.If | ast.With | ast.Try):
            yield from _classes(one, below)


def _docstrings(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """A string that follows a field is the field's."""
    for one, following in zip(node.body, node.body[1:], strict=False):
        match one, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                yield name, inspect.cleandoc(words)
