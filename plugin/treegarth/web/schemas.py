"""The objects of the API's document as JSON schemas, each class under one name. Pure.

The name is the class's own, whatever its docstring says and wherever it moves; classes of one name take their modules'
into it. pydantic alone would name them by comparing their schemas, docstrings included.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, Literal, TypeAlias, cast

from pydantic import BaseModel
from pydantic.json_schema import CoreModeRef, DefsRef, GenerateJsonSchema, models_json_schema

Schema: TypeAlias = dict[str, Any]
Mode: TypeAlias = Literal["validation", "serialization"]
TAKEN: Mode = "validation"
ANSWERED: Mode = "serialization"
PREFIX = "#/components/schemas/"
NOT_IN_NAMES = frozenset({"treegarth", "features", "registry", "api", "<locals>"})


@dataclass(frozen=True)
class _Defined:
    """A class as it is taken or answered. `identity` is pydantic's: `package.module.Class:94093486434560`."""

    identity: str
    mode: Mode

    @classmethod
    def by(cls, reference: str) -> _Defined:
        identity, _, mode = reference.removeprefix(PREFIX).rpartition(" ")
        return cls(identity, cast(Mode, mode))


class _EachApart(GenerateJsonSchema):
    """Defines every class once in each mode, whatever other classes look like."""

    def get_defs_ref(self, core_mode_ref: CoreModeRef) -> DefsRef:
        reference = DefsRef("{} {}".format(*core_mode_ref))
        self._prioritized_defsref_choices[reference] = [reference]  # else pydantic looks for a shorter one
        return reference

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # generators of clients would take a field's title for the name of a class


class Schemas:
    """The schemas of some classes and of all that they refer to."""

    def __init__(
        self, *, objects: Iterable[tuple[type[BaseModel], Mode]], parameters: Iterable[type[BaseModel]]
    ) -> None:
        """`parameters` are models of queries and paths: their fields stand in the document, they do not."""
        named = list(dict.fromkeys(objects))
        unnamed: list[tuple[type[BaseModel], Mode]] = [(kind, TAKEN) for kind in dict.fromkeys(parameters)]
        given, document = models_json_schema(
            list(dict.fromkeys([*named, *unnamed])), ref_template=PREFIX + "{model}", schema_generator=_EachApart
        )
        self._schemas = {_Defined.by(key): _untitled(schema) for key, schema in document.get("$defs", {}).items()}
        self._roots = {root: _Defined.by(reference["$ref"]) for root, reference in given.items()}
        below = [defined for root in unnamed for defined in _referred(self._schemas[self._roots[root]])]
        self._names = _names(self._reached([*(self._roots[root] for root in named), *below]))

    @cached_property
    def components(self) -> dict[str, Schema]:
        """Every object by its name, sorted."""
        found = {name: self._renamed(self._schemas[defined]) for defined, name in self._names.items()}
        return dict(sorted(found.items()))

    def reference(self, kind: type[BaseModel], mode: Mode) -> Schema:
        return {"$ref": PREFIX + self._names[self._roots[kind, mode]]}

    def of_parameters(self, kind: type[BaseModel]) -> Schema:
        """The model of a query or a path: each of its properties is a parameter."""
        return self._renamed(self._schemas[self._roots[kind, TAKEN]])

    def _reached(self, begin: list[_Defined]) -> dict[_Defined, Schema]:
        found: dict[_Defined, Schema] = {}
        for defined in begin:  # grows while it is walked
            if defined not in found:
                found[defined] = self._schemas[defined]
                begin.extend(_referred(found[defined]))
        return found

    def _renamed(self, schema: Schema) -> Schema:
        return cast(Schema, _with_names(schema, self._names))


def _untitled(schema: Schema) -> Schema:
    """Without the class's name, which two objects may share."""
    return {key: value for key, value in schema.items() if key != "title"}


def _referred(schema: Any) -> Iterator[_Defined]:
    """What a schema refers to, by `$ref` or by the mapping of a discriminator."""
    if isinstance(schema, str) and schema.startswith(PREFIX):
        yield _Defined.by(schema)
    elif isinstance(schema, Mapping | list):
        for value in schema.values() if isinstance(schema, Mapping) else schema:
            yield from _referred(value)


def _with_names(schema: Any, names: Mapping[_Defined, str]) -> Any:
    if isinstance(schema, str) and schema.startswith(PREFIX):
        return PREFIX + names[_Defined.by(schema)]
    if isinstance(schema, Mapping):
        return {key: _with_names(value, names) for key, value in schema.items()}
    return [_with_names(value, names) for value in schema] if isinstance(schema, list) else schema


def _names(schemas: Mapping[_Defined, Schema]) -> dict[_Defined, str]:
    """One name for a class in both modes, unless it or what it refers to looks different as it is taken."""
    differing: set[str] = set()
    while True:
        units = {
            defined: (defined.identity, "Input" if defined.mode == TAKEN and defined.identity in differing else "")
            for defined in schemas
        }
        given = _distinct(list(dict.fromkeys(units.values())))
        names = {defined: given[unit] for defined, unit in units.items()}
        looks: dict[str, list[Any]] = {}
        for defined, schema in schemas.items():
            looks.setdefault(names[defined], []).append((defined.identity, _with_names(schema, names)))
        found = {alike[0][0] for alike in looks.values() if any(look != alike[0] for look in alike)}
        if not found:
            return names
        differing |= found


def _distinct(units: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The shortest names that keep classes apart: their own, with their modules', with a number."""
    found: dict[tuple[str, str], str] = {}
    left = list(units)
    for written in (_short_name, _full_name):
        names = {unit: written(unit[0]) + unit[1] for unit in left}
        counts = Counter([*names.values(), *found.values()])
        found |= {unit: name for unit, name in names.items() if counts[name] == 1}
        left = [unit for unit in left if unit not in found]
    for unit in left:
        numbered = (f"{_full_name(unit[0])}{number}{unit[1]}" for number in count(1))
        found[unit] = next(name for name in numbered if name not in found.values())
    return found


def _place(identity: str) -> str:
    return re.sub(r":\d+", "", identity)


def _short_name(identity: str) -> str:
    """`RuleItem`; of a generic class `ListedStudyItem`."""
    return re.sub(r"\W", "", re.sub(r"[^\[\],]*\.", "", _place(identity)))


def _full_name(identity: str) -> str:
    """With the modules': `DoseNotPatientsRuleItem`."""
    parts = [part for part in re.split(r"[.\[\],]", _place(identity)) if part not in NOT_IN_NAMES]
    return "".join(word[:1].upper() + word[1:] for part in parts for word in re.split(r"\W+|_", part))
