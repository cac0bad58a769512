"""Reading the whole archive again, and deciding it anew, over HTTP: long works, that are looked at as all are."""

from __future__ import annotations

from treegarth.access.actors import Permission
from treegarth.features.dose.registry.api.parts import dose_route
from treegarth.features.dose.registry.store.redecision import start_redeciding
from treegarth.features.dose.registry.store.reread_walk import start_reread
from treegarth.web.call import Call
from treegarth.web.routes import Route
from treegarth.work.store import LongWork


def reread(call: Call[None, None, None]) -> LongWork:
    with call.begin() as connection:
        return start_reread(connection, call.actor.name, call.services.clock())


def redecide(call: Call[None, None, None]) -> LongWork:
    with call.begin() as connection:
        return start_redeciding(connection, call.actor.name, call.services.clock())


def routes() -> list[Route]:
    """The endpoints that start them."""
    return [
        dose_route(
            "start_dose_reread",
            "reread",
            reread,
            "Read every source of dose in the archive again; one that runs goes on.",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            status=202,
        ),
        dose_route(
            "start_dose_redeciding",
            "redeciding",
            redecide,
            "Decide the dose of every study anew, from what was read; one that runs goes on.",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            status=202,
        ),
    ]
