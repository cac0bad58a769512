"""A destination's settings as a form: which fields its kind has, and the document that they make. Pure.

What a person sees of a secret is its place only; that is all that is kept of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from treegarth.features.deliveries.address_parts import DEFAULT_LAYOUT
from treegarth.features.deliveries.destinations import Kind
from treegarth.features.deliveries.windows import WEEKDAYS
from treegarth.phrases import N_

KINDS: Mapping[str, tuple[str, str]] = {
    Kind.DICOM: (N_("DICOM node"), N_("C-STORE to an AE title, by Orthanc")),
    Kind.DICOMWEB: (N_("DICOMweb server"), N_("STOW-RS over HTTP")),
    Kind.PEER: (N_("Orthanc peer"), N_("another Orthanc, by its REST API")),
    Kind.FOLDER: (N_("Folder"), N_("files with readable names below a folder of the settings")),
    Kind.S3: (N_("S3 bucket"), N_("Amazon S3, or a server that speaks like it")),
}
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
class AddressInput:
    """One field of an address."""

    name: str
    label: str  # a msgid
    kind: Literal["text", "number", "truth", "secret"] = "text"
    hint: str = ""  # a msgid
    example: str = ""
    default: str = ""
    is_wide: bool = False


_URL = AddressInput(name="url", label=N_("Address (URL)"), example="https://pacs.example.org/dicom-web", is_wide=True)
_LOGIN = (
    AddressInput(name="user", label=N_("User")),
    AddressInput(name="password", label=N_("Password"), kind="secret"),
)
_VERIFY = AddressInput(
    name="verify",
    label=N_("Certificate"),
    default="true",
    hint=N_("true: checked; or the path of the certificates of the authorities that are trusted"),
)
INPUTS: Mapping[str, tuple[AddressInput, ...]] = {
    Kind.DICOM: (
        AddressInput(name="ae_title", label=N_("AE title"), example="NMDOSE"),
        AddressInput(name="host", label=N_("Host"), example="10.0.0.7"),
        AddressInput(name="port", label=N_("Port"), kind="number", default="104"),
        AddressInput(
            name="local_ae_title", label=N_("Called by"), hint=N_("our AE title towards it; Orthanc's own if empty")
        ),
        AddressInput(name="timeout_s", label=N_("Timeout in seconds"), kind="number", default="60"),
        AddressInput(
            name="tls", label=N_("TLS"), kind="truth", hint=N_("with the certificates of Orthanc's configuration")
        ),
    ),
    Kind.DICOMWEB: (_URL, *_LOGIN, AddressInput(name="token", label=N_("Bearer token"), kind="secret"), _VERIFY),
    Kind.PEER: (
        AddressInput(name="url", label=N_("Address (URL)"), example="https://research.example.org:8042", is_wide=True),
        *_LOGIN,
        _VERIFY,
    ),
    Kind.FOLDER: (
        AddressInput(name="path", label=N_("Folder"), example="/srv/dose", is_wide=True),
        AddressInput(
            name="layout",
            label=N_("Folders and names below it"),
            default=DEFAULT_LAYOUT,
            is_wide=True,
            hint=N_("DICOM keywords in braces are replaced by the object's own values"),
        ),
    ),
    Kind.S3: (
        AddressInput(
            name="endpoint_url",
            label=N_("Server (URL)"),
            example="https://s3.example.org",
            hint=N_("that of Amazon if empty"),
            is_wide=True,
        ),
        AddressInput(name="bucket", label=N_("Bucket")),
        AddressInput(name="prefix", label=N_("Prefix of the names"), example="pacs/"),
        AddressInput(name="region", label=N_("Region")),
        AddressInput(name="access_key_id", label=N_("Access key")),
        AddressInput(name="secret_access_key", label=N_("Secret of the key"), kind="secret"),
        _VERIFY,
    ),
}


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
    defaults = {f"address.{one.name}": one.default for one in INPUTS[kind] if one.default}
    return TypedDestination(
        kind=kind, values={"proof": "best", "max_associations": "1", "max_attempts": "20", **defaults}
    )


def read_typed(fields: FormFields) -> TypedDestination:
    """What was sent; never fails."""
    kind = fields.get("kind", "")
    kind = kind if kind in INPUTS else Kind.DICOM
    names = [name for name in fields if name in PLAIN or name.startswith("address.")]
    values = {name: fields.get(name, "").strip() for name in names}
    for one in INPUTS[kind]:
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
    for one in INPUTS[typed.kind]:
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
    names = {one.name for one in INPUTS[str(document["kind"])]}
    kept = {key: value for key, value in before["address"].items() if key not in names}
    return {**document, "address": {**kept, **document["address"]}}
