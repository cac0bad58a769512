"""Why the site's settings do not let a destination be used, field by field. Opens nothing.

This is asked before a destination is saved, tried or sent to, and says what can be said without opening or asking for
anything. Whoever then opens a file or connects asks again, for the file or address that it really is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel

from treegarth.addresses import IpAddress
from treegarth.errors import PlaceRefused
from treegarth.features.deliveries.address_parts import Guarded, SecretPlace
from treegarth.features.deliveries.addresses import Address, S3Address
from treegarth.outgoing.connections import written_addresses
from treegarth.places import DestinationPlaces

Resolve = Callable[[str, int], list[IpAddress]]  # a host's addresses, as far as they are known; raises nothing
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A field of an address, and the sentence that names the setting which does not list what stands there."""

    field: str
    sentence: str


def refusals(address: Address, places: DestinationPlaces, resolve: Resolve = written_addresses) -> list[Refusal]:
    """Every field that names what the settings do not list. None is missing that does not need a look at the network
    or into folders."""
    found = []
    for name, guarded in guarded_fields(type(address)).items():
        value = getattr(address, name)
        try:
            if value is not None:
                _check(address, guarded, value, places, resolve)
        except PlaceRefused as error:
            found.append(Refusal(field=name, sentence=error.sentence))
    if isinstance(address, S3Address) and address.access_key_id is None:
        try:
            places.check_machine_login()
        except PlaceRefused as error:
            found.append(Refusal(field="access_key_id", sentence=error.sentence))
    return found


def check_allowed(address: Address, places: DestinationPlaces) -> None:
    """Raises PlaceRefused with the first of the sentences."""
    if found := refusals(address, places):
        raise PlaceRefused(found[0].sentence)


@cache
def guarded_fields(model: type[BaseModel]) -> Mapping[str, Guarded]:
    """The fields of an address that name a place, by the marks of their types."""
    found = {}
    for name, field in model.model_fields.items():
        marks = [*field.metadata, *_marks(field.annotation)]
        if guarded := next((mark for mark in marks if isinstance(mark, Guarded)), None):
            found[name] = guarded
    return MappingProxyType(found)


def _marks(annotation: Any) -> Iterator[Any]:
    """What is written beside a type, also inside `... | None`."""
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
    for inner in get_args(annotation):
        yield from _marks(inner)


def _check(address: Address, guarded: Guarded, value: Any, places: DestinationPlaces, resolve: Resolve) -> None:
    match guarded:
        case Guarded.FOLDER:
            places.folder_above(value)
        case Guarded.CERTIFICATES:
            if isinstance(value, Path):
                places.check_certificates(value)
        case Guarded.SECRET:
            _check_secret(value, places)
        case Guarded.WEB:
            parts = urlsplit(value)
            _check_host(parts.hostname or "", parts.port or _PORTS[parts.scheme], places, resolve)
        case Guarded.HOST:
            _check_host(value, vars(address)["port"], places, resolve)


def _check_secret(place: SecretPlace, places: DestinationPlaces) -> None:
    if place.environment is not None:
        places.check_secret_variable(place.environment)
    if place.file is not None:
        places.check_secret_file(place.file)


def _check_host(host: str, port: int, places: DestinationPlaces, resolve: Resolve) -> None:
    """Refused where no address of it may be connected to, as when connecting."""
    addresses = resolve(host, port)
    if not addresses:
        places.check_name(host, port)
    refused = []
    for address in addresses:
        try:
            places.check_address(host, port, address)
        except PlaceRefused as error:
            refused.append(error)
    if refused and len(refused) == len(addresses):
        raise refused[0]
