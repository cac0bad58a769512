"""Reading the whole archive again, and deciding it anew, over HTTP: start it, see how far it is and what changed."""

from __future__ import annotations

from datetime import datetime

from treegarth.features.dose.registry.api.parts import Listed, dose_route
from treegarth.features.dose.registry.download import changes_csv
from treegarth.features.dose.registry.store.redecision import redeciding_progress, start_redeciding
from treegarth.features.dose.registry.store.reread_walk import reread_progress, start_reread
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.routes import Answer, Route


class Reread(Listed):
    """One re-reading of every source in the archive."""

    id: int
    reader_version: int
    """Of the reader that reads."""
    started_by: str | None
    started_at: datetime
    finished_at: datetime | None
    """Null while it runs."""
    is_running: bool
    walked: int
    """Instances of the index that were looked at."""
    is_walked: bool
    """Whether the whole index was looked at."""
    noted: int
    """Sources among them, which wait to be read or were read since."""
    waiting: int
    """Sources of the whole registry that wait to be read."""
    of_other_versions: int
    """Rows that another version of the reader made. When all is done these are of objects that left the archive."""


class RereadState(Answer):
    """The latest re-reading."""

    reread: Reread | None
    """Null where there never was one."""


class Redeciding(Listed):
    """One deciding anew of every study's dose, from what was read."""

    id: int
    decider_version: int
    started_by: str | None
    """Null where it began by itself, after an upgrade."""
    started_at: datetime
    finished_at: datetime | None
    """Null while it runs."""
    is_running: bool
    study_count: int
    """As many as there were when it began, or as it has decided where more have arrived since; at the end both are
    the same."""
    decided: int
    changed: int
    """Studies whose best known dose is not the same as before."""
    deciding_s: float | None
    """Seconds spent deciding, without those that it waited; null where it was not measured."""


class RedecidingState(Answer):
    """The latest deciding anew."""

    redeciding: Redeciding | None
    """Null where there never was one."""


def state(call: Call[None, None, None]) -> RereadState:
    with call.connect() as connection:
        progress = reread_progress(connection)
    return RereadState(reread=None if progress is None else Reread.model_validate(progress))


def start(call: Call[None, None, None]) -> RereadState:
    """Only notes that it is wanted: the workers do it, and go on after a restart."""
    with call.begin() as connection:
        start_reread(connection, call.actor.name, call.services.clock())
    return state(call)


def redeciding(call: Call[None, None, None]) -> RedecidingState:
    with call.connect() as connection:
        progress = redeciding_progress(connection)
    return RedecidingState(redeciding=None if progress is None else Redeciding.model_validate(progress))


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
        dose_route(
            "dose_redeciding_changes",
            "redeciding/changes",
            changes_csv,
            "What the latest deciding anew changed: exam, quantity, before, after, why.",
            media_type="text/csv",
        ),
    ]
