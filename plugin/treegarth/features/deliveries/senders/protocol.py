"""What every kind of destination can do: the protocol of senders and of retrievers, below all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from treegarth.errors import TreegarthError
from treegarth.features.deliveries.destinations import Destination
from treegarth.features.deliveries.model import DeliveryObject, Outcome
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

    def __init__(self, address: Any, orthanc: OrthancClient, gate: Gate) -> None:
        raise NotImplementedError

    @classmethod
    def of(cls, destination: Destination, orthanc: OrthancClient, gate: Gate) -> Self:
        """The one of this destination. Raises PlaceRefused, SettingsRefused where a secret is not at its place."""
        return cls(destination.address, orthanc, gate)

    def commit(self, objects: Sequence[DeliveryObject]) -> str | None:
        return None

    def committed(self, transaction: str) -> Mapping[str, bool] | None:
        raise CommitmentForgotten

    def settle(self, objects: Sequence[DeliveryObject], open_jobs: Collection[str]) -> None:
        return None


class Retriever(ABC):
    """Brings objects from one destination back into Orthanc."""

    @abstractmethod
    def retrieve(self, objects: Sequence[DeliveryObject]) -> None:
        """Try to. Raises DestinationUnreachable where the destination does not answer, or will not, and
        ObjectsKeptBack for those that would have ended Orthanc."""
