"""Destinations over HTTP: the dialect of all documents, what waits for each, and whether one answers now."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any

from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.documents.language import Documents, Pages, at_place, validated_at
from treegarth.documents.store import Stored, Wording
from treegarth.errors import OrthancRefused, OrthancUnavailable, RequestConflict, SettingsRefused
from treegarth.features.deliveries.destination_answers import DestinationItem, EchoAnswer
from treegarth.features.deliveries.destinations import Destination, DestinationSettings
from treegarth.features.deliveries.factory import make_sender
from treegarth.features.deliveries.paths import DestinationPath
from treegarth.features.deliveries.refusals import refusals
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable, EchoResult
from treegarth.features.deliveries.store.destinations import (
    DESTINATIONS,
    DestinationFigures,
    note_echo,
    read_destination,
    read_figures,
)
from treegarth.features.deliveries.windows import is_open, opens_at
from treegarth.orthanc.client import OrthancClient
from treegarth.outgoing.gate import Gate
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import endpoint
from treegarth.web.routes import Route
from treegarth.web.validation import Fault, InvalidFields

TAG = "destinations"


def parse(call: AnyCall, connection: Connection, document: Any, place: str) -> Wording:
    """Settings that the site's own allow."""
    settings: DestinationSettings = validated_at(DestinationSettings, document, place)
    faults = []
    for one in refusals(settings.address, call.part(Gate).places):
        said = one.sentence if isinstance(one.sentence, Phrase) else Phrase(one.sentence)
        faults.append(Fault(field=f"address.{one.field}", message=said.message, values=said.values))
    if faults:
        raise at_place(InvalidFields(faults), place)
    return Wording(document=settings.document())


def check_alternates(call: AnyCall, connection: Connection, wordings: Sequence[Wording]) -> None:
    """Who takes over must be there, or come with the same text."""
    there = {*DESTINATIONS.names(connection), *(one.document["name"] for one in wordings)}
    for alternate in (one.document.get("alternate") for one in wordings):
        if alternate is not None and alternate not in there:
            wrong = P_("There is no destination named “%(name)s” to be the alternate.", name=alternate)
            raise RequestConflict(wrong, field="alternate")


def items(call: AnyCall, connection: Connection, stored: Sequence[Stored]) -> list[DestinationItem]:
    """Each with what waits for it."""
    figures = read_figures(connection, [one.id for one in stored], call.services.clock())
    return [_item(call, one, read_destination(connection, one.id), figures[one.id]) for one in stored]


def echo(call: Call[None, None, DestinationPath]) -> EchoAnswer:
    """Answers 200 also where the destination does not: that is what was asked."""
    number = call.path.destination_id
    with call.connect() as connection:
        destination = read_destination(connection, number)
    started = monotonic()
    result = echo_destination(destination, call.services.orthanc, call.part(Gate))
    seconds = round(monotonic() - started, 3)
    if result.answers:
        with call.begin() as connection:
            note_echo(connection, number, can_find=result.can_find, can_commit=result.can_commit)
    return EchoAnswer(**vars(result), seconds=seconds)


def _item(call: AnyCall, stored: Stored, one: Destination, figures: DestinationFigures) -> DestinationItem:
    now, zone = call.services.clock(), call.services.zone
    opened = is_open(one.windows, now, zone)
    counted = ("tried", "waiting_bytes", "oldest_waiting_at", "mbit_per_s")
    known = ("state", "can_commit", "can_find", "down_since", "failures", "next_attempt_at", "last_success_at")
    return DestinationItem(
        **{name: getattr(stored, name) for name in Stored.model_fields},
        **{name: getattr(one, name) for name in (*known, "last_error", "last_error_at")},
        **{name: getattr(figures, name) for name in counted},
        objects=dict(figures.counts),
        refused=[one.sentence for one in refusals(one.address, call.part(Gate).places)],
        is_open=opened,
        opens_at=None if opened else opens_at(one.windows, now, zone),
        sends_last_hour=figures.sends,
        sent_bytes_last_hour=figures.sent_bytes,
    )


def echo_destination(destination: Destination, orthanc: OrthancClient, gate: Gate) -> EchoResult:
    """Ask it whether it answers; a place that the settings do not list is an answer too, as is a missing secret."""
    try:
        return make_sender(destination, orthanc, gate).echo()
    except (SettingsRefused, DestinationUnreachable, OrthancUnavailable, OrthancRefused) as error:
        return EchoResult(answers=False, reason=error.sentence)


DESTINATION_DOCUMENTS = Documents(
    kind=DESTINATIONS,
    name="destination",
    example={"name": "long-term archive", "kind": "folder", "address": {"path": "/srv/archive"}},
    names="destinations",
    one="destination",
    many="destinations",
    path="destinations",
    tag=TAG,
    number=DestinationPath,
    parse=parse,
    check=check_alternates,
    model=DestinationSettings,
    answer=DestinationItem,
    answers=items,
    switch_permission=Permission.SEND,
    pages=Pages(
        title=N_("Destinations"),
        place="deliveries/destinations",
        prefix="destinations",
        frame="deliveries/frame.html",
        list_page="deliveries.destinations_page",
        one_page="deliveries.destination_page",
    ),
)


def routes() -> list[Route]:
    """What destinations answer beside the dialect."""
    return [
        endpoint(
            "echo_destination",
            "destinations/{destination_id}/echo",
            echo,
            "Ask a destination whether it answers and what it can.",
            tag=TAG,
            method="POST",
            permission=Permission.SEND,
        )
    ]
