"""The workbook over HTTP: at once where it is small, as a long work whatever it is."""

from __future__ import annotations

from flask import Response

from treegarth.access.actors import Permission
from treegarth.audit.model import What
from treegarth.features.dose.analysis.workbook.asked import WorkbookAsked
from treegarth.features.dose.analysis.workbook.service import make_now, start_making
from treegarth.features.dose.registry.api.parts import dose_route
from treegarth.web.call import Answered, Call
from treegarth.web.listing import ANY_BYTES
from treegarth.web.routes import Route
from treegarth.work.store import LongWork


def workbook(call: Call[WorkbookAsked, None, None]) -> Response:
    return make_now(call, call.query, ANY_BYTES)


def prepare(call: Call[None, WorkbookAsked, None]) -> Answered[LongWork]:
    return Answered(body=start_making(call, call.body), status=202)


def routes() -> list[Route]:
    problems = (404, 409, 503)
    return [
        dose_route(
            "dose_workbook",
            "analysis/workbook",
            workbook,
            "Figures of every name, the exams and events behind them, and a sheet for each protocol, as XLSX.",
            media_type=ANY_BYTES,
            further=(Permission.EXPORT,),
            problems=problems,
        ),
        dose_route(
            "make_dose_workbook",
            "analysis/workbook",
            prepare,
            "The same as a long work, however large it is.",
            method="POST",
            audit=What.EXPORT,
            status=202,
            further=(Permission.EXPORT,),
            problems=problems,
            example={"modality": "CT", "study_date_from": "2026-01-01", "study_date_to": "2026-12-31"},
        ),
    ]
