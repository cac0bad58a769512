"""Forms from pydantic models: which inputs there are, what was typed into them, the document that it makes. Pure.

A field that a form shows is marked beside its type: `port: Annotated[int, Shown(N_("Port"))]`; which input it gets
follows from the type. What is typed is kept as it is typed, so that a form that is refused shows it again; the model,
or whoever reads the document, says what is wrong and where. `forms.html` draws all of it.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any, Literal, Protocol, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from treegarth.phrases import N_, Phrase, in_language

InputKind: TypeAlias = Literal["text", "number", "choice", "many", "truth", "measure", "place", "rows"]
Typed: TypeAlias = Mapping[str, tuple[str, ...]]
"""What stands in a form, by the names of its inputs: `address.port`, `windows.0.days`."""
TIME_UNITS = {
    "minutes": N_("minutes"),
    "hours": N_("hours"),
    "days": N_("days"),
    "weeks": N_("weeks"),
    "years": N_("years"),
}
MOST_ROWS = 50


class SentFields(Protocol):
    """The fields of a form that was sent, as werkzeug's MultiDict has them."""

    def get(self, key: str, default: str, /) -> str:
        """The first value of a field."""

    def getlist(self, key: str, /) -> list[str]:
        """Every value of a field."""

    def __iter__(self) -> Iterator[str]:
        """The names of the fields."""

    def __contains__(self, key: object, /) -> bool:
        """Whether there is a field of this name."""


@dataclass(frozen=True)
class Shown:
    """How a field of a model is shown; all words are msgids."""

    label: str
    hint: str = ""
    example: str = ""
    unit: str = ""  # behind the input of a number, or in its label
    begins: str = ""  # what a new form has, where the model has no default
    choices: Mapping[str, str] = field(default_factory=dict)  # value → words
    units: Mapping[str, str] = field(default_factory=dict)  # of a number that is written with one of several
    type: str = "text"  # of the HTML input
    suggestions: str = ""  # the id of the page's list of what is usual there; anything else can be typed too
    is_wide: bool = False
    is_day: bool = False  # in ISO form, with the calendar of our script


@dataclass(frozen=True, kw_only=True)
class Input:
    """A field of a form, with what stands in it."""

    name: str
    shown: Shown
    kind: InputKind
    values: tuple[str, ...] = ()  # of a measure and a place: the number or the name, then the unit or what it names
    choices: Sequence[tuple[str, str]] = ()  # value → a phrase, or words that are shown as they are
    notes: Sequence[str] = ()
    problems: Sequence[str] = ()
    rows: Sequence[Sequence[Input]] = ()

    @property
    def first(self) -> str:
        return self.values[0] if self.values else ""

    @property
    def second(self) -> str:
        return self.values[1] if len(self.values) > 1 else ""

    def with_problems(self, placed: Mapping[str, Sequence[str]]) -> Input:
        rows = [[one.with_problems(placed) for one in row] for row in self.rows]
        return replace(self, problems=placed.get(self.name, ()), rows=rows)


@dataclass(frozen=True)
class Fault:
    """A line of the list above a form: what is wrong, and the input that it is about."""

    said: str
    label: str = ""
    input_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Form:
    """The inputs of a form by name, and all that is wrong with it."""

    inputs: Mapping[str, Input]
    faults: Sequence[Fault] = ()
    problems: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by place

    def below(self, name: str) -> list[Input]:
        """The inputs of a part of the model."""
        return [one for one in self.inputs.values() if one.name.startswith(f"{name}.")]


# ---- what a model's fields ask for ----


def shown_fields(model: type[BaseModel]) -> dict[str, tuple[Shown, FieldInfo]]:
    """The fields that a form shows, in the order of the model."""
    marked = ((name, info, mark) for name, info in model.model_fields.items() for mark in info.metadata)
    return {name: (mark, info) for name, info, mark in marked if isinstance(mark, Shown)}


