"""Destinations over HTTP: their settings with every change, whether they answer, and what waits for them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import monotonic
from typing import Any

from treegarth.errors import OrthancRefused, OrthancUnavailable, SettingsRefused
from treegarth.features.deliveries.destination_answers import (
    DestinationChangeItem,
    DestinationHistory,
    DestinationItem,
    DestinationList,
    DestinationPath,
    DestinationQuery,
    EchoAnswer,
)
from treegarth.features.deliveries.destinations import Destination, DestinationSettings
from treegarth.features.deliveries.factory import make_sender
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
from treegarth.web.call import Answered, Call
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, Route
from treegarth.web.services import Services
from treegarth.web.validation import Fault, InvalidFields

logger = logging.getLogger(__name__)

TAG = "destinations"


class DestinationsApi:
    """The handlers, with the services and the gate through which a destination's places are reached."""

    def __init__(self, services: Services, gate: Gate) -> None:
        self._services = services
        self._gate = gate

    def list(self, call: Call[DestinationQuery, None, None]) -> DestinationList:
        with call.connect() as connection:
            found = list_destinations(connection, removed=call.query.removed)
            figures = read_figures(connection, [one.id for one in found], self._services.clock())
        return DestinationList(items=[self._item(one, figures[one.id]) for one in found])

    def read(self, call: Call[None, None, DestinationPath]) -> DestinationItem:
        return self._read(call.path.destination_id)

    def create(self, call: Call[None, DestinationSettings, None]) -> Answered:
        check_places(call.body, self._gate.places)
        with call.begin() as connection:
            made = create_destination(connection, call.body, by=call.actor.name, at=self._services.clock())
        logger.info("Destination %d (%s) was made by %s.", made.id, made.kind, call.actor)
        location = call.site.url("api.destination", destination_id=made.id)
        return Answered(body=self._item(made, DestinationFigures()), status=201, headers={"Location": location})

    def change(self, call: Call[None, DestinationSettings, DestinationPath]) -> DestinationItem:
        number, at = call.path.destination_id, self._services.clock()
        check_places(call.body, self._gate.places)
        with call.begin() as connection:
            change_destination(connection, number, call.body, by=call.actor.name, at=at)
        logger.info("Destination %d was changed by %s.", number, call.actor)
        return self._read(number)

    def remove(self, call: Call[None, None, DestinationPath]) -> DestinationItem:
        number, at = call.path.destination_id, self._services.clock()
        with call.begin() as connection:
            remove_destination(connection, number, by=call.actor.name, at=at)
        logger.info("Destination %d was removed by %s.", number, call.actor)
        return self._read(number)

    def pause(self, call: Call[None, None, DestinationPath]) -> DestinationItem:
        return self._pause(call, paused=True)

    def resume(self, call: Call[None, None, DestinationPath]) -> DestinationItem:
        return self._pause(call, paused=False)

    def echo(self, call: Call[None, None, DestinationPath]) -> EchoAnswer:
        """Answers 200 also where the destination does not: that is what was asked."""
        number = call.path.destination_id
        with call.connect() as connection:
            destination = read_destination(connection, number)
        started = monotonic()
        result = echo_destination(destination, self._services.orthanc, self._gate)
        seconds = round(monotonic() - started, 3)
        if result.answers:
            with call.begin() as connection:
                note_echo(connection, number, can_find=result.can_find, can_commit=result.can_commit)
        return EchoAnswer(**vars(result), seconds=seconds)

    def changes(self, call: Call[None, None, DestinationPath]) -> DestinationHistory:
        with call.connect() as connection:
            read_destination(connection, call.path.destination_id)
            found = read_changes(connection, call.path.destination_id)
        return DestinationHistory(items=[DestinationChangeItem(**vars(one)) for one in found])

    def _pause(self, call: Call[None, None, DestinationPath], *, paused: bool) -> DestinationItem:
        number, at = call.path.destination_id, self._services.clock()
        with call.begin() as connection:
            pause_destination(connection, number, paused=paused, by=call.actor.name, at=at)
        logger.info("Destination %d was %s by %s.", number, "paused" if paused else "resumed", call.actor)
        return self._read(number)

    def _read(self, destination_id: int) -> DestinationItem:
        with self._services.database.connect() as connection:
            found = read_destination(connection, destination_id)
            figures = read_figures(connection, [found.id], self._services.clock())
        return self._item(found, figures[found.id])

    def _item(self, one: Destination, figures: DestinationFigures) -> DestinationItem:
        now, zone = self._services.clock(), self._services.zone
        opened = is_open(one.windows, now, zone)
        names = ("waiting", "failed", "sending", "sent", "given_up", "waiting_bytes", "oldest_waiting_at", "mbit_per_s")
        own = set(DestinationItem.model_fields) & {*vars(one), "state"}
        return DestinationItem(
            **{name: getattr(one, name) for name in own - {"windows"}},
            **{name: getattr(figures, name) for name in names},
            windows=list(one.windows) if one.windows else None,
            refused=[one.sentence for one in refusals(one.address, self._gate.places)],
            is_open=opened,
            opens_at=None if opened else opens_at(one.windows, now, zone),
            sends_last_hour=figures.sends,
            sent_bytes_last_hour=figures.sent_bytes,
        )


