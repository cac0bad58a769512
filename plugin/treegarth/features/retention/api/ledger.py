"""The ledger over HTTP: what left the archive, where it is now, and bringing it back."""

from __future__ import annotations

from typing import Literal

from treegarth.errors import RequestConflict
from treegarth.features.retention.api.parts import retention_route
from treegarth.features.retention.paths import LedgerPath
from treegarth.features.retention.store import ledger as store
from treegarth.features.retention.store.ledger import LedgerEntry, Whereabouts
from treegarth.phrases import P_
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.routes import Answer, Parameters, Route
from treegarth.work.store import LongWork


class BringBackBody(Parameters):
    """How much is to come back."""

    scope: Literal["object", "series", "study"] = "object"
    """The object alone, or all that is gone of its series or study."""


class LedgerEntryAnswer(Answer):
    """An entry, and where its object is now."""

    entry: LedgerEntry
    places: list[Whereabouts]


def entry(call: Call[None, None, LedgerPath]) -> LedgerEntryAnswer:
    with call.connect() as connection:
        found = store.read_entry(connection, call.path.ledger_id)
        places = store.whereabouts(connection, found.orthanc_instance_id)
    return LedgerEntryAnswer(entry=found, places=list(places))


def bring_back(call: Call[None, BringBackBody, LedgerPath]) -> LongWork:
    """Only notes that it is wanted: the workers do it, and go on after a restart."""
    with call.begin() as connection:
        entry = store.read_entry(connection, call.path.ledger_id)
        work = store.ask_back(connection, entry, call.body.scope, asked_by=call.actor.name, now=call.services.clock())
    if work is None:
        raise RequestConflict(P_("Nothing of it is gone."))
    return work


def routes() -> list[Route]:
    """The endpoints about what left the archive."""
    return [
        retention_route(
            "retention_ledger_entry",
            "ledger/{ledger_id}",
            entry,
            "An entry of the ledger, and where its object is now.",
        ),
        retention_route(
            "bring_back",
            "ledger/{ledger_id}/bring-back",
            bring_back,
            "Retrieve an object, or all that is gone of its series or study, from where it is.",
            method="POST",
            permission=Permission.OPERATE,
            status=202,
            problems=(409, 503),
        ),
    ]
