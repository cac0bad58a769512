"""The pages of deliveries: what goes where, how far it is, why it did not; and sending again by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field

from treegarth.errors import NotFound
from treegarth.features.deliveries.pages.destinations import PROOF_NAMES
from treegarth.features.deliveries.paths import DeliveryPath
from treegarth.features.deliveries.store.destinations import list_destinations
from treegarth.features.deliveries.store.overview import (
    FAILED,
    STATES,
    DeliveryFilter,
    list_deliveries,
    list_objects,
    read_delivery,
    send_again,
)
from treegarth.features.deliveries.store.rule_names import rule_names
from treegarth.features.deliveries.tables import delivery
from treegarth.index.studies import asked_study, told_apart
from treegarth.limits import LARGEST_INTEGER
from treegarth.phrases import N_
from treegarth.web.actors import Permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.parts import State, ngettext_for, translated
from treegarth.web.routes import Identifier, LongIdentifier, Navigation, Parameters, Route, Text
from treegarth.web.templates import render_page
from treegarth.web.which_study import OfStudy

ON_A_PAGE = 50
OBJECTS_ON_A_PAGE = 100
WORDS: Mapping[str, tuple[State, str]] = {
    "waiting": ("waiting", N_("waiting")),
    FAILED: ("attention", N_("failed, tried again")),
    "sending": ("waiting", N_("sending")),
    "sent": ("waiting", N_("sent")),
    "confirmed": ("ok", N_("confirmed")),
    "given up": ("failed", N_("given up")),
    "gone": ("unknown", N_("gone from here")),
}
BAR = ("confirmed", "sent", "sending", "waiting", FAILED, "given up", "gone")  # in the order of the bar


class DeliveriesQuery(OfStudy):
    """Which deliveries."""

    state: Literal["waiting", "failed", "sending", "sent", "confirmed", "given up", "gone"] | None = None
    """Some object of it is in this state."""
    destination: Identifier | None = None
    """The destination's number."""
    rule: Annotated[int, Field(ge=0, le=LARGEST_INTEGER)] | None = None
    """The rule's number; 0 for what users asked for."""
    before: LongIdentifier | None = None
    """Only what is older than this number, from the link to the next page."""


class ObjectsQuery(Parameters):
    """Which objects of the delivery."""

    state: Literal["waiting", "failed", "sending", "sent", "confirmed", "given up", "gone"] | None = None
    """Only those in this state."""
    after: Text = ""
    """Where the page begins, from the link to the next page."""


class AgainBody(Parameters):
    """What to send again."""

    delivery: LongIdentifier | None = None
    """The objects of this delivery."""
    destination: Identifier | None = None
    """What was given up or failed at this destination."""
    object: Text | None = None
    """Only the object with this Orthanc identifier."""
    confirmed: bool = False
    """Also what was sent or confirmed already."""


@dataclass(frozen=True, kw_only=True)
class BarPart:
    """A part of a delivery's bar, in percents of its width."""

    state: str
    words: str
    kind: State
    count: int
    begin: float
    width: float


def routes() -> list[Route]:
    return [
        route(
            name="deliveries.deliveries_page",
            path="/treegarth/deliveries",
            permission=Permission.VIEW,
            handler=deliveries_page,
            summary="What is delivered where, and how far it is.",
            navigation=Navigation(label=N_("Deliveries"), icon="deliveries", order=34, key="v"),
        ),
        route(
            name="deliveries.delivery_page",
            path="/treegarth/deliveries/{delivery_id}",
            permission=Permission.VIEW,
            handler=delivery_page,
            summary="One series on its way to a destination: its objects with attempts, reasons and proof.",
        ),
        route(
            name="deliveries.again_page",
            path="/treegarth/deliveries/again",
            method="POST",
            permission=Permission.OPERATE,
            handler=again,
            summary="Send objects of a delivery, of a destination, or one object again.",
        ),
    ]