def check_places(settings: DestinationSettings, places: DestinationPlaces) -> None:
    """Raises InvalidFields where an address names what the site's settings do not list."""
    faults = []
    for one in refusals(settings.address, places):
        said = one.sentence if isinstance(one.sentence, Phrase) else Phrase(one.sentence)
        faults.append(Fault(field=f"address.{one.field}", message=said.message, values=said.values))
    if faults:
        raise InvalidFields(faults)


def gate_of(services: Services, environment: Mapping[str, str]) -> Gate:
    """The gate that the site's settings make."""
    return Gate(places=services.settings.destination_places, environment=environment)


def echo_destination(destination: Destination, orthanc: OrthancClient, gate: Gate) -> EchoResult:
    """Ask it whether it answers; a place that the settings do not list is an answer too, as is a missing secret."""
    try:
        return make_sender(destination, orthanc, gate).echo()
    except (SettingsRefused, DestinationUnreachable, OrthancUnavailable, OrthancRefused) as error:
        return EchoResult(answers=False, reason=error.sentence)


def routes(services: Services, environment: Mapping[str, str]) -> list[Route]:
    """The endpoints of destinations."""
    api = DestinationsApi(services, gate_of(services, environment))
    base, one = f"{API_PATH}/destinations", f"{API_PATH}/destinations/{{destination_id}}"
    of_one: dict[str, Any] = {"path_parameters": DestinationPath, "tag": TAG}
    return [
        Route(
            name="api.destinations",
            path=base,
            permission=Permission.VIEW,
            handler=api.list,
            summary="Every destination with what waits for it.",
            query=DestinationQuery,
            answer=DestinationList,
            problems=(503,),
            tag=TAG,
        ),
        Route(
            name="api.create_destination",
            path=base,
            method="POST",
            permission=Permission.ADMINISTER,
            handler=api.create,
            summary="Make a destination.",
            body=DestinationSettings,
            answer=DestinationItem,
            status=201,
            problems=(409, 503),
            tag=TAG,
        ),
        Route(
            name="api.destination",
            path=one,
            permission=Permission.VIEW,
            handler=api.read,
            summary="A destination with what waits for it.",
            answer=DestinationItem,
            problems=(503,),
            **of_one,
        ),
        Route(
            name="api.change_destination",
            path=one,
            method="PUT",
            permission=Permission.ADMINISTER,
            handler=api.change,
            summary="Set all of a destination anew.",
            body=DestinationSettings,
            answer=DestinationItem,
            problems=(409, 503),
            **of_one,
        ),
        Route(
            name="api.remove_destination",
            path=one,
            method="DELETE",
            permission=Permission.ADMINISTER,
            handler=api.remove,
            summary="Remove a destination; what waits for it is given up.",
            answer=DestinationItem,
            problems=(503,),
            **of_one,
        ),
        Route(
            name="api.destination_changes",
            path=f"{one}/changes",
            permission=Permission.VIEW,
            handler=api.changes,
            summary="Who changed a destination, and when.",
            answer=DestinationHistory,
            problems=(503,),
            **of_one,
        ),
        *_operations(api, one, of_one),
    ]


def _operations(api: DestinationsApi, one: str, of_one: dict[str, Any]) -> list[Route]:
    found: list[tuple[str, Any, str, type[Answer]]] = [
        ("echo", api.echo, "Ask a destination whether it answers and what it can.", EchoAnswer),
        ("pause", api.pause, "Send nothing to a destination until it is resumed.", DestinationItem),
        ("resume", api.resume, "Send to a destination again, at once.", DestinationItem),
    ]
    return [
        Route(
            name=f"api.{word}_destination",
            path=f"{one}/{word}",
            method="POST",
            permission=Permission.OPERATE,
            handler=handler,
            summary=summary,
            answer=answer,
            problems=(503,),
            **of_one,
        )
        for word, handler, summary, answer in found
    ]