def _types(annotation: Any) -> list[Any]:
    """What a value can be, without None and without what is written beside the types."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _types(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [one for part in get_args(annotation) for one in _types(part)]
    return [] if annotation is type(None) else [annotation]


def _kind_of(shown: Shown, annotation: Any) -> InputKind:
    first = _types(annotation)[0]
    if get_origin(first) in (tuple, list):
        return "rows" if _row_model(annotation) else "many"
    if first is timedelta or shown.units:
        return "measure"
    if isinstance(first, type) and issubclass(first, BaseModel):
        return "place"
    if shown.choices or get_origin(first) is Literal or (isinstance(first, type) and issubclass(first, Enum)):
        return "choice"
    plain: Mapping[Any, InputKind] = {bool: "truth", int: "number", float: "number"}
    return plain.get(first, "text") if len(_types(annotation)) == 1 else "text"


def _row_model(annotation: Any) -> type[BaseModel] | None:
    found = next((one for one in _types(get_args(_types(annotation)[0])[0])), None)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _units(shown: Shown, annotation: Any) -> Mapping[str, str]:
    """What may stand beside the value of a measure or a place."""
    if shown.units or shown.choices:
        return shown.units or shown.choices
    return TIME_UNITS


# ---- what stands in a form ----


def sent_values(sent: SentFields) -> Typed:
    """What was sent, as it was typed."""
    return {name: tuple(value.strip() for value in sent.getlist(name)) for name in sent}


def begun(model: type[BaseModel], prefix: str = "") -> Typed:
    """What a new form has."""
    return {
        name: values for name, info in shown_fields(model).items() for name, values in _begins(prefix + name, *info)
    }


def typed_of(document: Mapping[str, Any], model: type[BaseModel], prefix: str = "") -> Typed:
    """The form of a document."""
    found: dict[str, tuple[str, ...]] = {}
    for name, (shown, info) in shown_fields(model).items():
        if document.get(name) is not None:
            found |= _typed(document[name], prefix + name, shown, info.annotation)
    return found


def _begins(name: str, shown: Shown, info: FieldInfo) -> Iterable[tuple[str, tuple[str, ...]]]:
    default = info.default if info.default is not None and not info.is_required() else None
    if shown.begins:
        default = shown.begins
    return [] if default is None else _typed(default, name, shown, info.annotation).items()


def _typed(value: Any, name: str, shown: Shown, annotation: Any) -> dict[str, tuple[str, ...]]:
    kind = _kind_of(shown, annotation)
    if kind == "rows" and (model := _row_model(annotation)):
        rows = [typed_of(row, model, f"{name}.{index}.") for index, row in enumerate(value)]
        return {key: values for row in rows for key, values in row.items()}
    if kind == "many":
        return {name: tuple(map(str, value))}
    if kind == "measure":
        number, _, unit = str(value).partition(" ")
        units = _units(shown, annotation)
        return {name: (number,), f"{name}.unit": (unit if unit in units else f"{unit}s",)}
    if kind == "place":
        ((place, where),) = value.items()
        return {name: (str(where),), f"{name}.unit": (place,)}
    return {name: (str(value).lower() if isinstance(value, bool) else str(value),)}


def acted(typed: Typed, act: str, model: type[BaseModel]) -> Typed:
    """The form after a button: another row of `windows`, or without its row `windows.1`."""
    what, _, place = act.partition(" ")
    name, _, index = place.partition(".")
    found = shown_fields(model).get(name)
    row = _row_model(found[1].annotation) if found and _kind_of(found[0], found[1].annotation) == "rows" else None
    if row is not None and what == "add-row":
        place = f"{name}.{len(_indexes(typed, name))}"
        return {**typed, place: (), **begun(row, f"{place}.")}
    if row is not None and what == "remove-row" and index:
        return {key: values for key, values in typed.items() if key != place and not key.startswith(f"{place}.")}
    return typed


def numbered(typed: Typed, *names: str) -> Typed:
    """The form with the rows of these inputs counted from 0, as the document counts them."""
    for name in names:
        places = {str(old): str(new) for new, old in enumerate(_indexes(typed, name)[:MOST_ROWS])}
        found = {}
        for key, values in typed.items():
            index, _, rest = key.removeprefix(f"{name}.").partition(".")
            if not key.startswith(f"{name}.") or not index.isdecimal():
                found[key] = values
            elif index in places:
                found[f"{name}.{places[index]}" + (f".{rest}" if rest else "")] = values
        typed = found
    return typed


def _indexes(typed: Typed, name: str) -> list[int]:
    pattern = re.compile(rf"{re.escape(name)}\.([0-9]{{1,3}})(\.|$)")
    return sorted({int(found[1]) for key in typed if (found := pattern.match(key))})


# ---- a form to its document ----


def document_of(typed: Typed, model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """The document that a form means: what is empty is left out, what is no number stays as it was typed."""
    found = {}
    for name, (shown, info) in shown_fields(model).items():
        value = _value(typed, prefix + name, shown, info.annotation)
        if value is not None:
            found[name] = value
    return found


def _value(typed: Typed, name: str, shown: Shown, annotation: Any) -> Any:
    values = typed.get(name, ())
    first, kind = next(iter(values), ""), _kind_of(shown, annotation)
    if kind == "rows" and (model := _row_model(annotation)):
        return [document_of(typed, model, f"{name}.{index}.") for index in _indexes(typed, name)] or None
    if kind == "many":
        return list(values)
    if kind == "truth":
        return first == "true"
    if not first:
        return None
    if kind in ("measure", "place"):
        beside = next(iter(typed.get(f"{name}.unit", ())), "")
        return f"{first} {beside}" if kind == "measure" else {beside: first}
    if kind == "number":
        return _number(first)
    return first == "true" if bool in _types(annotation) and first in ("true", "false") else first


def _number(text: str) -> int | float | str:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


# ---- what the template draws ----


def form_of(
    typed: Typed,
    model: type[BaseModel],
    problems: Mapping[str, Sequence[str]],
    *,
    parts: Mapping[str, type[BaseModel]] = types.MappingProxyType({}),
    choices: Mapping[str, Mapping[str, str]] = types.MappingProxyType({}),
    notes: Mapping[str, Sequence[str]] = types.MappingProxyType({}),
    others: Mapping[str, tuple[str, str]] = types.MappingProxyType({}),
) -> Form:
    """The form with what was typed and, by place, what is wrong; of a place within an input it is said at that.

    `parts`: models of its parts, by name. `choices` and `notes`: by input, those that the site has: what a site calls
    something is shown as it is, also where a message of ours reads the same; what is ours among them is a phrase.
    `others`: label and id of what the template draws itself, by place.
    """
    drawing = _Drawing(typed=typed, choices=choices, notes=notes)
    inputs = drawing.inputs(model, "", parts)
    flat = [one for each in inputs for one in (each, *(inner for row in each.rows for inner in row))]
    known = {one.name: (one.shown.label, one.name) for one in flat} | dict(others)
    placed: dict[str, list[str]] = {}
    for place, said in problems.items():
        at = _nearest(place, known)
        placed.setdefault(at or "", []).extend(said if at else [f"{place}: {one}" if place else one for one in said])
    order = ["", *known]
    faults = [Fault(one, *known.get(at, ())) for at in sorted(placed, key=order.index) for one in placed[at]]
    return Form(inputs={one.name: one.with_problems(placed) for one in inputs}, faults=faults, problems=placed)


def in_lines(inputs: Iterable[Input], say: Callable[[str], str]) -> list[str]:
    """What stands in these inputs, a line each, in the words of the form; without those that are empty. `say` is what
    a phrase or a message is in the reader's language."""
    found = []
    for one in inputs:
        words = dict(one.choices)
        if one.kind == "truth":
            shown = say(N_("yes")) if one.first == "true" else say(N_("no"))
        else:
            shown = ", ".join(in_language(words.get(value, value), say) for value in one.values if value)
        if shown:
            unit = f" {one.shown.unit}" if one.shown.unit else ""
            found.append(f"{say(one.shown.label)}: {shown}{unit}")
    return found


