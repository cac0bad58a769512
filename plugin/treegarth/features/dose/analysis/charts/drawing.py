"""The figures of a chart, as they are now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from treegarth.conditions.text import parse_condition
from treegarth.conditions.vocabulary import Vocabulary
from treegarth.features.dose.analysis.charts.model import Chart
from treegarth.features.dose.analysis.charts.store import studies_that_fulfil
from treegarth.features.dose.analysis.distribution import NOTHING, Distribution
from treegarth.features.dose.analysis.figures import OF_LEVEL
from treegarth.features.dose.analysis.said import SaidOfChart, said_of, unit_shown
from treegarth.features.dose.analysis.store.columns import read_values
from treegarth.features.dose.analysis.store.groups import Figure, figures
from treegarth.features.dose.analysis.store.shape import Bin, histogram
from treegarth.features.dose.analysis.store.standard_names import name_meant
from treegarth.features.dose.analysis.wanted import Wanted
from treegarth.features.dose.quantities import ShownQuantity
from treegarth.features.dose.registry.conditions import days_of
from treegarth.web.export import unit_of


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A chart with its figures: of a histogram bins, of the others groups."""

    chart: Chart
    quantity: ShownQuantity
    whole: Distribution
    wanted: Wanted | None = None
    """The values; None where there is no such standard name."""
    bins: Sequence[Bin] = ()
    groups: Sequence[Figure] = ()
    has_name: bool = True
    """False: the standard name that it is of is not there."""


def draw(connection: Connection, chart: Chart, vocabulary: Vocabulary, now: datetime) -> Drawn:
    """`now` is in the site's zone."""
    quantity = OF_LEVEL[chart.level][chart.quantity]
    wanted = wanted_of(connection, chart, vocabulary, now)
    if wanted is None:
        return Drawn(chart=chart, quantity=quantity, whole=NOTHING, has_name=False)
    values = read_values(connection, wanted, (chart.by,) if chart.by else ())
    whole = values.distribution()
    if chart.by is None:
        bins = histogram(values, quantity.factor, "linear")
        return Drawn(chart=chart, quantity=quantity, whole=whole, wanted=wanted, bins=bins)
    groups = figures(connection, values, chart.by) if whole.n else []
    return Drawn(chart=chart, quantity=quantity, whole=whole, wanted=wanted, groups=groups)


def said_of_chart(drawn: Drawn) -> SaidOfChart:
    """What each row of its file says: bins are in the unit shown, groups in the stored one."""
    chart, wanted = drawn.chart, drawn.wanted or Wanted(**_open(drawn.chart))
    unit = unit_shown(drawn.quantity) if chart.by is None else unit_of(chart.quantity)
    said = said_of(wanted, chart.standard_name, unit)
    studies = (
        chart.studies
        if chart.studies is None or isinstance(chart.studies, str)
        else json.dumps(chart.studies, ensure_ascii=False)
    )
    return SaidOfChart(**said.model_dump(), chart=chart.name, asked_studies=studies)


def _open(chart: Chart) -> dict[str, Any]:
    """What a chart is of, but for its name and days."""
    return {name: getattr(chart, name) for name in ("quantity", "level", "phantom", "modality", "with_doubted")}


def wanted_of(connection: Connection, chart: Chart, vocabulary: Vocabulary, now: datetime) -> Wanted | None:
    """The values that a chart is of; None where its standard name is not there."""
    named = None
    if chart.standard_name is not None:
        found = name_meant(connection, chart.modality, chart.standard_name)
        if found is None:
            return None
        named = found.id
    first, last = days_of(chart.period, now.date()) if chart.period else (None, None)
    condition = parse_condition(chart.studies, vocabulary) if chart.studies is not None else None
    return Wanted(
        **_open(chart),
        standard_name_id=named,
        study_date_from=max((day for day in (chart.study_date_from, first) if day), default=None),
        study_date_to=min((day for day in (chart.study_date_to, last) if day), default=None),
        among=None if condition is None else studies_that_fulfil(condition, vocabulary, now),
    )
