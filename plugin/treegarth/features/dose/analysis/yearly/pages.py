"""The yearly report as a page that prints, and the button that has it made as a PDF."""

from __future__ import annotations

from flask import Response

from treegarth.access.actors import Permission
from treegarth.audit.model import What
from treegarth.features.dose.analysis.store.yearly import yearly_report, years_with_exams
from treegarth.features.dose.analysis.yearly.api import FIRST_YEAR, LAST_YEAR, ReportBody, ReportYear, start_pdf
from treegarth.features.dose.analysis.yearly.shown import shown_values
from treegarth.features.dose.analysis.yearly.works import latest_report
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Parameters, Route
from treegarth.web.templates import render_page
from treegarth.web.told import see_other
from treegarth.work.pages import work_part

PAGE = "dose.report_page"


class ReportQuery(Parameters):
    """Which year."""

    year: ReportYear | None = None
    """`2025`; this year without it."""


def page(call: Call[ReportQuery, None, None]) -> Response:
    today = call.asker.today
    year = call.query.year or today.year
    with call.connect() as connection:
        report = yearly_report(connection, year, today)
        years = years_with_exams(connection)
        work = latest_report(connection, year, call.language)
        progress = work_part(call, work) if work else None
    return render_page(
        call,
        "dose/report.html",
        **shown_values(report, call.site.languages[call.language], call.services.site_name),
        years=years,
        limits=(FIRST_YEAR, LAST_YEAR),
        work=work,
        progress=progress,
    )


def prepare(call: Call[None, ReportBody, None]) -> Response:
    """Back to the page, which shows how far it is."""
    start_pdf(call, call.body.year, call.body.language)
    return see_other(call, call.site.url(PAGE, year=call.body.year))


def routes() -> list[Route]:
    return [
        route(
            name=PAGE,
            path="/treegarth/dose/report",
            permission=Permission.SEE_DOSE,
            handler=page,
            summary="The yearly dose report: by modality, name and device, with the year before.",
        ),
        route(
            name="dose.report_pdf",
            audit=What.EXPORT,
            path="/treegarth/dose/report",
            method="POST",
            permission=Permission.SEE_DOSE,
            further=(Permission.EXPORT,),
            handler=prepare,
            summary="Make the yearly dose report as a PDF, as a long work.",
        ),
    ]
