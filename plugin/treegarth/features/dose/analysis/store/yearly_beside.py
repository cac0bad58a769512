"""What the yearly report has beside its own figures: reference levels, and alerts of dose. Queries only."""

from __future__ import annotations

from collections import Counter
from datetime import date

from sqlalchemy import Connection, func, select

from treegarth.features.dose.alerts.store.alerts import STATE
from treegarth.features.dose.alerts.tables import dose_alert, dose_alert_level
from treegarth.features.dose.analysis.levels.comparison import Period, compare
from treegarth.features.dose.analysis.levels.holding import in_order, levels_on
from treegarth.features.dose.analysis.levels.sets import SETS, kept
from treegarth.features.dose.analysis.yearly.model import MOST_NAMES, AlertsOfLevel, LevelsOfYear


def levels_of_year(connection: Connection, first: date, last: date, today: date) -> LevelsOfYear:
    """The medians of these days beside the levels that hold on the last of them, or today where that comes first."""
    held_on = min(last, today)
    sets = [kept(one) for one in SETS.all(connection, only_on=True)]
    levels = in_order(held for held in levels_on(sets, held_on) if held.superseded_by is None)
    found = compare(connection, levels, Period(begin=first, end=last))
    counted = Counter(one.verdict for one in found if one.is_whole_site)
    items = [one for one in found if (one.n if one.is_whole_site else one.verdict == "above")]
    return LevelsOfYear(
        held_on=held_on,
        level_count=counted.total(),
        above_count=counted["above"],
        straddles_count=counted["straddles"],
        below_count=counted["below"],
        too_few_count=counted["too_few"],
        no_exams_count=counted["no_exams"],
        no_standard_name_count=counted["no_standard_name"],
        items=items[:MOST_NAMES],
        more=max(0, len(items) - MOST_NAMES),
    )


def alerts_of_year(connection: Connection, first: date, last: date) -> list[AlertsOfLevel]:
    """By the day of the exam that made each; an exam without a day is of no year."""
    level = dose_alert_level.c
    counts = {state: func.count().filter(STATE.in_([state])) for state in ("open", "acknowledged", "ended")}
    every = func.count()
    query = (
        select(
            level.name.label("level_name"),
            level.kind,
            every.label("alert_count"),
            *(count.label(f"{state}_count") for state, count in counts.items()),
        )
        .join_from(dose_alert, dose_alert_level, level.id == dose_alert.c.level_id)
        .where(dose_alert.c.exam_date.between(first, last))
        .group_by(level.id, level.name, level.kind)
        .order_by(every.desc(), level.name, level.id)
    )
    return [AlertsOfLevel.model_validate(row._asdict()) for row in connection.execute(query)]
