"""What the archive lends to the system page: how far the index is, and its long works."""

from __future__ import annotations

from flask import Response
from markupsafe import Markup

from treegarth.access.actors import Permission
from treegarth.errors import DatabaseUnavailable
from treegarth.features.archive.comparison import compare
from treegarth.features.archive.store.overview import last_indexed_at
from treegarth.features.archive.store.search import totals
from treegarth.features.archive.works import COMPARING, MENDING
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.parts import render_part
from treegarth.web.routes import Route
from treegarth.web.told import see_other
from treegarth.work.pages import work_part, work_section
from treegarth.work.store import latest, running


def routes() -> list[Route]:
    return [
        route(
            name="archive.compare",
            path="/treegarth/system/compare",
            method="POST",
            permission=Permission.OPERATE,
            handler=compare_now,
            summary="Compare the index with Orthanc now.",
        )
    ]


def compare_now(call: Call[None, None, None]) -> Response:
    compare(call)
    return see_other(call, call.site.url("system.system_page"))


def progress_section(call: AnyCall) -> Markup:
    """Totals of the index, the latest comparison with Orthanc, and a reading anew that runs."""
    try:
        with call.connect() as connection:
            compared = latest(connection, COMPARING.name)
            mending = running(connection, MENDING.name)
            values = {"totals": totals(connection), "last_indexed_at": last_indexed_at(connection)}
    except DatabaseUnavailable:
        return Markup("")
    start, label = call.site.url("archive.compare"), N_("Compare now")
    return render_part(
        call,
        "archive/progress.html",
        comparing=work_section(call, COMPARING, compared, start=start, label=label),
        mending=mending and work_part(call, mending),
        mending_kind=MENDING,
        **values,
    )
