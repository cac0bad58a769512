"""The sender and the retriever of a destination, by its kind; their modules are loaded where there is such a one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from treegarth.features.deliveries.destinations import Destination
from treegarth.features.deliveries.kinds import KINDS
from treegarth.features.deliveries.refusals import check_allowed
from treegarth.features.deliveries.senders.protocol import Retriever, Sender
from treegarth.orthanc.client import OrthancClient
from treegarth.outgoing.gate import Gate


def make_sender(destination: Destination, orthanc: OrthancClient, gate: Gate) -> Sender:
    """Raises PlaceRefused where the settings do not list what it names, SettingsRefused where a secret is not there."""
    sender: Sender = _made(KINDS[destination.kind].sender, destination, orthanc, gate)
    return sender


def make_retriever(destination: Destination, orthanc: OrthancClient, gate: Gate) -> Retriever:
    """Raises as `make_sender` does."""
    retriever: Retriever = _made(KINDS[destination.kind].retriever, destination, orthanc, gate)
    return retriever


def _made(place: str, destination: Destination, orthanc: OrthancClient, gate: Gate) -> Any:
    check_allowed(destination.address, gate.places)
    module, _, name = place.partition(":")
    return getattr(import_module(f"treegarth.features.deliveries.{module}"), name).of(destination, orthanc, gate)
