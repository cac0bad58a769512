"""The yearly report over HTTP: its figures, and the start of its PDF."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from treegarth.access.actors import Permission
from treegarth.audit.model import What
from treegarth.errors import InvalidRequest
from treegarth.features.dose.analysis.store.yearly import yearly_report
from treegarth.features.dose.analysis.yearly.model import YearlyReport
from treegarth.features.dose.analysis.yearly.works import start_report
from treegarth.phrases import P_
from treegarth.web.call import Answered, AnyCall, Call
from treegarth.web.endpoints import endpoint
from treegarth.web.routes import AnyText, Parameters, Route
from treegarth.work.store import LongWork

FIRST_YEAR, LAST_YEAR = 1901, 2999
"""That can be asked for; each has a year before it."""
LONGEST_CODE = 20
ReportYear = Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]


class YearQuery(Parameters):
    """Which year."""

    year: ReportYear
    """`2025`: from its first day to its last one, by the date of the study."""


class ReportBody(Parameters):
    """Which report."""

    year: ReportYear
    """`2025`."""
    language: Annotated[AnyText, Field(max_length=LONGEST_CODE)] | None = None
    """`en` or `ko`; without it, that of who asks."""


def figures(call: Call[YearQuery, None, None]) -> YearlyReport:
    with call.connect() as connection:
        return yearly_report(connection, call.query.year, call.asker.today)


def prepare(call: Call[None, ReportBody, None]) -> Answered[LongWork]:
    return Answered(body=start_pdf(call, call.body.year, call.body.language), status=202)


def start_pdf(call: AnyCall, year: int, language: str | None) -> LongWork:
    """Only notes that it is wanted: a worker makes it. Raises InvalidRequest for a language that there is not."""
    wanted = call.language if language is None else language
    if wanted not in call.site.languages:
        known = ", ".join(call.site.languages)
        raise InvalidRequest(P_("There is no language %(code)s; there are %(known)s.", code=wanted, known=known))
    with call.begin() as connection:
        by, now = call.actor.name, call.services.clock()
        return start_report(connection, year, wanted, call.services.site_name, by=by, now=now)


def routes() -> list[Route]:
    return [
        endpoint(
            "dose_report",
            "dose/report",
            figures,
            "The figures of the yearly dose report: by modality, name and device, with the year before.",
            tag="dose",
        ),
        endpoint(
            "dose_report_pdf",
            "dose/report",
            prepare,
            "Make the yearly dose report as a PDF, as a long work.",
            tag="dose",
            method="POST",
            audit=What.EXPORT,
            further=(Permission.EXPORT,),
            status=202,
            example={"year": 2025, "language": "ko"},
        ),
    ]
