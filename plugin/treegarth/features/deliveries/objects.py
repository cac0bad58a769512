"""The ledger object by object: what of which goes where, how far it is, and what shows that it arrived.

The usual order, by destinations as they were set up, and the one by UID have indexes. The others sort what the filters
leave; of a million objects that takes about a second, and an index for each would be written again with every step of
every object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from treegarth.features.deliveries.model import ON_THE_WAY, Standing
from treegarth.features.deliveries.store.destinations import list_destinations
from treegarth.features.deliveries.store.gates import read_gates
from treegarth.features.deliveries.store.objects import DeliveryItem, select_objects
from treegarth.features.deliveries.store.studies import read_delivery
from treegarth.features.deliveries.tables import delivery
from treegarth.features.deliveries.words import PROOF_NAMES, STATES, WORDS, bar
from treegarth.index.studies import asked_study, told_apart
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.routes import LongIdentifier, Text
from treegarth.web.which_study import OfStudies


class ObjectsAsked(OfStudies):
    """Which objects."""

    state: Standing | None = None
    """Only objects in this state."""
    destination: Text | None = None
    """Only those for the destination of this name."""
    delivery: LongIdentifier | None = None
    """Only those of the delivery of this number: of its study, at its destination."""


def find(asker: Asker, connection: Connection, asked: ObjectsAsked) -> Select[Any]:
    study = asked_study(connection, asked.study_instance_uid, asked.orthanc_study_id, kept=[delivery])
    return select_objects(
        read_gates(connection, asker.now, asker.zone),
        state=asked.state,
        destination_name=asked.destination,
        orthanc_study_id=None if study is None else study.orthanc_study_id,
        delivery_id=asked.delivery,
    )


def extras(
    call: AnyCall, connection: Connection, asked: ObjectsAsked, objects: Sequence[DeliveryItem]
) -> Mapping[str, Any]:
    gates = read_gates(connection, call.asker.now, call.asker.zone)
    line = None if asked.delivery is None else read_delivery(connection, gates, asked.delivery)
    return {
        "delivery": line,
        "which": told_apart(connection, [*objects, *([line] if line else [])]),
        "bar": bar(line.counts) if line else [],
        "words": WORDS,
        "proofs": PROOF_NAMES,
        "busy": any(one.state in ON_THE_WAY for one in objects),
    }


def destinations(call: AnyCall, connection: Connection) -> dict[str, str]:
    return {one.name: one.name for one in list_destinations(connection)}


OBJECTS = Listing(
    name="deliveries.objects",
    title=N_("Objects of deliveries"),
    counts=NN_("%(num)s object", "%(num)s objects"),
    path="deliveries/objects",
    api_name="deliveries",
    api_path="deliveries",
    tag="deliveries",
    summary="Objects on their way to destinations, and those that arrived.",
    record=DeliveryItem,
    asked=ObjectsAsked,
    query=find,
    unique=("destination_id", "orthanc_instance_id"),
    order="destination",
    columns=(
        Column(name="state", label=N_("State"), form="own"),
        Column(name="destination", label=N_("Sent to"), sorts_by=("destination_id",)),
        Column(name="patient_name", label=N_("Patient"), form="own"),
        Column(name="study_date", label=N_("Study"), form="own"),
        Column(name="sop_instance_uid", label="SOP Instance UID", narrow="c-3"),
        Column(name="size_bytes", label=N_("Size"), form="size", narrow="c-3"),
        Column(name="attempts", label=N_("Tries")),
        Column(name="proof", label=N_("Proof"), form="own"),
        Column(name="last_error", label=N_("Reason"), form="own", sorts_by=()),
        Column(name="queued_at", label=N_("Asked"), narrow="c-4"),
        Column(name="sent_at", label=N_("Sent"), narrow="c-4"),
        Column(name="arrived_at", label=N_("Arrived"), narrow="c-1"),
        Column(name="next_attempt_at", label=N_("Next try"), form="own", narrow="c-1"),
        Column(name="again", label=N_("Again"), sorts_by=()),
    ),
    filters=(
        Filter(name="study", label=N_("Patient or study"), hint=N_("name, ID, accession number or UID"), width="uid"),
        Filter(name="state", label=N_("State"), choices=STATES, width="wide"),
        Filter(name="destination", label=N_("Destination"), find_choices=destinations, width="wide"),
        Filter(name="study_instance_uid", label="Study Instance UID", is_shown=False),
        Filter(name="delivery", label=N_("Delivery"), is_shown=False),
    ),
    empty=Empty(
        title=N_("No object was delivered yet"),
        text=N_("Each object that goes to a destination stands here with its attempts, the reason, and the proof."),
        filtered=N_("No object fits these filters"),
    ),
    template="deliveries/objects.html",
    extras=extras,
)
