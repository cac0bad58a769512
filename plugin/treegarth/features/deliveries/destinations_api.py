"""Destinations over HTTP: their settings with every change, whether they answer, and what waits for them."""

from __future__ import annotations

import logging
from time import monotonic

from treegarth.errors import OrthancRefused, OrthancUnavailable, SettingsRefused
from treegarth.features.deliveries.destination_answers import (
    DestinationEdit,
    DestinationHistory,
    DestinationItem,
    DestinationList,
    DestinationQuery,
    EchoAnswer,
)
from treegarth.features.deliveries.destinations import Destination, DestinationSettings
from treegarth.features.deliveries.factory import make_sender
from treegarth.features.deliveries.paths import DestinationPath
from treegarth.features.deliveries.refusals import refusals
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable, EchoResult
from treegarth.features.deliveries.store.destinations import (
    DestinationFigures,
    change_destination,
    create_destination,
    list_destinations,
    note_echo,
    pause_destination,
    read_changes,
    read_destination,
    read_figures,
    remove_destination,
)
from treegarth.features.deliveries.windows import is_open, opens_at
from treegarth.orthanc.client import OrthancClient
from treegarth.outgoing.gate import Gate
from treegarth.phrases import Phrase
from treegarth.places import DestinationPlaces
from treegarth.web.actors import Permission
from treegarth.web.call import Answered, AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Handler, Route
from treegarth.web.validation import Fault, InvalidFields

logger = logging.getLogger(__name__)

TAG = "destinations"


def destinations(call: Call[DestinationQuery, None, None]) -> DestinationList:
    with call.connect() as connection:
        found = list_destinations(connection, removed=call.query.removed)
        figures = read_figures(connection, [one.id for one in found], call.services.clock())
    return DestinationList(items=[_item(call, one, figures[one.id]) for one in found])


def read(call: Call[None, None, DestinationPath]) -> DestinationItem:
    return _read_item(call, call.path.destination_id)


def create(call: Call[None, DestinationSettings, None]) -> Answered[DestinationItem]:
    check_places(call.body, call.part(Gate).places)
    with call.begin() as connection:
        made = create_destination(connection, call.body, by=call.actor.name, at=call.services.clock())
    logger.info("Destination %d (%s) was made by %s.", made.id, made.kind, call.actor)
    location = call.site.url("api.destination", destination_id=made.id)
    return Answered(body=_item(call, made, DestinationFigures()), status=201, headers={"Location": location})


def change(call: Call[None, DestinationEdit, DestinationPath]) -> DestinationItem:
    number, at, body = call.path.destination_id, call.services.clock(), call.body
    check_places(body.document, call.part(Gate).places, under="document.")
    with call.begin() as connection:
        change_destination(connection, number, body.document, since=body.version, by=call.actor.name, at=at)
    logger.info("Destination %d was changed by %s.", number, call.actor)
    return _read_item(call, number)


def remove(call: Call[None, None, DestinationPath]) -> DestinationItem:
    number, at = call.path.destination_id, call.services.clock()
    with call.begin() as connection:
        remove_destination(connection, number, by=call.actor.name, at=at)
    logger.info("Destination %d was removed by %s.", number, call.actor)
    return _read_item(call, number)


def pause(call: Call[None, None, DestinationPath]) -> DestinationItem:
    return _set_paused(call, paused=True)


def resume(call: Call[None, None, DestinationPath]) -> DestinationItem:
    return _set_paused(call, paused=False)


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


def changes(call: Call[None, None, DestinationPath]) -> DestinationHistory:
    with call.connect() as connection:
        read_destination(connection, call.path.destination_id)
        found = read_changes(connection, call.path.destination_id)
    return DestinationHistory(items=found)


def _set_paused(call: Call[None, None, DestinationPath], *, paused: bool) -> DestinationItem:
    number, at = call.path.destination_id, call.services.clock()
    with call.begin() as connection:
        pause_destination(connection, number, paused=paused, by=call.actor.name, at=at)
    logger.info("Destination %d was %s by %s.", number, "paused" if paused else "resumed", call.actor)
    return _read_item(call, number)


