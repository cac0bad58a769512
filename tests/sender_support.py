"""Senders of destinations for tests, with everything of this machine allowed, and what they say in short."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.places import gate
from treegarth.features.deliveries.addresses import ADDRESSES, Kind
from treegarth.features.deliveries.destinations import Destination
from treegarth.features.deliveries.factory import make_sender
from treegarth.features.deliveries.model import DeliveryObject, Outcome, Proof
from treegarth.features.deliveries.senders.protocol import Sender
from treegarth.orthanc.client import OrthancClient


def destination_of(kind: str, **address: Any) -> Destination:
    settings = ADDRESSES[Kind(kind)].model_validate(address)
    return Destination(id=1, name="there", kind=Kind(kind), address=settings)


def sender_of(kind: str, orthanc: OrthancClient, environment: dict[str, str] | None = None, **address: Any) -> Sender:
    folders = [next(one for one in Path(address["path"]).parents if one.is_dir())] if kind == "folder" else []
    return make_sender(destination_of(kind, **address), orthanc, gate(*folders, environment=environment))


def ids(objects: Sequence[DeliveryObject]) -> set[str]:
    return {one.orthanc_instance_id for one in objects}


def arrived(outcomes: Sequence[Outcome], proof: Proof) -> set[str]:
    return {one.orthanc_instance_id for one in outcomes if one.arrived and one.proof is proof}


def nothing(orthanc_job_id: str) -> None:
    """What senders tell of Orthanc's jobs; these have none."""
