"""How the medians here compare with reference levels, over HTTP."""

from __future__ import annotations

from datetime import date

from treegarth.features.dose.analysis.levels.asked import ComparisonAsked, compared, period_of
from treegarth.features.dose.analysis.levels.comparison import Comparison
from treegarth.features.dose.analysis.levels.documents import routes as document_routes
from treegarth.web.call import Call
from treegarth.web.endpoints import endpoint
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, Route


class Comparisons(Answer):
    """Medians beside levels: each level beside the whole site, then beside each device."""

    study_date_from: date
    """The days of the exams, both included."""
    study_date_to: date
    items: list[Comparison]


def comparison(call: Call[ComparisonAsked, None, None]) -> Comparisons:
    period = period_of(call, call.query)
    with call.connect() as connection:
        items = compared(call, connection, call.query)
    return Comparisons(study_date_from=period.begin, study_date_to=period.end, items=items)


def routes() -> list[Route]:
    return [
        endpoint(
            "level_comparison",
            "levels/comparison",
            comparison,
            "The medians of this site and of its devices beside the reference levels that hold.",
            tag="dose",
            under=f"{API_PATH}/dose",
            problems=(404, 503),
        ),
        *document_routes(),
    ]
