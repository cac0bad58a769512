"""Figures of doses over HTTP: the same that the pages show, in stored units with all digits."""

from __future__ import annotations

from treegarth.features.dose.analysis.asked import (
    Chosen,
    DaysAsked,
    FiguresAsked,
    MatrixAsked,
    Modality,
    choose,
    days_of,
    side_by_side,
)
from treegarth.features.dose.analysis.distribution import Distribution
from treegarth.features.dose.analysis.figures import By, Size
from treegarth.features.dose.analysis.store.columns import read_values
from treegarth.features.dose.analysis.store.groups import Figure, figures
from treegarth.features.dose.analysis.store.matrix import MatrixCell
from treegarth.features.dose.analysis.store.names import KindOfName, NamedCount, most_frequent_names
from treegarth.features.dose.analysis.store.overview import Overview, overview
from treegarth.features.dose.analysis.store.shape import Bin, Point, Scale, greatest, histogram, points
from treegarth.features.dose.analysis.store.workload import HourOfWeek, workload
from treegarth.features.dose.analysis.wanted import Level, Phantom
from treegarth.features.dose.registry.api.parts import dose_route
from treegarth.web.call import Call
from treegarth.web.routes import Answer, Parameters, Route, Text


class ChosenValues(Answer):
    """What the figures are of, with everything that was left open."""

    level: Level
    modality: str | None
    quantity: str
    phantom: Phantom | None
    name: str | None
    """The one that is asked for, as people know it."""
    unit_shown: str
    """What pages show it in."""
    factor: float
    """From the stored unit to that."""


class NamesAsked(Parameters):
    """Which names."""

    kind: KindOfName = "standard"
    """`standard`: standard names; `exam`: names of exams that have none; `protocol`: acquisition protocols."""
    modality: Modality | None = None
    """Of exams or events of this modality."""
    words: Text | None = None
    """A part of the name, in capitals or not."""


class GroupsAsked(FiguresAsked):
    """Which values, by what."""

    by: By | None = None
    """`month`, `quarter`, `device`, `age`, `weight` or `name`; without it, only all together."""


class HistogramAsked(FiguresAsked):
    """Which values, in which bins."""

    scale: Scale = "linear"
    """`log`: ten bins a decade."""


class PointsAsked(FiguresAsked):
    """Which values, against which size."""

    size: Size = "weight"
    """`weight` in kg, `height` in m, `bmi` in kg/m²."""


class OverviewAnswer(Answer):
    """By modality, those with the most exams first."""

    items: list[Overview]


class NamesAnswer(Answer):
    """At most 100, the most frequent first."""

    items: list[NamedCount]


class GroupsAnswer(Answer):
    """Distributions, in stored units."""

    of: ChosenValues
    whole: Distribution
    items: list[Figure]


class HistogramAnswer(Answer):
    """Bins in the unit shown, from the least on."""

    of: ChosenValues
    items: list[Bin]


class PointsAnswer(Answer):
    """Values and sizes, at most 2,000 of them."""

    of: ChosenValues
    count: int
    """Of how many these are a part."""
    items: list[Point]


class MatrixAnswer(Answer):
    """Of each name all devices together, then each one; in stored units."""

    of: ChosenValues
    names: KindOfName
    """By names of which kind."""
    items: list[MatrixCell]


class GreatestAnswer(Answer):
    """The ten greatest values."""

    of: ChosenValues
    items: list[Point]


class WorkloadAnswer(Answer):
    """Hours of the week with exams."""

    of: ChosenValues
    items: list[HourOfWeek]


def chosen_values(chosen: Chosen) -> ChosenValues:
    return ChosenValues(
        level=chosen.wanted.level,
        modality=chosen.wanted.modality,
        quantity=chosen.wanted.quantity,
        phantom=chosen.wanted.phantom,
        name=chosen.name.name if chosen.name else None,
        unit_shown=chosen.quantity.unit,
        factor=chosen.quantity.factor,
    )


def overview_answer(call: Call[DaysAsked, None, None]) -> OverviewAnswer:
    with call.connect() as connection:
        return OverviewAnswer(items=overview(connection, days_of(call.query)))


def names_answer(call: Call[NamesAsked, None, None]) -> NamesAnswer:
    query = call.query
    with call.connect() as connection:
        found = most_frequent_names(connection, query.kind, modality=query.modality, words=query.words)
    return NamesAnswer(items=found)


def groups_answer(call: Call[GroupsAsked, None, None]) -> GroupsAnswer:
    by = call.query.by
    with call.connect() as connection:
        chosen = choose(connection, call.query)
        values = read_values(connection, chosen.wanted, (by,) if by else ())
        items = figures(connection, values, by) if by else []
    return GroupsAnswer(of=chosen_values(chosen), whole=values.distribution(), items=items)


def histogram_answer(call: Call[HistogramAsked, None, None]) -> HistogramAnswer:
    with call.connect() as connection:
        chosen = choose(connection, call.query)
        values = read_values(connection, chosen.wanted)
    items = histogram(values, chosen.quantity.factor, call.query.scale)
    return HistogramAnswer(of=chosen_values(chosen), items=items)


def points_answer(call: Call[PointsAsked, None, None]) -> PointsAnswer:
    with call.connect() as connection:
        chosen = choose(connection, call.query)
        size = call.query.size
        items, count = points(connection, read_values(connection, chosen.wanted, (size,)), size)
    return PointsAnswer(of=chosen_values(chosen), count=count, items=items)


def matrix_answer(call: Call[MatrixAsked, None, None]) -> MatrixAnswer:
    with call.connect() as connection:
        found = side_by_side(connection, call.query)
    return MatrixAnswer(of=chosen_values(found.chosen), names=found.kind, items=found.cells)


def greatest_answer(call: Call[FiguresAsked, None, None]) -> GreatestAnswer:
    with call.connect() as connection:
        chosen = choose(connection, call.query)
        items = greatest(connection, read_values(connection, chosen.wanted))
    return GreatestAnswer(of=chosen_values(chosen), items=items)


def workload_answer(call: Call[FiguresAsked, None, None]) -> WorkloadAnswer:
    with call.connect() as connection:
        chosen = choose(connection, call.query)
        return WorkloadAnswer(of=chosen_values(chosen), items=workload(connection, chosen.wanted))


def routes() -> list[Route]:
    """The endpoints of analysis."""
    problems = (404, 503)
    return [
        dose_route(
            "dose_analysis_overview",
            "analysis/overview",
            overview_answer,
            "What exams of each modality are known by: its distribution.",
        ),
        dose_route("dose_analysis_names", "analysis/names", names_answer, "The most frequent names."),
        dose_route(
            "dose_analysis_figures",
            "analysis/figures",
            groups_answer,
            "The distribution of a quantity, of all and by groups.",
            problems=problems,
        ),
        dose_route(
            "dose_analysis_histogram",
            "analysis/histogram",
            histogram_answer,
            "How many values lie where.",
            problems=problems,
        ),
        dose_route(
            "dose_analysis_points",
            "analysis/points",
            points_answer,
            "Values against the size of the patient.",
            problems=problems,
        ),
        dose_route(
            "dose_analysis_matrix",
            "analysis/matrix",
            matrix_answer,
            "Names and devices side by side: the distribution of a quantity of each name on each device.",
            problems=problems,
        ),
        dose_route(
            "dose_analysis_greatest", "analysis/greatest", greatest_answer, "The greatest values.", problems=problems
        ),
        dose_route(
            "dose_analysis_workload",
            "analysis/workload",
            workload_answer,
            "Exams by weekday and hour.",
            problems=problems,
        ),
    ]
