"""Checks of what destinations and webhooks may use and reach: each that the settings refuse is named."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from sqlalchemy import Engine

from treegarth.addresses import IpAddress
from treegarth.commands.findings import Finding, note, ok, problem
from treegarth.database.engine import connect
from treegarth.errors import PlaceRefused
from treegarth.features.deliveries.refusals import refusals
from treegarth.features.deliveries.store.destinations import list_destinations
from treegarth.outgoing.connections import addresses_of, allowed_addresses
from treegarth.places import DestinationPlaces, setting
from treegarth.settings import Settings

UNSEEN = note("Whether the settings let every destination be used could not be looked at: that stands in the database.")


def check_places(settings: Settings) -> Iterator[Finding]:
    """What the settings list, and the webhooks, which stand in the settings too."""
    places = settings.destination_places
    for folder in places.folders:
        if not folder.is_dir():
            yield problem(f"{setting('Folders')} lists {folder}, which is no folder on this machine. Make it.")
    for key, paths in (("SecretFiles", places.secret_files), ("CertificateFiles", places.certificate_files)):
        yield from (problem(f"{setting(key)} lists {path}, which is not there.") for path in paths if not path.exists())
    for webhook in settings.webhooks:
        parts = urlsplit(webhook.url)
        try:
            allowed_addresses(places, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        except PlaceRefused as error:
            yield problem(f"The webhook {webhook.name} is not told: {error}")
        except (socket.gaierror, ValueError):
            yield note(f"The webhook {webhook.name} is at {parts.netloc}, which nobody here knows now.")


def check_destinations(engine: Engine, places: DestinationPlaces) -> Iterator[Finding]:
    """Each destination that the settings do not let be used. Raises DatabaseUnavailable."""
    with connect(engine) as connection:
        found = list_destinations(connection)
    refused = 0
    for one in found:
        for said in refusals(one.address, places, _known_addresses):
            refused += 1
            yield problem(f"Nothing is sent to the destination {one.name}: {said.sentence}")
    if not refused:
        yield ok(f"The settings let every destination be used ({len(found)}).")


def _known_addresses(host: str, port: int) -> list[IpAddress]:
    """Asks the network, as whoever connects does; a name that is not known today is no finding."""
    try:
        return addresses_of(host, port)
    except socket.gaierror:
        return []
