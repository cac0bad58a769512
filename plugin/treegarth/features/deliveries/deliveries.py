"""The list of deliveries, each a study on its way to a destination, whichever rules and users asked for it.

The usual order, by number, and the one by destinations as they were set up have indexes. A site has a wish for each
series that rules send; the order by when the last was added, by patient and by study date sort what stands for each
study. The sums over their objects are no order: these would have to be reckoned for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection, Select

from treegarth.features.deliveries.model import Standing
from treegarth.features.deliveries.store.destinations import list_destinations
from treegarth.features.deliveries.store.gates import read_gates
from treegarth.features.deliveries.store.rule_names import rule_names
from treegarth.features.deliveries.store.studies import Delivery, select_deliveries
from treegarth.features.deliveries.tables import delivery
from treegarth.features.deliveries.words import STATES, bar
from treegarth.index.studies import asked_study, told_apart
from treegarth.limits import LARGEST_INTEGER
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.routes import Identifier, Navigation
from treegarth.web.which_study import OfStudies


class DeliveriesAsked(OfStudies):
    """Which deliveries."""

    state: Standing | None = None
    """Some object of it is in this state."""
    destination: Identifier | None = None
    """The destination's number."""
    rule: Annotated[int, Field(ge=0, le=LARGEST_INTEGER)] | None = None
    """The rule's number; 0 for what users asked for."""


def find(asker: Asker, connection: Connection, asked: DeliveriesAsked) -> Select[Any]:
    return select_deliveries(
        read_gates(connection, asker.now, asker.zone),
        states=[asked.state] if asked.state else [],
        destination_id=asked.destination,
        rule_id=asked.rule,
        study_key=asked_study(connection, asked.study_instance_uid, asked.orthanc_study_id, kept=[delivery]),
    )


def extras(
    call: AnyCall, connection: Connection, asked: DeliveriesAsked, deliveries: Sequence[Delivery]
) -> Mapping[str, Any]:
    return {
        "which": told_apart(connection, deliveries),
        "bars": {one.id: bar(one.counts) for one in deliveries},
        "busy": any(one.is_busy for one in deliveries),
    }


def destinations(call: AnyCall, connection: Connection) -> dict[str, str]:
    return {str(one.id): one.name for one in list_destinations(connection)}


def rules(call: AnyCall, connection: Connection) -> dict[str, str]:
    """Those that are there, and the one that is asked for also where it was removed."""
    chosen = getattr(call.query, "rule", None)
    return {str(number): name for number, name in rule_names(connection, chosen)}


DELIVERIES = Listing(
    name="deliveries.deliveries",
    title=N_("Deliveries"),
    counts=NN_("%(num)s delivery", "%(num)s deliveries"),
    path="deliveries",
    api_name="deliveries_by_study",
    api_path="deliveries/studies",
    tag="deliveries",
    summary="Studies on their way to destinations, each with its objects by state.",
    record=Delivery,
    asked=DeliveriesAsked,
    query=find,
    unique="id",
    order="-created_at",
    columns=(
        Column(name="patient_name", label=N_("Patient"), form="own"),
        Column(name="study_date", label=N_("Study"), form="own"),
        Column(name="destination_name", label=N_("Sent to"), form="own", sorts_by=("destination_id",)),
        Column(name="counts", label=N_("How far"), form="own", sorts_by=()),
        Column(name="next_attempt_at", label=N_("Next try"), form="own", sorts_by=(), narrow="c-1"),
        Column(name="size_bytes", label=N_("Size"), form="size", sorts_by=(), narrow="c-3"),
        Column(name="asked_by", label=N_("Asked by"), form="own", sorts_by=(), narrow="c-1"),
        Column(name="created_at", label=N_("Asked"), sorts_by=("id",), narrow="c-1"),
    ),
    filters=(
        Filter(name="study", label=N_("Patient or study"), hint=N_("name, ID, accession number or UID"), width="uid"),
        Filter(name="state", label=N_("State"), choices=STATES, width="wide"),
        Filter(name="destination", label=N_("Destination"), find_choices=destinations, width="wide"),
        Filter(
            name="rule",
            label=N_("Asked by"),
            choices={"0": N_("people, by hand")},
            find_choices=rules,
            width="wide",
        ),
        Filter(name="study_instance_uid", label="Study Instance UID", is_shown=False),
    ),
    empty=Empty(
        title=N_("Nothing was delivered yet"),
        text=N_(
            "Set up a destination, then let a rule deliver there, or send a study by hand from its page. Every object "
            "is followed here until it is shown to have arrived."
        ),
        filtered=N_("No delivery fits these filters"),
    ),
    template="deliveries/deliveries.html",
    extras=extras,
    navigation=Navigation(label=N_("Deliveries"), icon="deliveries", order=34, key="v"),
)
