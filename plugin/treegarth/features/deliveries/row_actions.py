"""What deliveries offer for many rows: studies are sent, deliveries are sent again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.features.deliveries.deliveries import DELIVERIES, destinations
from treegarth.features.deliveries.store.archive_index import read_candidates
from treegarth.features.deliveries.store.destinations import present_destination
from treegarth.features.deliveries.store.requests import request_delivery
from treegarth.features.deliveries.store.retrying import send_again
from treegarth.phrases import N_, NN_
from treegarth.web.call import Asker
from treegarth.web.filters import Filter
from treegarth.web.routes import Identifier, Parameters
from treegarth.web.row_actions import NothingGiven, RowAction


class Sending(Parameters):
    """Where studies are sent."""

    destination: Identifier
    """The destination's number."""


def send(asker: Asker, connection: Connection, studies: Sequence[str], given: Sending) -> int:
    """All that the index has of them; what was confirmed there is not sent again. One wish, for objects are locked in
    one order."""
    destination = present_destination(connection, given.destination)
    objects = [found for key in studies if (found := read_candidates(connection, key))]
    request_delivery(
        connection,
        destination_id=destination.id,
        objects=[one for found in objects for one in found],
        proof_wanted=str(destination.proof),
        now=asker.now,
        asked_by=asker.actor.name,
    )
    return len(objects)


def again(asker: Asker, connection: Connection, deliveries: Sequence[int], given: NothingGiven) -> int:
    now = asker.now
    return sum(send_again(connection, now, delivery_id=one) > 0 for one in deliveries)


SEND = RowAction(
    name="send",
    lists=("archive.studies", "dose.doses", "dose.missing"),
    label=N_("Send"),
    icon="deliveries",
    done=NN_("%(num)s study is being sent.", "%(num)s studies are being sent."),
    left=NN_("%(num)s study is no longer in the archive.", "%(num)s studies are no longer in the archive."),
    act=send,
    given=Sending,
    inputs=(Filter(name="destination", label=N_("Destination"), find_choices=destinations, width="wide"),),
    permission=Permission.SEND,
)
SEND_AGAIN = RowAction(
    name="again",
    lists=(DELIVERIES.name,),
    label=N_("Send again"),
    icon="retry",
    done=NN_("%(num)s delivery is being sent again.", "%(num)s deliveries are being sent again."),
    left=NN_(
        "%(num)s delivery was left as it is: nothing of it was given up or waits.",
        "%(num)s deliveries were left as they are: nothing of them was given up or waits.",
    ),
    act=again,
    permission=Permission.SEND,
)
