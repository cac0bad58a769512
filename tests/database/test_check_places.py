"""`treegarth check` names each destination and webhook that the settings do not let be used, and the key to set."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.delivery_support import add_destination
from tests.places import places
from tests.unit.web.web_support import NOW
from treegarth.commands.check import check_embedded, check_server
from treegarth.commands.check_places import UNSEEN, check_destinations, check_places
from treegarth.commands.findings import Level
from treegarth.database.engine import DatabaseAddress
from treegarth.documents.store import Author
from treegarth.features.deliveries.store.destinations import DESTINATIONS as DESTINATION_KIND
from treegarth.places import DestinationPlaces
from treegarth.settings import Settings

DESTINATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "exports": ("folder", {"path": "/srv/exports"}),
    "token": ("dicomweb", {"url": "http://pacs.invalid/", "token": {"file": "/etc/shadow"}}),
    "loop": ("peer", {"url": "http://pacs.test:8042"}),
    "node": ("dicom", {"ae_title": "NODE", "host": "10.0.0.7", "port": 104}),
}


@pytest.fixture
def destinations(engine: Engine) -> None:
    with engine.begin() as connection:
        for name, (kind, address) in DESTINATIONS.items():
            add_destination(connection, {"name": name, "kind": kind, "address": address})
        gone = add_destination(connection, {"name": "gone", "kind": "folder", "address": {"path": "/gone"}})
        DESTINATION_KIND.remove(connection, gone, Author(name=None, now=NOW))


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pacs.test` means this machine, and no name is asked of the real network."""

    def known(host: str, port: int, *given: Any, **named: Any) -> list[Any]:
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        address = "127.0.0.1" if host in ("pacs.test", "localhost") else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", known)


def test_each_destination_outside_is_named_with_the_key_to_set(engine: Engine, destinations: None) -> None:
    found = [one.sentence for one in check_destinations(engine, DestinationPlaces())]
    assert len(found) == 3
    for sentence, name, key in zip(
        sorted(found), ("exports", "loop", "token"), ("Folders", "LocalAddresses", "SecretFiles"), strict=True
    ):
        assert sentence.startswith(f"Nothing is sent to the destination {name}: ")
        assert f"Treegarth.DestinationPlaces.{key}" in sentence


def test_when_all_are_listed_nothing_is_wrong(engine: Engine, destinations: None) -> None:
    listed = {"Folders": ["/srv"], "SecretFiles": ["/etc/shadow"], "LocalAddresses": ["127.0.0.1:8042"]}
    [finding] = check_destinations(engine, DestinationPlaces.model_validate(listed))
    assert (finding.level, finding.sentence) == (Level.OK, "The settings let every destination be used (4).")


def test_the_database_is_asked_as_part_of_the_whole_check(
    engine: Engine, database_address: DatabaseAddress, destinations: None
) -> None:
    problems = [one for one in check_server(database_address, DestinationPlaces()) if one.level is Level.PROBLEM]
    assert len(problems) == 3


def test_where_the_database_cannot_be_asked_that_is_said(
    empty_database_address: DatabaseAddress, tmp_path: Path
) -> None:
    assert UNSEEN in list(check_server(empty_database_address, DestinationPlaces()))  # without its tables
    away = DatabaseAddress(url="postgresql://treegarth@127.0.0.1:9/treegarth")
    assert UNSEEN in list(check_server(away, DestinationPlaces()))
    assert UNSEEN in list(check_embedded(tmp_path / "postgresql", DestinationPlaces()))


def test_webhooks_and_what_is_listed_are_looked_at_too(tmp_path: Path) -> None:
    hooks = [
        {"Name": name, "Url": url, "Secret": {"Environment": "S"}}
        for name, url in (
            ("ris", "http://localhost:9000/hook"),
            ("far", "https://far.invalid/"),
            ("ok", "https://10.0.0.7/"),
        )
    ]
    absent = {"Folders": [str(tmp_path / "no")], "SecretFiles": [str(tmp_path / "none")]}
    settings = Settings.model_validate({"Webhooks": hooks, "DestinationPlaces": absent})
    found = {one.sentence: one.level for one in check_places(settings)}
    assert list(found.values()) == [Level.PROBLEM, Level.PROBLEM, Level.PROBLEM, Level.NOTE]
    said = " ".join(found)
    for part in ("no, which is no folder", "none, which is not there", "The webhook ris is not told", "far.invalid"):
        assert part in said
    well = Settings.model_validate({"Webhooks": hooks[:1], "DestinationPlaces": places(tmp_path)})
    assert list(check_places(well)) == []
