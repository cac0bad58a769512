"""Every place that a person can name over HTTP is known to the settings, and refused where they do not list it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel

from tests.unit.web.web_support import make_services
from treegarth.addresses import IpAddress
from treegarth.assembly import house
from treegarth.errors import PlaceRefused
from treegarth.features.deliveries.address_parts import SecretPlace
from treegarth.features.deliveries.addresses import ADDRESSES, Kind
from treegarth.features.deliveries.destinations import Destination, DestinationSettings
from treegarth.features.deliveries.factory import make_retriever, make_sender
from treegarth.features.deliveries.refusals import guarded_fields, refusals
from treegarth.orthanc.client import OrthancAddress, OrthancClient
from treegarth.outgoing.gate import Gate
from treegarth.places import DestinationPlaces
from treegarth.settings import Settings

PLAIN = (int, float, bool)
# Texts of an address that name nothing of the machine or the network.
HARMLESS = {
    "ae_title": "travels in an association",
    "local_ae_title": "travels in an association",
    "user": "travels in a request",
    "headers": "travel in a request; their letters are checked",
    "layout": "names below the folder; see test_destination_layout",
    "bucket": "a bucket of the server; its letters are checked",
    "prefix": "names in the bucket",
    "region": "a word without full stops",
    "access_key_id": "travels in a request; without it MachineLogin is asked for",
}
# What else a request can name that sounds like a place, and why that is well.
OTHER_PLACES = {
    ("DestinationSettings", "address"): "guarded field by field",
    ("SizeFileBody", "file_name"): "what a file that is sent was called, to be shown",
    ("SendForm", "file_name"): "the same, of the form",
    **{
        (model, "address"): "from where somebody asked, which a list of the audit trail is narrowed to"
        for model in ("AuditEventQuery", "AuditEventPageQuery", "AuditEventFileQuery")
    },
    **{
        (model, "password"): "what a person types: it is hashed, and leads to nothing"
        for model in ("NewUser", "PasswordBody", "PasswordForm", "PasswordOnce", "SignInForm")
    },
    **{(model, "token_id"): "the number of a row" for model in ("TokenPath", "UserTokenPath")},
}
NOTHING = DestinationPlaces()
NOWHERE = OrthancClient(OrthancAddress(url="http://127.0.0.1:9"), pause_s=0)
PLACED: list[tuple[str, dict[str, Any], str, str]] = [
    ("folder", {"path": "/usr/lib/python3/dist-packages", "layout": "x.pth"}, "path", "Folders"),
    ("folder", {"path": "/etc/cron.d"}, "path", "Folders"),
    ("dicomweb", {"url": "http://pacs/", "token": {"file": "/etc/shadow"}}, "token", "SecretFiles"),
    ("dicomweb", {"url": "http://pacs/", "token": {"file": "/proc/self/environ"}}, "token", "SecretFiles"),
    ("dicomweb", {"url": "http://pacs/", "token": {"environment": "PGPASSWORD"}}, "token", "SecretEnvironment"),
    ("dicomweb", {"url": "http://pacs/", "verify": "/etc/passwd"}, "verify", "CertificateFiles"),
    ("peer", {"url": "http://pacs/", "user": "u", "password": {"file": "/etc/passwd"}}, "password", "SecretFiles"),
    ("peer", {"url": "http://localhost:8042"}, "url", "LocalAddresses"),
    ("peer", {"url": "http://[::1]:8042"}, "url", "LocalAddresses"),
    ("peer", {"url": "http://2130706433"}, "url", "LocalAddresses"),
    ("peer", {"url": "https://0x7f.1/"}, "url", "LocalAddresses"),
    ("dicomweb", {"url": "http://169.254.169.254/latest"}, "url", "LocalAddresses"),
    ("dicomweb", {"url": "http://0.0.0.0/"}, "url", "no machine's address"),
    ("dicom", {"ae_title": "A", "host": "127.0.0.1", "port": 4242}, "host", "LocalAddresses"),
    ("dicom", {"ae_title": "A", "host": "169.254.1.1", "port": 104}, "host", "LocalAddresses"),
    (
        "s3",
        {"bucket": "abc", "endpoint_url": "http://127.1:9000", "access_key_id": "k"},
        "endpoint_url",
        "LocalAddresses",
    ),
    ("s3", {"bucket": "abc", "access_key_id": "k"}, "secret_access_key", "SecretFiles"),
    ("s3", {"bucket": "abc"}, "access_key_id", "MachineLogin"),
    ("s3", {"bucket": "abc", "verify": "/root/.ssh/id_rsa"}, "verify", "CertificateFiles"),
]


def address_of(kind: str, given: dict[str, Any]) -> Any:
    if kind == "s3" and "access_key_id" in given:
        given = {"secret_access_key": {"file": "/etc/machine-id"}, **given}
    return ADDRESSES[Kind(kind)].model_validate(given)


@pytest.mark.parametrize(("kind", "given", "field", "said"), PLACED)
def test_a_place_that_is_not_listed_is_refused_at_its_field_with_the_setting(
    kind: str, given: dict[str, Any], field: str, said: str
) -> None:
    found = {one.field: one.sentence for one in refusals(address_of(kind, given), NOTHING)}
    assert said in found[field]


@pytest.mark.parametrize(("kind", "given", "field", "said"), PLACED)
def test_nothing_is_made_that_could_use_it(kind: str, given: dict[str, Any], field: str, said: str) -> None:
    destination = Destination(id=1, name="there", kind=Kind(kind), address=address_of(kind, given))
    gate = Gate(places=NOTHING, environment={"PGPASSWORD": "hunter2"})
    for make in (make_sender, make_retriever):
        with pytest.raises(PlaceRefused):
            make(destination, NOWHERE, gate)


def test_what_is_listed_is_refused_nowhere() -> None:
    listed = DestinationPlaces.model_validate(
        {
            "Folders": ["/srv"],
            "SecretFiles": ["/run/secrets"],
            "SecretEnvironment": ["TOKEN"],
            "CertificateFiles": ["/etc/ssl"],
            "MachineLogin": True,
            "LocalAddresses": ["127.0.0.1"],
        }
    )
    for kind, given in (
        ("folder", {"path": "/srv/exports"}),
        ("dicomweb", {"url": "http://127.1/", "token": {"environment": "TOKEN"}, "verify": "/etc/ssl/ca.pem"}),
        ("peer", {"url": "http://pacs/", "user": "u", "password": {"file": "/run/secrets/p"}}),
        ("dicom", {"ae_title": "A", "host": "localhost", "port": 4242}),
        ("s3", {"bucket": "abc"}),
    ):
        assert refusals(address_of(kind, given), listed) == []


def test_a_name_is_asked_for_where_the_caller_can() -> None:
    address = address_of("peer", {"url": "http://pacs.evil.test/"})

    def known(host: str, port: int) -> list[IpAddress]:
        return [ip_address("127.0.0.1")]

    assert refusals(address, NOTHING) == []  # who connects asks again
    assert [one.field for one in refusals(address, NOTHING, known)] == ["url"]


@pytest.mark.parametrize("kind", Kind)
def test_every_field_of_every_kind_is_guarded_or_declared_harmless(kind: Kind) -> None:
    model = ADDRESSES[kind]
    guarded = guarded_fields(model)
    for name, field in model.model_fields.items():
        types = set(leaves(field.annotation))
        if name in guarded:
            assert name not in HARMLESS, f"{kind}.{name} cannot be both"
            continue
        assert not types & {Path, SecretPlace}, f"{kind}.{name} names a place: mark its type with Guarded"
        assert types <= set(PLAIN) or name in HARMLESS, f"{kind}.{name}: guard it, or say why it is harmless"


def test_every_guarded_field_is_tried_above() -> None:
    tried = {(kind, field) for kind, _, field, _ in PLACED}
    there = {(str(kind), name) for kind, model in ADDRESSES.items() for name in guarded_fields(model)}
    same = {("peer", "verify"), ("dicomweb", "password")}  # inherited from one class: tried with the other kind
    assert there - tried == same


def test_no_action_of_a_rule_names_a_place() -> None:
    """They name destinations and webhooks, which are guarded where they are set, and people's addresses for the
    settings' own mail server."""
    names = {f"{action.name}.{field}" for action in house(Settings()).actions() for field in fields_of_spec(action)}
    suspicious = {name for name in names if SOUNDS_LIKE_A_PLACE.search(name.rpartition(".")[2])}
    assert suspicious == set()
    assert {"deliver.to", "notify.email", "notify.webhook", "notify.title"} <= names


