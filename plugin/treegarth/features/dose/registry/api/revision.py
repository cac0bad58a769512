"""Reading the whole archive again, and deciding it anew, over HTTP: start it, see how far it is."""

from __future__ import annotations

from treegarth.features.dose.registry.api.parts import dose_route
from treegarth.features.dose.registry.store.redecision import RedecidingProgress, redeciding_progress, start_redeciding
from treegarth.features.dose.registry.store.reread_walk import RereadProgress, reread_progress, start_reread
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.routes import Answer, Route


class RereadState(Answer):
    """The latest re-reading."""

    reread: RereadProgress | None
    """Null where there never was one."""


class RedecidingState(Answer):
    """The latest deciding anew."""

    redeciding: RedecidingProgress | None
    """Null where there never was one."""


def state(call: Call[None, None, None]) -> RereadState:
    with call.connect() as connection:
        progress = reread_progress(connection)
    return RereadState(reread=None if progress is None else progress)


def start(call: Call[None, None, None]) -> RereadState:
    """Only notes that it is wanted: the workers do it, and go on after a restart."""
    with call.begin() as connection:
        start_reread(connection, call.actor.name, call.services.clock())
    return state(call)


def redeciding(call: Call[None, None, None]) -> RedecidingState:
    with call.connect() as connection:
        progress = redeciding_progress(connection)
    return RedecidingState(redeciding=None if progress is None else progress)


def redecide(call: Call[None, None, None]) -> RedecidingState:
    """Only notes that it is wanted: the workers do it, and go on after a restart."""
    with call.begin() as connection:
        start_redeciding(connection, str(call.actor), call.services.clock())
    return redeciding(call)


def routes() -> list[Route]:
    """The endpoints about re-reading."""
    return [
        dose_route(
            "dose_reread",
            "reread",
            state,
            "How far the latest re-reading of the archive is.",
        ),
        dose_route(
            "start_dose_reread",
            "reread",
            start,
            "Read every source of dose in the archive again; one that runs goes on.",
            method="POST",
            permission=Permission.OPERATE,
            status=202,
        ),
        dose_route(
            "dose_redeciding",
            "redeciding",
            redeciding,
            "How far the latest deciding anew of every dose is.",
        ),
        dose_route(
            "start_dose_redeciding",
            "redeciding",
            redecide,
            "Decide the dose of every study anew, from what was read; one that runs goes on.",
            method="POST",
            permission=Permission.OPERATE,
            status=202,
        ),
    ]
