"""Deliveries over HTTP beside their lists: sums by destination, sending by hand, again, no more."""

from __future__ import annotations

import logging
from typing import Any

from treegarth.access.actors import Permission
from treegarth.errors import InvalidRequest
from treegarth.feature import House
from treegarth.features.deliveries.destinations import Destination, WantedProof
from treegarth.features.deliveries.paths import ObjectPath
from treegarth.features.deliveries.selection import Selection, choose
from treegarth.features.deliveries.store.archive_index import read_candidates
from treegarth.features.deliveries.store.destinations import destination_named
from treegarth.features.deliveries.store.gates import read_gates
from treegarth.features.deliveries.store.ledger import (
    DestinationSum,
    cancel_object,
    resend_object,
    sums_by_destination,
)
from treegarth.features.deliveries.store.objects import DeliveryItem, read_object
from treegarth.features.deliveries.store.requests import DeliveryRequested, request_delivery
from treegarth.index.studies import the_study
from treegarth.phrases import P_
from treegarth.web.call import Answered, AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, Route, Text
from treegarth.web.which_study import WhichStudy

TAG = "deliveries"

logger = logging.getLogger(__name__)


class DeliverySummary(Answer):
    items: list[DestinationSum]


class DeliveryRequest(WhichStudy):
    """A wish by hand."""

    study_instance_uid: Text
    destination: Text
    """The destination's name."""
    objects: Selection = Selection.ALL
    """Which objects of the study."""
    proof: WantedProof | None = None
    """What is to show that they arrived; the destination's own setting if not given."""


def summarize(call: Call[None, None, None]) -> DeliverySummary:
    with call.connect() as connection:
        sums = sums_by_destination(connection, call.services.clock())
    return DeliverySummary(items=list(sums))


def deliver(call: Call[None, DeliveryRequest, None]) -> Answered[DeliveryRequested]:
    """Only notes the wish: the workers send."""
    asked = call.body
    with call.begin() as connection:
        destination = _destination(destination_named(connection, asked.destination), asked.destination)
        study = the_study(connection, asked.study_instance_uid, asked.orthanc_study_id).orthanc_study_id
        read, _ = call.part(House).lent.dose_objects(connection, study)
        done = request_delivery(
            connection,
            destination_id=destination.id,
            objects=choose(read_candidates(connection, study), asked.objects, read_as_dose=read),
            proof_wanted=str(asked.proof or destination.proof),
            now=call.services.clock(),
            asked_by=call.actor.name,
        )
    logger.info("%s wished %d objects at destination %d.", call.actor, done.objects, destination.id)
    return Answered(body=done, status=202)


def resend(call: Call[None, None, ObjectPath]) -> Answered[DeliveryItem]:
    with call.begin() as connection:
        resend_object(connection, call.path.destination_id, call.path.orthanc_instance_id, call.services.clock())
    logger.info("%s had an object sent again to destination %d.", call.actor, call.path.destination_id)
    return Answered(body=_item_at(call, call.path), status=202)


def cancel(call: Call[None, None, ObjectPath]) -> DeliveryItem:
    with call.begin() as connection:
        cancel_object(connection, call.path.destination_id, call.path.orthanc_instance_id, call.actor.name)
    logger.info("%s canceled an object for destination %d.", call.actor, call.path.destination_id)
    return _item_at(call, call.path)


def _item_at(call: AnyCall, path: ObjectPath) -> DeliveryItem:
    asker = call.asker
    with call.connect() as connection:
        gates = read_gates(connection, asker.now, asker.zone)
        return read_object(connection, gates, path.destination_id, path.orthanc_instance_id)


def _destination(found: Destination | None, name: str) -> Destination:
    if found is None:
        raise InvalidRequest(P_("destination: there is none named %(name)s.", name=name))
    return found


def routes() -> list[Route]:
    """The endpoints of deliveries."""
    base = f"{API_PATH}/deliveries"
    one = f"{base}/{{destination_id}}/{{orthanc_instance_id}}"
    changing: dict[str, Any] = {"method": "POST", "permission": Permission.SEND, "tag": TAG}
    return [
        route(
            name="api.deliveries_summary",
            path=f"{base}/summary",
            permission=Permission.SEE_SYSTEM,
            handler=summarize,
            summary="How far the deliveries to each destination are, and how fast they go.",
            problems=(503,),
            tag=TAG,
        ),
        route(
            name="api.request_delivery",
            path=base,
            handler=deliver,
            summary="Deliver objects of a study to a destination.",
            status=202,
            problems=(404, 409, 503),
            **changing,
        ),
        route(
            name="api.resend_delivery",
            path=f"{one}/resend",
            handler=resend,
            summary="Send an object again, also one that was confirmed.",
            status=202,
            problems=(409, 503),
            **changing,
        ),
        route(
            name="api.cancel_delivery",
            path=f"{one}/cancel",
            handler=cancel,
            summary="Try an object no more.",
            problems=(409, 503),
            **changing,
        ),
    ]