def test_no_other_request_names_a_place(tmp_path: Path) -> None:
    found = set()
    for route in house(make_services(tmp_path).settings).routes():
        taken = [model for model in (route.body, route.query, route.path_parameters) if model is not None]
        inside = [field.annotation for model in taken for field in model.model_fields.values()]
        for model in (*taken, *inside):  # a document is inside of the body that brings it
            if isinstance(model, type) and issubclass(model, BaseModel):
                found |= {(model.__name__, name) for name, field in model.model_fields.items() if is_place(name, field)}
    assert found == set(OTHER_PLACES)


SOUNDS_LIKE_A_PLACE = re.compile(
    r"(^|_)(path|paths|file|files|folder|directory|url|uri|host|port|address|secret|password|token|command|script|environment)($|_)"
)


def is_place(name: str, field: Any) -> bool:
    return Path in set(leaves(field.annotation)) or bool(SOUNDS_LIKE_A_PLACE.search(name))


def fields_of_spec(action: Any) -> list[str]:
    """Of what an action's document is read into: a dataclass, or something plain."""
    [spec] = next(get_args(base) for base in type(action).__orig_bases__ if get_args(base))
    if dataclasses.is_dataclass(spec):
        hints = get_type_hints(spec)
        assert Path not in {leaf for hint in hints.values() for leaf in leaves(hint)}
        return list(hints)
    assert Path not in set(leaves(spec)), action.name
    return ["value"]


def leaves(annotation: Any) -> Iterator[Any]:
    """The types that a value can have, without None."""
    if get_origin(annotation) is None:
        if annotation is not type(None):
            yield annotation
        return
    for inner in get_args(annotation)[: 1 if hasattr(annotation, "__metadata__") else None]:
        yield from leaves(inner)


def test_the_walk_sees_what_it_is_for() -> None:
    assert set(leaves(dict[str, Path | None])) == {str, Path}
    assert is_place("backup_path", DestinationSettings.model_fields["name"])
    assert not is_place("study_instance_uid", DestinationSettings.model_fields["name"])