def deliveries_page(call: Call[DeliveriesQuery, None, None]) -> Response:
    query = call.query
    with call.connect() as connection:
        wanted = DeliveryFilter(
            state=query.state,
            destination_id=query.destination,
            rule_id=query.rule,
            study=asked_study(connection, query.study_instance_uid, query.orthanc_study_id, kept=[delivery]),
        )
        lines = list_deliveries(connection, wanted, before=query.before, limit=ON_A_PAGE)
        destinations = list_destinations(connection)
        rules = rule_names(connection, query.rule)
        which = told_apart(connection, lines)
    return render_page(
        call,
        "deliveries.html",
        deliveries=[(line, bar(call, line.counts)) for line in lines],
        shown=ngettext_for(call, "%(num)s on this page", "%(num)s on this page", len(lines)),
        older=lines[-1].id if len(lines) == ON_A_PAGE else None,
        destinations=[(one.id, one.name) for one in destinations],
        rules=[(0, translated(call, N_("people, by hand"))), *rules],
        states=[(state, translated(call, WORDS[state][1])) for state in STATES],
        filtered=wanted != DeliveryFilter(),
        which=which,
        busy=any(line.is_busy for line in lines),
    )


def bar(call: AnyCall, counts: Mapping[str, int]) -> list[BarPart]:
    """The parts of a bar that together are its whole width."""
    total, begin, parts = sum(counts.values()), 0.0, []
    for state in BAR:
        if count := counts.get(state, 0):
            width = 100 * count / total
            kind, words = WORDS[state]
            parts.append(
                BarPart(
                    state=state.split()[0],
                    words=translated(call, words),
                    kind=kind,
                    count=count,
                    begin=round(begin, 2),
                    width=round(width, 2),
                )
            )
            begin += width
    return parts


def delivery_page(call: Call[ObjectsQuery, None, DeliveryPath]) -> Response:
    query = call.query
    with call.connect() as connection:
        line = read_delivery(connection, call.path.delivery_id)
        if line is None:
            raise NotFound(N_("There is no delivery with this number."))
        which = told_apart(connection, [line])(line)
        objects = list_objects(connection, line.id, after=query.after, state=query.state, limit=OBJECTS_ON_A_PAGE)
    return render_page(
        call,
        "delivery.html",
        delivery=line,
        which=which,
        bar=bar(call, line.counts),
        objects=objects,
        words=shown_words(call),
        proofs=proof_words(call),
        counted=ngettext_for(call, "%(num)s object", "%(num)s objects", line.total),
        states=[
            (state, translated(call, WORDS[state][1]), line.counts[state]) for state in STATES if state in line.counts
        ],
        following=objects[-1].orthanc_instance_id if len(objects) == OBJECTS_ON_A_PAGE else None,
        busy=line.is_busy,
    )


def shown_words(call: AnyCall) -> dict[str, tuple[State, str]]:
    """Each state's icon and words."""
    return {state: (kind, translated(call, words)) for state, (kind, words) in WORDS.items()}


def proof_words(call: AnyCall) -> dict[str, str]:
    return {proof: translated(call, words) for proof, words in PROOF_NAMES.items()}


def again(call: Call[None, AgainBody, None]) -> Response:
    """Back to the page whose button was pressed: the delivery, the destination, or the list."""
    body: AgainBody = call.body
    services = call.services
    if body.delivery is None and body.destination is None:
        raise NotFound(N_("Say which delivery or which destination."))
    with call.begin() as connection:
        send_again(
            connection,
            services.clock(),
            delivery_id=body.delivery,
            destination_id=body.destination,
            orthanc_instance_id=body.object,
            also_confirmed=body.confirmed,
        )
    if body.delivery is not None:
        return _to(call, "deliveries.delivery_page", delivery_id=body.delivery)
    return _to(call, "deliveries.destination_page", destination_id=body.destination)


def _to(call: AnyCall, name: str, **values: Any) -> Response:
    return Response(status=303, headers={"Location": call.site.url(name, **values)})
