"""The whole archive at a glance: what exams of each modality are known by, over months, and the names to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import Response

from treegarth.access.actors import Permission
from treegarth.features.dose.analysis.asked import DaysAsked, Modality, days_of
from treegarth.features.dose.analysis.figures import OF_LEVEL, PHANTOM_NAMES
from treegarth.features.dose.analysis.store.columns import Values
from treegarth.features.dose.analysis.store.names import (
    NAMES_SHOWN,
    KindOfName,
    exams_of_modalities,
    most_frequent_names,
)
from treegarth.features.dose.analysis.store.overview import (
    MonthlyMedian,
    Overview,
    medians_by_month,
    overview_with_values,
)
from treegarth.features.dose.analysis.wanted import Wanted
from treegarth.features.dose.analysis.workbook.asked import WorkbookAsked
from treegarth.features.dose.analysis.workbook.service import offer
from treegarth.features.dose.quantities import ShownQuantity
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.export import FORMAT_WORDS
from treegarth.web.routes import Route, Text
from treegarth.web.templates import render_page

MONTHS_SHOWN = 24
PARAMETERS: dict[KindOfName, str] = {"standard": "standard_name", "exam": "exam_name", "protocol": "protocol"}
KINDS: dict[KindOfName, str] = {
    "standard": N_("Standard names"),
    "exam": N_("Names of exams without a standard name"),
    "protocol": N_("Acquisition protocols"),
}


class OverviewAsked(DaysAsked):
    """Which exams, and which names are listed."""

    kind: KindOfName | None = None
    """Names of which kind are listed; without one standard names, where there are any."""
    modality: Modality | None = None
    """Whose names are listed."""
    words: Text | None = None
    """A part of the names listed."""
    as_table: bool = False
    """Whether months stand in tables instead of charts."""


@dataclass(frozen=True, kw_only=True)
class ShownModality:
    """A line of the overview, and its months, the latest first."""

    figures: Overview
    quantity: ShownQuantity
    months: Sequence[MonthlyMedian]
    url: str


def routes() -> list[Route]:
    return [
        route(
            name="dose.analysis_page",
            path="/treegarth/dose/analysis",
            permission=Permission.SEE_DOSE,
            handler=page,
            summary="Doses of the whole archive by modality and month, and the names to look at.",
        )
    ]


def page(call: Call[OverviewAsked, None, None]) -> Response:
    query, days = call.query, days_of(call.query)
    with call.connect() as connection:
        exams = exams_of_modalities(connection)
        shown = [_modality(call, days, *one) for one in overview_with_values(connection, days, exams)]
        kind: KindOfName = query.kind or "standard"
        names = most_frequent_names(connection, kind, modality=query.modality, words=query.words)
        if query.kind is None and not names:
            kind = "exam"
            names = most_frequent_names(connection, kind, modality=query.modality, words=query.words)
        days_asked = {name: getattr(query, name) for name in DaysAsked.model_fields}
        book = offer(connection, WorkbookAsked(**days_asked))
    kept = {name: value for name, value in call.http.args.items() if name in DaysAsked.model_fields and value}
    return render_page(
        call,
        "dose/analysis_overview.html",
        shown=shown,
        modalities=list(exams),
        names=[
            (one, call.site.url("dose.analysis_name_page", **kept, **{PARAMETERS[kind]: str(one.id)})) for one in names
        ],
        phantom_names=PHANTOM_NAMES,
        format_words=FORMAT_WORDS,
        kind=kind,
        kinds=KINDS,
        most_names=NAMES_SHOWN,
        book=book,
    )


def _modality(call: AnyCall, days: Wanted, one: Overview, values: Values) -> ShownModality:
    today = call.services.clock().astimezone(call.services.zone).date()
    first = months_back(min(today, days.study_date_to or today), MONTHS_SHOWN - 1)
    months = medians_by_month(values, first)
    kept = {name: value for name, value in call.http.args.items() if name in DaysAsked.model_fields and value}
    of = {"modality": one.modality, "quantity": one.quantity, **({"phantom": one.phantom} if one.phantom else {})}
    url = call.site.url("dose.analysis_name_page", **kept, **of)
    return ShownModality(figures=one, quantity=OF_LEVEL["exam"][one.quantity], months=list(reversed(months)), url=url)


def months_back(day: date, back: int) -> date:
    """The first day of the month so many months before."""
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)
