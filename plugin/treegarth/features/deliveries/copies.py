"""What other features ask of destinations: which objects they have now, and to give some back. Sends nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine

from treegarth.database.engine import connect
from treegarth.errors import NotFound
from treegarth.features.deliveries.destinations import Destination
from treegarth.features.deliveries.factory import make_retriever, make_sender
from treegarth.features.deliveries.kinds import KINDS
from treegarth.features.deliveries.model import DeliveryObject
from treegarth.features.deliveries.store.destinations import destination_named
from treegarth.orthanc.client import OrthancClient
from treegarth.outgoing.gate import Gate
from treegarth.phrases import P_


class Identified(Protocol):
    """An object by all its identifiers."""

    @property
    def orthanc_instance_id(self) -> str: ...
    @property
    def orthanc_series_id(self) -> str: ...
    @property
    def orthanc_study_id(self) -> str: ...
    @property
    def study_instance_uid(self) -> str: ...
    @property
    def series_instance_uid(self) -> str: ...
    @property
    def sop_instance_uid(self) -> str: ...
    @property
    def sop_class_uid(self) -> str | None: ...
    @property
    def size_bytes(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Copies:
    """The copies of objects at destinations, by their names."""

    engine: Engine
    orthanc: OrthancClient
    gate: Gate

    def ask(self, name: str, objects: Sequence[Identified]) -> Mapping[str, str] | None:
        """Which of the objects the destination has now: Orthanc's identifier → the kind of proof that this is. None:
        it cannot be asked. Raises TreegarthError where it does not answer, or is not there."""
        destination = self._destination(name)
        sender = make_sender(destination, self.orthanc, self.gate)
        found = sender.find([_as_delivered(destination, one) for one in objects])
        if found is None:
            return None
        return dict.fromkeys(found, KINDS[destination.kind].listed.value)

    def retrieve(self, name: str, objects: Sequence[Identified]) -> None:
        """Have the destination give the objects back to Orthanc. Raises TreegarthError where it does not answer."""
        destination = self._destination(name)
        retriever = make_retriever(destination, self.orthanc, self.gate)
        retriever.retrieve([_as_delivered(destination, one) for one in objects])

    def _destination(self, name: str) -> Destination:
        with connect(self.engine) as connection:
            destination = destination_named(connection, name)
        if destination is None:
            raise NotFound(P_("There is no destination named “%(name)s”.", name=name))
        return destination


def _as_delivered(destination: Destination, one: Identified) -> DeliveryObject:
    return DeliveryObject(
        destination_id=destination.id,
        orthanc_instance_id=one.orthanc_instance_id,
        orthanc_series_id=one.orthanc_series_id,
        orthanc_study_id=one.orthanc_study_id,
        study_instance_uid=one.study_instance_uid,
        series_instance_uid=one.series_instance_uid,
        sop_instance_uid=one.sop_instance_uid,
        sop_class_uid=one.sop_class_uid,
        size_bytes=one.size_bytes,
        proof_wanted="find",
    )
