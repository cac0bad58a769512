"""How what a chart says is called on pages."""

from __future__ import annotations

from collections.abc import Mapping

from treegarth.features.dose.analysis.charts.model import ChartKind, Statistic
from treegarth.features.dose.analysis.figures import By
from treegarth.features.dose.analysis.wanted import Level
from treegarth.features.dose.registry.conditions import Period
from treegarth.phrases import N_

KINDS: Mapping[ChartKind, str] = {
    "histogram": N_("Histogram: how many values lie where"),
    "boxes": N_("Boxes: quartiles and whiskers side by side"),
    "bars": N_("Bars: one statistic side by side"),
    "line": N_("Line: one statistic over time"),
}
KIND_NAMES: Mapping[ChartKind, str] = {
    "histogram": N_("Histogram"),
    "boxes": N_("Boxes"),
    "bars": N_("Bars"),
    "line": N_("Line chart"),
}
GROUPS: Mapping[By, str] = {
    "month": N_("by month"),
    "quarter": N_("by quarter"),
    "device": N_("by device"),
    "age": N_("by age"),
    "weight": N_("by weight"),
    "name": N_("by name"),
}
STATISTICS: Mapping[Statistic, str] = {
    "median": N_("Median"),
    "mean": N_("Mean"),
    "p75": N_("75th percentile"),
    "p95": N_("95th percentile"),
    "maximum": N_("Greatest"),
    "n": N_("How many values"),
}
LEVELS: Mapping[Level, str] = {"exam": N_("Exams"), "event": N_("Irradiation events")}
PERIODS: Mapping[Period, str] = {
    "today": N_("today"),
    "last_7_days": N_("the last 7 days"),
    "last_30_days": N_("the last 30 days"),
    "this_month": N_("this month"),
    "last_month": N_("last month"),
    "this_year": N_("this year"),
    "last_year": N_("last year"),
}
