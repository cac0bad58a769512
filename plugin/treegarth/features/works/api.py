"""Long work over HTTP: one of them, stop it, let it go on, and its file. What starts one is the feature's endpoint."""

from __future__ import annotations

from typing import Any

from flask import Response

from treegarth.access.actors import Permission
from treegarth.features.works.paths import WorkPath
from treegarth.features.works.service import file_of, resume_work, stop_work
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.listing import ANY_BYTES
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Route
from treegarth.work.store import LongWork, read_for


def work(call: Call[None, None, WorkPath]) -> LongWork:
    with call.connect() as connection:
        return read_for(connection, call.path.work_id, call.actor)


def stop(call: Call[None, None, WorkPath]) -> LongWork:
    return stop_work(call, call.path.work_id)


def resume(call: Call[None, None, WorkPath]) -> LongWork:
    return resume_work(call, call.path.work_id)


def result(call: Call[None, None, WorkPath]) -> Response:
    return file_of(call, call.path.work_id, ANY_BYTES)


def routes() -> list[Route]:
    """The endpoints about one work."""
    one = f"{API_PATH}/work/{{work_id}}"
    common: dict[str, Any] = {"tag": "work"}
    act: dict[str, Any] = {"method": "POST", "permission": Permission.OPERATE, "problems": (409, 503), **common}
    return [
        route(
            name="api.work",
            path=one,
            permission=Permission.SIGNED_IN,
            handler=work,
            summary="How far a long work is.",
            problems=(503,),
            **common,
        ),
        route(
            name="api.stop_work",
            path=f"{one}/stop",
            handler=stop,
            summary="Stop a long work; what was done stays done. Needs the permission of what it does.",
            **act,
        ),
        route(
            name="api.resume_work",
            path=f"{one}/resume",
            handler=resume,
            summary="Let a work that was stopped or given up go on where it was.",
            **act,
        ),
        route(
            name="api.work_result",
            path=f"{one}/file",
            permission=Permission.SIGNED_IN,
            handler=result,
            summary="The file that a work made, until its time is over.",
            media_type=ANY_BYTES,
            problems=(503,),
            **common,
        ),
    ]
