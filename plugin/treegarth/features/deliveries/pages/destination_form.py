"""A destination's settings as a form: which fields its kind has, and the document that they make. Pure.

What a person sees of a secret is its place only; that is all that is kept of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from treegarth.features.deliveries.addresses import Kind
from treegarth.features.deliveries.kinds import KINDS, AddressInput
from treegarth.features.deliveries.windows import WEEKDAYS
from treegarth.phrases import N_

PROOFS: Mapping[str, str] = {
    "best": N_("the strongest that the destination has"),
    "commitment": N_("storage commitment"),
    "find": N_("finding it there (C-FIND, QIDO, reading back)"),
    "status": N_("the answer of the send itself"),
}
DAYS: Mapping[str, str] = {
    "mon": N_("Mon"),
    "tue": N_("Tue"),
    "wed": N_("Wed"),
    "thu": N_("Thu"),
    "fri": N_("Fri"),
    "sat": N_("Sat"),
    "sun": N_("Sun"),
}
MOST_WINDOWS = 50


class FormFields(Protocol):
    """The fields of a form that was sent."""

    def get(self, key: str, default: str, /) -> str:
        """The first value of a field."""

    def getlist(self, key: str, /) -> list[str]:
        """Every value of a field."""

    def __iter__(self) -> Iterator[str]:
        """The names of the fields."""


@dataclass(frozen=True, kw_only=True)
class TypedWindow:
    """A window as typed."""

    days: tuple[str, ...] = WEEKDAYS
    begin: str = ""
    end: str = ""


@dataclass(frozen=True, kw_only=True)
class TypedDestination:
    """What stands in the form."""

    kind: str
    values: Mapping[str, str]  # by name of the field: name, proof, address.host, address.password.environment ...
    windows: tuple[TypedWindow, ...] = ()

    def one(self, name: str) -> str:
        return self.values.get(name, "")


PLAIN = ("name", "proof", "alternate", "max_associations", "max_mbit_per_s", "max_attempts")
NUMBERS = ("max_associations", "max_mbit_per_s", "max_attempts")


def fresh(kind: str = Kind.DICOM) -> TypedDestination:
    """The form of a new destination."""
    defaults = {f"address.{one.name}": one.default for one in KINDS[Kind(kind)].inputs if one.default}
    return TypedDestination(
        kind=kind, values={"proof": "best", "max_associations": "1", "max_attempts": "20", **defaults}
    )


def read_typed(fields: FormFields) -> TypedDestination:
    """What was sent; never fails."""
    kind = fields.get("kind", "")
    kind = kind if kind in KINDS else Kind.DICOM
    names = [name for name in fields if name in PLAIN or name.startswith("address.")]
    values = {name: fields.get(name, "").strip() for name in names}
    for one in KINDS[Kind(kind)].inputs:
        if one.default and f"address.{one.name}" not in values:  # the kind was changed: its fields begin anew
            values[f"address.{one.name}"] = one.default
    indexes = sorted({int(found[1]) for name in fields if (found := re.match(r"windows\.([0-9]{1,3})\.", name))})
    windows = tuple(
        TypedWindow(
            days=tuple(day for day in WEEKDAYS if day in fields.getlist(f"windows.{index}.days")),
            begin=fields.get(f"windows.{index}.begin", "").strip(),
            end=fields.get(f"windows.{index}.end", "").strip(),
        )
        for index in indexes[:MOST_WINDOWS]
    )
    act, _, rest = fields.get("act", "").partition(" ")
    if act == "add-window":
        windows = (*windows, TypedWindow())
    if act == "remove-window":
        windows = tuple(window for index, window in enumerate(windows) if str(index) != rest)
    return TypedDestination(kind=kind, values=values, windows=windows)


def typed_document(typed: TypedDestination) -> dict[str, Any]:
    """The document that the form means; what is wrong with it the settings' model says."""
    document: dict[str, Any] = {"kind": typed.kind, "address": {}}
    for name in PLAIN:
        if value := typed.one(name):
            document[name] = _number(value) if name in NUMBERS else value
    for one in KINDS[Kind(typed.kind)].inputs:
        value = _address_value(typed, one)
        if value is not None:
            document["address"][one.name] = value
    if typed.windows:
        document["windows"] = [{"days": list(w.days), "begin": w.begin, "end": w.end} for w in typed.windows]
    return document


def _address_value(typed: TypedDestination, one: AddressInput) -> Any:
    name = f"address.{one.name}"
    if one.kind == "secret":
        place, value = typed.one(f"{name}.place"), typed.one(f"{name}.value")
        return {place if place == "file" else "environment": value} if value else None
    value = typed.one(name)
    if one.kind == "truth":
        return value == "true"
    if one.name == "verify" and value in ("true", "false", ""):
        return value != "false"
    if not value:
        return None
    return _number(value) if one.kind == "number" else value


def _number(value: str) -> Any:
    try:
        return float(value) if "." in value else int(value)
    except ValueError:
        return value


def typed_of(document: Mapping[str, Any]) -> TypedDestination:
    """The form of a destination's settings."""
    values = {name: str(document[name]) for name in PLAIN if document.get(name) is not None}
    for key, value in document["address"].items():
        if isinstance(value, Mapping):
            for place, where in value.items():
                if place in ("environment", "file"):
                    values |= {f"address.{key}.place": place, f"address.{key}.value": str(where)}
        else:
            values[f"address.{key}"] = str(value).lower() if isinstance(value, bool) else str(value)
    windows = tuple(
        TypedWindow(days=tuple(w["days"]), begin=w["begin"], end=w["end"]) for w in document.get("windows") or ()
    )
    return TypedDestination(kind=str(document["kind"]), values=values, windows=windows)


def untouched(document: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The document with what the form has no field for (HTTP headers) kept from before."""
    if document["kind"] != before.get("kind"):
        return dict(document)
    names = {one.name for one in KINDS[Kind(document["kind"])].inputs}
    kept = {key: value for key, value in before["address"].items() if key not in names}
    return {**document, "address": {**kept, **document["address"]}}