def _nearest(place: str, known: Iterable[str]) -> str | None:
    """The place itself or the one around it that is known."""
    parts = place.split(".")
    return next((one for end in range(len(parts), 0, -1) if (one := ".".join(parts[:end])) in known), None)


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    typed: Typed
    choices: Mapping[str, Mapping[str, str]]
    notes: Mapping[str, Sequence[str]]

    def inputs(
        self,
        model: type[BaseModel],
        prefix: str,
        parts: Mapping[str, type[BaseModel]] = types.MappingProxyType({}),
    ) -> list[Input]:
        found, shown = [], shown_fields(model)
        for name in model.model_fields:
            if name in parts:
                found += self.inputs(parts[name], f"{prefix}{name}.")
            elif name in shown:
                found.append(self._input(prefix + name, *shown[name]))
        return found

    def _input(self, name: str, shown: Shown, info: FieldInfo) -> Input:
        kind = _kind_of(shown, info.annotation)
        general = re.sub(r"\.\d+(?=\.|$)", "", name)  # windows.0.days has the choices of windows.days
        drawn = Input(
            name=name,
            shown=shown,
            kind=kind,
            notes=self.notes.get(general, ()),
        )
        if kind == "rows" and (model := _row_model(info.annotation)):
            return replace(drawn, rows=[self.inputs(model, f"{name}.{index}.") for index in _indexes(self.typed, name)])
        begins = dict(_begins(name, shown, info)) if kind not in ("truth", "many") else {}
        typed = {**begins, **self.typed}
        values = typed.get(name, ())
        if kind in ("measure", "place"):
            values = (next(iter(values), ""), next(iter(typed.get(f"{name}.unit", ())), ""))
        offered = _units(shown, info.annotation) if kind in ("measure", "place") else shown.choices
        ours = {value: Phrase(words) for value, words in offered.items()}
        return replace(drawn, values=values, choices=list((self.choices.get(general) or ours).items()))
