"""Where the button of the pages leads: to the file, or to the long work that makes it."""

from __future__ import annotations

from flask import Response

from treegarth.access.actors import Permission
from treegarth.features.dose.analysis.workbook.asked import WorkbookAsked
from treegarth.features.dose.analysis.workbook.service import make_now, start_making
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.export import MEDIA_TYPES
from treegarth.web.routes import Route
from treegarth.web.told import see_other
from treegarth.work.pages import PAGE


def workbook(call: Call[WorkbookAsked, None, None]) -> Response:
    return make_now(call, call.query, MEDIA_TYPES["xlsx"])


def prepare(call: Call[None, WorkbookAsked, None]) -> Response:
    return see_other(call, call.site.url(PAGE, work_id=start_making(call, call.body).id))


def routes() -> list[Route]:
    path = "/treegarth/dose/analysis/workbook"
    return [
        route(
            name="dose.workbook",
            path=path,
            permission=Permission.SEE_DOSE,
            further=(Permission.EXPORT,),
            handler=workbook,
            summary="Dose analysis as a workbook: summary, exams, events, and a sheet for each protocol.",
            media_type=MEDIA_TYPES["xlsx"],
        ),
        route(
            name="dose.workbook_prepare",
            path=f"{path}/export",
            method="POST",
            permission=Permission.SEE_DOSE,
            further=(Permission.EXPORT,),
            handler=prepare,
            summary="The same as a long work.",
        ),
    ]
