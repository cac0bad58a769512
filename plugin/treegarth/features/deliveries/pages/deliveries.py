"""The pages of deliveries: their two lists, and sending again by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from flask import Response

from treegarth.access.actors import Permission
from treegarth.errors import NotFound
from treegarth.features.deliveries.model import Standing
from treegarth.features.deliveries.store.retrying import send_again
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Identifier, LongIdentifier, Parameters, Route, Text
from treegarth.web.told import see_other

_STATES: Mapping[str, Sequence[Standing]] = {
    "given up": (Standing.GIVEN_UP,),
    "open": (Standing.GIVEN_UP, Standing.WAITING),
    "all": tuple(Standing),
}


class AgainBody(Parameters):
    """What to send again."""

    delivery: LongIdentifier | None = None
    """The objects of this delivery."""
    destination: Identifier | None = None
    """What was given up at this destination, or all that waits there."""
    object: Text | None = None
    """Only the object with this Orthanc identifier."""
    what: Literal["given up", "open", "all"] = "open"
    """Only what was given up, that and what waits, or also what arrived already."""


def routes() -> list[Route]:
    return [
        route(
            name="deliveries.again_page",
            path="/treegarth/deliveries/again",
            method="POST",
            permission=Permission.SEND,
            handler=again,
            summary="Send objects of a delivery, of a destination, or one object again.",
        ),
    ]


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
            states=_STATES[body.what],
        )
    if body.delivery is not None:
        return _to(call, "deliveries.objects_page", delivery=body.delivery)
    return _to(call, "deliveries.destination_page", destination_id=body.destination)


def _to(call: AnyCall, name: str, **values: Any) -> Response:
    return see_other(call, call.site.url(name, **values))
