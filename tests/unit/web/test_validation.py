"""What is said about a field that is not right."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Literal, get_args

import pytest
from pydantic import BaseModel, Field, ValidationError

from treegarth.assembly import house
from treegarth.database import keyset
from treegarth.errors import Problem
from treegarth.settings import Settings
from treegarth.web.lists import Day, PageQuery
from treegarth.web.problems import FROM_LOWER_FLOORS
from treegarth.web.routes import Text
from treegarth.web.validation import OWN_SENTENCES, SENTENCES, InvalidFields, validated


class Everything(PageQuery):
    day: Day | None = None
    ratio: float | None = Field(default=None, allow_inf_nan=False)
    kind: Literal["ct", "mr"] | None = None
    word: Text | None = Field(default=None, max_length=3)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("limit", "0", "must be at least 1."),
        ("limit", "1001", "must be at most 1000."),
        ("limit", "1.5", "must be a whole number."),
        ("limit", "9" * 5000, "is too large a number."),
        ("day", "20261120", "must be a date like 2026-11-20."),
        ("day", "2026-02-30", "must be a date like 2026-11-20."),
        ("ratio", "many", "must be a number."),
        ("ratio", "nan", "must be a number."),
        ("kind", "us", "must be one of 'ct' or 'mr'."),
        ("word", "long", "must have at most 3 characters."),
        ("word", "\x00", "must be text without NUL and without half characters."),
        ("wrod", "x", "is not known here. Known: limit, cursor, day, ratio, kind, word."),
    ],
)
def test_a_sentence_says_what_would_be_right(field: str, value: str, sentence: str) -> None:
    with pytest.raises(InvalidFields) as caught:
        validated(Everything, {field: value})
    [fault] = caught.value.faults
    assert (fault.field, fault.said()) == (field, sentence)


def test_a_limit_stands_there_as_people_write_it() -> None:
    class Limits(BaseModel):
        some: float = Field(default=1, gt=0.0, le=1e12)
        any: float = Field(default=1, le=1e150)
        part: float = Field(default=1, ge=0.5)

    with pytest.raises(InvalidFields) as caught:
        validated(Limits, {"some": 0, "any": 1e200, "part": 0})
    assert [one.said() for one in caught.value.faults] == [
        "must be more than 0.",
        "must be at most 1e+150.",
        "must be at least 0.5.",
    ]


def test_our_own_validators_say_what_can_be_translated() -> None:
    with pytest.raises(InvalidFields) as caught:
        validated(Everything, {"day": "x", "word": "\ud800"})
    assert {fault.message for fault in caught.value.faults} <= set(OWN_SENTENCES)
    assert all(sentence in inspect.getsource(keyset) for sentence in FROM_LOWER_FLOORS)


# what a schema demands, and what pydantic calls a value that does not do it
DEMANDS = {
    "minimum": "greater_than_equal",
    "maximum": "less_than_equal",
    "exclusiveMinimum": "greater_than",
    "exclusiveMaximum": "less_than",
    "multipleOf": "multiple_of",
    "pattern": "string_pattern_mismatch",
    "minLength": "string_too_short",
    "maxLength": "string_too_long",
    "minItems": "too_short",
    "maxItems": "too_long",
    "enum": "literal_error",
    "const": "literal_error",
}


def demands(schema: Any) -> Iterator[str]:
    """Every one in it, however deep."""
    if isinstance(schema, dict):
        yield from (DEMANDS[name] for name, value in schema.items() if name in DEMANDS and not isinstance(value, dict))
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from demands(part)


def test_whatever_a_field_demands_there_is_a_sentence_for() -> None:
    routes = house(Settings()).routes()
    models = {one for route in routes for one in (route.query, route.body, route.path_parameters) if one}
    found = {one for model in models for one in demands(model.model_json_schema())}
    assert len(found) > 5
    assert found - set(SENTENCES) == set()


def test_a_problem_of_the_whole_has_no_empty_place_before_it() -> None:
    assert str(Problem("", "There are more than 2000 rows.")) == "There are more than 2000 rows."
    assert str(Problem("line 1", "it is empty.", "Write.")) == "line 1: it is empty. Write."


def models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation names, and those that their fields do."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        annotation.model_rebuild()
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_of(field.annotation)
    for part in get_args(annotation):
        yield from models_of(part)


def test_true_is_no_number_in_whatever_comes_from_outside() -> None:
    routes = house(Settings()).routes()
    asked = (route.query for route in routes), (route.body for route in routes)
    models = {model for some in asked for one in some if one for model in models_of(one)}
    numbers = 0
    for model in models:
        schema = model.model_json_schema(ref_template="{model}")
        properties = schema.get("properties") or schema["$defs"][schema["$ref"]]["properties"]
        for name, field in model.model_fields.items():
            kinds = {kind.get("type") for kind in kinds_of(properties[field.alias or name])}
            if "boolean" in kinds or not kinds & {"number", "integer"}:
                continue
            numbers += 1
            with pytest.raises(ValidationError) as caught:
                model.model_validate({field.alias or name: True})
            found = {one["type"] for one in caught.value.errors() if one["loc"] == (field.alias or name,)}
            assert found & {"float_type", "int_type"}, (model, name)
    assert numbers > 300


def kinds_of(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield schema
        for part in schema.get("anyOf", ()):
            yield from kinds_of(part)
