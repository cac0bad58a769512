"""What every kind of destination can do, in one protocol, and the sender of a destination by its kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from treegarth.errors import TreegarthError
from treegarth.features.deliveries.destinations import Destination, DicomAddress, Kind
from treegarth.features.deliveries.model import DeliveryObject, Outcome
from treegarth.features.deliveries.refusals import check_allowed
from treegarth.orthanc.client import OrthancClient
from treegarth.outgoing.gate import Gate


class DestinationUnreachable(TreegarthError):
    """The destination does not answer. Nothing of what was asked of it was done."""


class CommitmentForgotten(TreegarthError):
    """Nobody knows this storage commitment any more; it is to be asked for again."""


@dataclass(frozen=True, kw_only=True)
class EchoResult:
    """Whether a destination answers, what answered and what it can; `reason` says why not."""

    answers: bool
    reason: str | None = None
    said: str | None = None  # what it calls itself
    can_find: bool | None = None  # None: not known
    can_commit: bool | None = None


class Sender(Protocol):
    """Carries objects to one destination and says what arrived. Every call ends, at the latest by a timeout."""

    def send(self, objects: Sequence[DeliveryObject], recorded: Callable[[str], None]) -> list[Outcome]:
        """Send them in this order; one outcome each. `recorded` is called with the Orthanc job, where Orthanc sends.

        One object's refusal does not stop the others. Raises DestinationUnreachable where nothing was sent.
        """

    def find(self, objects: Sequence[DeliveryObject]) -> set[str] | None:
        """The Orthanc identifiers of those that the destination says it has; None: it cannot be asked.

        Raises DestinationUnreachable.
        """

    def commit(self, objects: Sequence[DeliveryObject]) -> str | None:
        """Ask for storage commitment; the transaction. None: it does not do that. Raises DestinationUnreachable."""

    def committed(self, transaction: str) -> Mapping[str, bool] | None:
        """By SOP Instance UID, whether it takes responsibility; None: not answered yet. Raises CommitmentForgotten."""

    def settle(self, objects: Sequence[DeliveryObject], open_jobs: Collection[str]) -> None:
        """End whatever a lost worker may have left sending these objects, except `open_jobs`, and wait for it."""

    def echo(self) -> EchoResult:
        """Whether it answers. Sends no object."""


class PlainSender:
    """Base of the senders that have no storage commitment and leave nothing behind when their process ends."""

    def commit(self, objects: Sequence[DeliveryObject]) -> str | None:
        return None

    def committed(self, transaction: str) -> Mapping[str, bool] | None:
        raise CommitmentForgotten

    def settle(self, objects: Sequence[DeliveryObject], open_jobs: Collection[str]) -> None:
        return None


MakeSender = Callable[[Destination, OrthancClient, Gate], Sender]

_SENDERS = {
    Kind.DICOMWEB: ("dicomweb", "DicomwebSender"),
    Kind.PEER: ("peer", "PeerSender"),
    Kind.FOLDER: ("folder", "FolderSender"),
    Kind.S3: ("s3", "S3Sender"),
}


def make_sender(destination: Destination, orthanc: OrthancClient, gate: Gate) -> Sender:
    """The sender of this destination by its kind, whose module is loaded only where such a destination is there.

    Raises PlaceRefused where the settings do not list what it names, SettingsRefused where a secret is not there.
    """
    check_allowed(destination.address, gate.places)
    if destination.kind is Kind.DICOM:
        from treegarth.features.deliveries.senders.dicom import DicomSender

        return DicomSender(destination.id, cast(DicomAddress, destination.address), orthanc, gate)
    module, name = _SENDERS[destination.kind]
    made: Sender = getattr(import_module(f"treegarth.features.deliveries.senders.{module}"), name)(
        destination.address, orthanc, gate
    )
    return made
