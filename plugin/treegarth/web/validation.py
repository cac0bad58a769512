"""Requests against their models: what is wrong with each field, and what would be right, in a reader's language."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from treegarth.errors import InvalidRequest
from treegarth.phrases import N_

ModelT = TypeVar("ModelT", bound=BaseModel)

# pydantic's kinds of errors that a request can make, as sentences about the field
SENTENCES = {
    "extra_forbidden": N_("is not known here. Known: %(known)s."),
    "missing": N_("is missing."),
    "int_parsing": N_("must be a whole number."),
    "int_type": N_("must be a whole number."),
    "int_from_float": N_("must be a whole number."),
    "int_parsing_size": N_("is too large a number."),
    "float_parsing": N_("must be a number."),
    "finite_number": N_("must be a number."),
    "float_type": N_("must be a number."),
    "bool_parsing": N_("must be true or false."),
    "bool_type": N_("must be true or false."),
    "string_type": N_("must be text."),
    "string_too_short": N_("must have at least %(min_length)s characters."),
    "string_too_long": N_("must have at most %(max_length)s characters."),
    "list_type": N_("must be a list."),
    "too_short": N_("is empty: name at least one."),
    "too_long": N_("must have at most %(max_length)s entries."),
    "dict_type": N_("must be a JSON object."),
    "greater_than_equal": N_("must be at least %(ge)s."),
    "less_than_equal": N_("must be at most %(le)s."),
    "greater_than": N_("must be more than %(gt)s."),
    "less_than": N_("must be less than %(lt)s."),
    "string_pattern_mismatch": N_("has characters that it cannot have."),
    "enum": N_("must be one of %(expected)s."),
    "literal_error": N_("must be one of %(expected)s."),
    "date_from_datetime_parsing": N_("must be a date like 2026-11-20."),
    "date_parsing": N_("must be a date like 2026-11-20."),
    "span_to": N_("must not be less than %(least)s."),
    "span_below": N_("must be more than %(least)s."),
    "model_type": N_("must be a JSON object."),
    "unknown_quantity": N_("is none of the quantities that can be said here: %(allowed)s."),
    "model_attributes_type": N_("must be a JSON object."),
}
# what our own validators say, who may not know of languages
OWN_SENTENCES = (
    N_("must be a date like 2026-11-20."),
    N_("must be a moment with its zone like 2026-11-20T14:30:00+09:00."),
    N_("must be text without NUL and without half characters."),
    N_("must not be before the first day."),
)
WHOLE = "request"  # the field of what is wrong with several together


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with one field."""

    field: str
    message: str  # a msgid
    values: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def said(self, gettext: Callable[[str], str] = str) -> str:
        """The sentence, in English if not told otherwise."""
        sentence = gettext(self.message)
        return sentence % self.values if self.values else sentence


class InvalidFields(InvalidRequest):
    """The request has fields that are not right."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(" ".join(f"{fault.field}: {fault.said()}" for fault in faults))
        self.faults = faults


def validated(model: type[ModelT], values: object) -> ModelT:
    """The values as an instance of the model. Raises InvalidFields."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidFields([_fault(model, details) for details in error.errors()]) from None


def _fault(model: type[BaseModel], details: ErrorDetails) -> Fault:
    name = ".".join(str(part) for part in details["loc"]) or WHOLE
    kind = details["type"]
    if kind in ("too_short", "too_long") and isinstance(details["input"], str):  # behind a validator of our own
        kind = f"string_{kind}"
    message = SENTENCES.get(kind)
    if message is None:
        return Fault(field=name, message=details["msg"].removeprefix("Value error, ").rstrip(".") + ".")
    known = _fields_at(model, details["loc"][:-1]) if kind == "extra_forbidden" else None
    limits = {key: _plain(value) for key, value in details.get("ctx", {}).items()}
    context = {**limits, "known": ", ".join(known or ()) or "–"}
    return Fault(field=name, message=message, values=context if "%(" in message else {})


def _plain(value: object) -> object:
    """A limit as people write it: 0, not 0.0; a very large one stays 1e+150."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def _fields_at(hint: Any, place: Sequence[int | str]) -> Iterable[str] | None:
    """What can be written at a place in what is annotated so; None where it knows no such place."""
    of, inner = get_origin(hint), get_args(hint)
    if of is Annotated:
        return _fields_at(inner[0], place)
    if of in (Union, UnionType):
        return _first(_fields_of_one(one, place) for one in inner)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        if not place:
            return hint.model_fields
        field = hint.model_fields.get(str(place[0]))
        return None if field is None else _fields_at(field.annotation, place[1:])
    if not inner or not place:
        return None
    if isinstance(of, type) and issubclass(of, Mapping):
        return _fields_at(inner[1], place[1:])
    return _fields_at(inner[0], place[1:]) if isinstance(place[0], int) else None


def _fields_of_one(hint: Any, place: Sequence[int | str]) -> Iterable[str] | None:
    """The same of one of several that something can be; pydantic names which in the place, by its tag or its class."""
    model = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if place and isinstance(model, type) and issubclass(model, BaseModel):
        tags = {tag for field in model.model_fields.values() for tag in get_args(field.annotation)}
        if place[0] == model.__name__ or place[0] in tags:
            return _fields_at(model, place[1:])
    return _fields_at(hint, place)


def _first(found: Iterable[Iterable[str] | None]) -> Iterable[str] | None:
    return next((one for one in found if one is not None), None)
