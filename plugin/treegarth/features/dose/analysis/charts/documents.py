"""Charts over HTTP: the dialect of all documents, and the figures of one."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.conditions.text import condition_document, parse_condition
from treegarth.documents.language import Documents, Pages, validated_at
from treegarth.documents.store import Stored, Wording
from treegarth.errors import DocumentRefused, Problem, RequestConflict
from treegarth.feature import House
from treegarth.features.dose.analysis.charts.drawing import Drawn, draw
from treegarth.features.dose.analysis.charts.model import Chart
from treegarth.features.dose.analysis.charts.paths import DoseChartPath
from treegarth.features.dose.analysis.charts.store import CHARTS
from treegarth.features.dose.analysis.distribution import Distribution
from treegarth.features.dose.analysis.store.groups import Figure
from treegarth.features.dose.analysis.store.shape import Bin
from treegarth.limits import is_storable
from treegarth.phrases import N_, P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import endpoint
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, Route

LIST_PAGE, ONE_PAGE = "dose.charts_page", "dose.chart_page"
EXAMPLE = {
    "name": "CT of adults by device",
    "why": "whether one of our scanners stands out",
    "chart": "boxes",
    "quantity": "dlp_body_mgy_cm",
    "modality": "CT",
    "by": "device",
    "period": "last_30_days",
    "studies": {"any": ["PatientSex = F", {"all": ["PatientSex = M", "dose.irradiation_event_count > 2"]}]},
}


def parse(call: AnyCall, connection: Connection, document: Any, place: str) -> Wording:
    """Raises DocumentRefused with every problem; those of its condition only where the rest is right."""
    chart: Chart = validated_at(Chart, document, place)
    if not is_storable(chart.studies):
        raise DocumentRefused([Problem(f"{place}.studies", P_("holds characters that cannot be kept."))])
    worded = chart.model_dump(mode="json", exclude_none=True)
    if chart.studies is not None:
        condition = parse_condition(chart.studies, call.part(House).vocabulary(), f"{place}.studies")
        worded["studies"] = condition_document(condition)
    return Wording(document=worded)


CHART_DOCUMENTS = Documents(
    kind=CHARTS,
    name="dose_chart",
    example=EXAMPLE,
    names="dose_charts",
    one="chart",
    many="charts",
    path="dose/charts",
    tag="dose",
    number=DoseChartPath,
    parse=parse,
    model=Chart,
    write_permission=Permission.ANNOTATE,
    switch_permission=Permission.ANNOTATE,
    pages=Pages(
        title=N_("Own charts"),
        place="dose/charts",
        prefix="dose_charts",
        frame="dose/chart_frame.html",
        list_page=LIST_PAGE,
        one_page=ONE_PAGE,
    ),
)


class ChartFigures(Answer):
    """A chart and its figures as they are now, in stored units."""

    chart: Chart
    unit_shown: str
    """What pages show it in."""
    factor: float
    """From the stored unit to that."""
    has_name: bool
    """False: the standard name that it is of is not there; it has no values then."""
    whole: Distribution
    """Of all values together."""
    bins: list[Bin]
    """Of a histogram, in the unit shown."""
    groups: list[Figure]
    """Of the others."""


def drawn_of(call: AnyCall, connection: Connection, document: Any) -> Drawn:
    """The figures of a document that was parsed."""
    services = call.services
    now = services.clock().astimezone(services.zone)
    return draw(connection, Chart.model_validate(document), call.part(House).vocabulary(), now)


def drawn_if_on(call: AnyCall, connection: Connection, number: int) -> tuple[Stored, Drawn]:
    """A chart and its figures. Raises NotFound, and RequestConflict where it is off."""
    stored = CHART_DOCUMENTS.read(call, connection, number)
    if not stored.is_on:
        raise RequestConflict(P_("This chart is switched off."))
    return stored, drawn_of(call, connection, stored.document)


def figures_of(call: Call[None, None, DoseChartPath]) -> ChartFigures:
    with call.connect() as connection:
        _, drawn = drawn_if_on(call, connection, call.path.dose_chart_id)
    return ChartFigures(
        chart=drawn.chart,
        unit_shown=drawn.quantity.unit,
        factor=drawn.quantity.factor,
        has_name=drawn.has_name,
        whole=drawn.whole,
        bins=list(drawn.bins),
        groups=list(drawn.groups),
    )


_route: Any = partial(endpoint, tag="dose", under=f"{API_PATH}/dose")


def routes() -> list[Route]:
    """What they answer beside the dialect."""
    return [
        _route(
            "dose_chart_figures",
            "charts/{dose_chart_id}/figures",
            figures_of,
            "The figures of a chart, as they are now.",
            problems=(404, 409, 503),
        )
    ]
