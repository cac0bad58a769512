"""The figures of a chart, as they are now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from treegarth.conditions.text import parse_condition
from treegarth.conditions.vocabulary import Vocabulary
from treegarth.features.dose.analysis.charts.model import Chart
from treegarth.features.dose.analysis.charts.store import number_of_standard_name, studies_that_fulfil
from treegarth.features.dose.analysis.figures import OF_LEVEL
from treegarth.features.dose.analysis.store.groups import Figure, figures
from treegarth.features.dose.analysis.store.shape import Bin, histogram
from treegarth.features.dose.analysis.store.statistics import NOTHING, Distribution, distribution
from treegarth.features.dose.analysis.wanted import Wanted
from treegarth.features.dose.quantities import ShownQuantity
from treegarth.features.dose.registry.conditions import days_of


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A chart with its figures: of a histogram bins, of the others groups."""

    chart: Chart
    quantity: ShownQuantity
    whole: Distribution
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
    whole = distribution(connection, wanted)
    if chart.by is None:
        bins = histogram(connection, wanted, whole, quantity.factor, "linear")
        return Drawn(chart=chart, quantity=quantity, whole=whole, bins=bins)
    groups = figures(connection, wanted, chart.by) if whole.n else []
    return Drawn(chart=chart, quantity=quantity, whole=whole, groups=groups)


def wanted_of(connection: Connection, chart: Chart, vocabulary: Vocabulary, now: datetime) -> Wanted | None:
    """The values that a chart is of; None where its standard name is not there."""
    named = None
    if chart.standard_name is not None:
        named = number_of_standard_name(connection, chart.modality, chart.standard_name)
        if named is None:
            return None
    first, last = days_of(chart.period, now.date()) if chart.period else (None, None)
    condition = parse_condition(chart.studies, vocabulary) if chart.studies is not None else None
    return Wanted(
        quantity=chart.quantity,
        level=chart.level,
        phantom=chart.phantom,
        modality=chart.modality,
        standard_name_id=named,
        study_date_from=max((day for day in (chart.study_date_from, first) if day), default=None),
        study_date_to=min((day for day in (chart.study_date_to, last) if day), default=None),
        with_doubted=chart.with_doubted,
        among=None if condition is None else studies_that_fulfil(condition, vocabulary, now),
    )
