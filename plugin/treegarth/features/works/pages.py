"""The page of one long work, and the buttons that stand beside its progress wherever that is shown."""

from __future__ import annotations

from flask import Response

from treegarth.access.actors import Permission
from treegarth.features.works.paths import WorkPath
from treegarth.features.works.service import file_of, resume_work, stop_work
from treegarth.index.studies import told_apart
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.listing import ANY_BYTES
from treegarth.web.routes import Route
from treegarth.web.templates import render_page
from treegarth.web.told import see_other
from treegarth.work.kinds import WorkKinds
from treegarth.work.pages import PAGE, whose, work_part
from treegarth.work.store import read_for


def page(call: Call[None, None, WorkPath]) -> Response:
    with call.connect() as connection:
        work = read_for(connection, call.path.work_id, call.actor)
        name = whose(connection, call.part(WorkKinds), [work]).get(work.id)
        which = told_apart(connection, [name] if name else [])
    kind = call.part(WorkKinds).named(work.kind)
    progress = work_part(call, work)
    return render_page(call, "works/work.html", work=work, kind=kind, name=name, which=which, progress=progress)


def stop(call: Call[None, None, WorkPath]) -> Response:
    stop_work(call, call.path.work_id)
    return _back(call, call.path.work_id)


def resume(call: Call[None, None, WorkPath]) -> Response:
    resume_work(call, call.path.work_id)
    return _back(call, call.path.work_id)


def file(call: Call[None, None, WorkPath]) -> Response:
    return file_of(call, call.path.work_id, ANY_BYTES)


def _back(call: AnyCall, number: int) -> Response:
    return see_other(call, call.site.url(PAGE, work_id=number))


def routes() -> list[Route]:
    one = "/treegarth/work/{work_id}"
    return [
        route(
            name=PAGE,
            path=one,
            permission=Permission.SIGNED_IN,
            handler=page,
            summary="How far a long work is, who asked for it, and what came of it.",
        ),
        route(
            name="works.stop",
            path=f"{one}/stop",
            method="POST",
            permission=Permission.OPERATE,
            handler=stop,
            summary="Stop a long work; what was done stays done.",
        ),
        route(
            name="works.resume",
            path=f"{one}/resume",
            method="POST",
            permission=Permission.OPERATE,
            handler=resume,
            summary="Let a work that was stopped or given up go on where it was.",
        ),
        route(
            name="works.file",
            path=f"{one}/file",
            permission=Permission.SIGNED_IN,
            handler=file,
            summary="The file that a work made.",
            media_type=ANY_BYTES,
        ),
    ]
