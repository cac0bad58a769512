"""What a comparison is asked for, in an address of a page or of the API: set, days, modality, name, outcome."""

from __future__ import annotations

from datetime import date
from typing import get_args

from pydantic import Field
from sqlalchemy import Connection

from treegarth.features.dose.analysis.levels.comparison import Comparison, Period, Verdict, compare
from treegarth.features.dose.analysis.levels.documents import SET_DOCUMENTS
from treegarth.features.dose.analysis.levels.holding import HeldLevel, in_order, levels_of, levels_on
from treegarth.features.dose.analysis.levels.sets import SETS, kept
from treegarth.folding import fold
from treegarth.web.call import AnyCall
from treegarth.web.lists import Day, LastDay
from treegarth.web.routes import Identifier, Parameters, Text

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class ComparisonAsked(Parameters):
    """Which levels, and by which exams."""

    level_set: Identifier | None = None
    """The levels of this set, whether it holds or not; without, those that hold on the last day, none superseded."""
    study_date_from: Day | None = None
    """The first day of the exams; without, a year before the last."""
    study_date_to: LastDay = None
    """The last day of the exams, included; without, today."""
    modality: Text | None = None
    """Levels of this modality only."""
    standard_name: Text | None = None
    """Levels of this standard name only."""
    verdict: Verdict | None = None
    """Comparisons of this outcome only."""
    by_device: bool = True
    """Whether each device is compared too, beside the whole site."""
    with_doubted: bool = Field(default=False)
    """Whether exams count whose dose is doubted."""


def period_of(call: AnyCall, asked: ComparisonAsked) -> Period:
    """The days that are meant: the last twelve months, if nothing else is asked for."""
    services = call.services
    end = asked.study_date_to or services.clock().astimezone(services.zone).date()
    begin = asked.study_date_from or year_before(end)
    return Period(begin=begin, end=end, with_doubted=asked.with_doubted)


def year_before(day: date) -> date:
    """The first day of the twelve months that end with this one."""
    try:
        before = day.replace(year=day.year - 1)
    except ValueError:  # the 29th of February, or the first year of the calendar
        before = date(max(day.year - 1, 1), day.month, min(day.day, 28))
    return date.fromordinal(before.toordinal() + 1)


def compared(call: AnyCall, connection: Connection, asked: ComparisonAsked) -> list[Comparison]:
    """What is asked for, in the order in which people look for it. Raises NotFound where there is no such set."""
    period = period_of(call, asked)
    found = compare(connection, _levels(call, connection, asked, period), period, by_device=asked.by_device)
    return [one for one in found if asked.verdict in (None, one.verdict)]


def _levels(call: AnyCall, connection: Connection, asked: ComparisonAsked, period: Period) -> list[HeldLevel]:
    sets = [kept(one) for one in SETS.all(connection)]
    if asked.level_set is not None:
        one = kept(SET_DOCUMENTS.read(call, connection, asked.level_set, removed=True))
        levels = levels_of(one, sets, period.end)
    else:
        levels = [held for held in levels_on(sets, period.end) if held.superseded_by is None]
    return [
        held
        for held in in_order(levels)
        if asked.modality in (None, "", held.row.modality)
        and (not asked.standard_name or fold(asked.standard_name) == fold(held.row.standard_name))
    ]