def _read_item(call: AnyCall, destination_id: int) -> DestinationItem:
    with call.connect() as connection:
        found = read_destination(connection, destination_id)
        figures = read_figures(connection, [found.id], call.services.clock())
    return _item(call, found, figures[found.id])


def _item(call: AnyCall, one: Destination, figures: DestinationFigures) -> DestinationItem:
    now, zone = call.services.clock(), call.services.zone
    opened = is_open(one.windows, now, zone)
    names = ("waiting", "failed", "sending", "sent", "given_up", "waiting_bytes", "oldest_waiting_at", "mbit_per_s")
    own = set(DestinationItem.model_fields) & {*vars(one), "state"}
    return DestinationItem(
        **{name: getattr(one, name) for name in own - {"windows"}},
        **{name: getattr(figures, name) for name in names},
        windows=list(one.windows) if one.windows else None,
        refused=[one.sentence for one in refusals(one.address, call.part(Gate).places)],
        is_open=opened,
        opens_at=None if opened else opens_at(one.windows, now, zone),
        sends_last_hour=figures.sends,
        sent_bytes_last_hour=figures.sent_bytes,
    )


def check_places(settings: DestinationSettings, places: DestinationPlaces, *, under: str = "") -> None:
    """Raises InvalidFields where an address names what the site's settings do not list; `under`: where in the body."""
    faults = []
    for one in refusals(settings.address, places):
        said = one.sentence if isinstance(one.sentence, Phrase) else Phrase(one.sentence)
        faults.append(Fault(field=f"{under}address.{one.field}", message=said.message, values=said.values))
    if faults:
        raise InvalidFields(faults)


def echo_destination(destination: Destination, orthanc: OrthancClient, gate: Gate) -> EchoResult:
    """Ask it whether it answers; a place that the settings do not list is an answer too, as is a missing secret."""
    try:
        return make_sender(destination, orthanc, gate).echo()
    except (SettingsRefused, DestinationUnreachable, OrthancUnavailable, OrthancRefused) as error:
        return EchoResult(answers=False, reason=error.sentence)


def routes() -> list[Route]:
    """The endpoints of destinations."""
    base, one = f"{API_PATH}/destinations", f"{API_PATH}/destinations/{{destination_id}}"
    return [
        route(
            name="api.destinations",
            path=base,
            permission=Permission.VIEW,
            handler=destinations,
            summary="Every destination with what waits for it.",
            problems=(503,),
            tag=TAG,
        ),
        route(
            name="api.create_destination",
            path=base,
            method="POST",
            permission=Permission.ADMINISTER,
            handler=create,
            summary="Make a destination.",
            status=201,
            problems=(409, 503),
            tag=TAG,
        ),
        route(
            name="api.destination",
            path=one,
            permission=Permission.VIEW,
            handler=read,
            summary="A destination with what waits for it.",
            problems=(503,),
            tag=TAG,
        ),
        route(
            name="api.change_destination",
            path=one,
            method="PUT",
            permission=Permission.ADMINISTER,
            handler=change,
            summary="Set all of a destination anew.",
            problems=(409, 503),
            tag=TAG,
        ),
        route(
            name="api.remove_destination",
            path=one,
            method="DELETE",
            permission=Permission.ADMINISTER,
            handler=remove,
            summary="Remove a destination; what waits for it is given up.",
            problems=(503,),
            tag=TAG,
        ),
        route(
            name="api.destination_changes",
            path=f"{one}/changes",
            permission=Permission.VIEW,
            handler=changes,
            summary="Who changed a destination, and when.",
            problems=(503,),
            tag=TAG,
        ),
        *_operations(one),
    ]


def _operations(one: str) -> list[Route]:
    found: list[tuple[str, Handler, str]] = [
        ("echo", echo, "Ask a destination whether it answers and what it can."),
        ("pause", pause, "Send nothing to a destination until it is resumed."),
        ("resume", resume, "Send to a destination again, at once."),
    ]
    return [
        route(
            name=f"api.{word}_destination",
            path=f"{one}/{word}",
            method="POST",
            permission=Permission.OPERATE,
            handler=handler,
            summary=summary,
            problems=(503,),
            tag=TAG,
        )
        for word, handler, summary in found
    ]
