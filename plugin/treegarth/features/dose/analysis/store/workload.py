"""When exams are made, by weekday and hour. Queries only."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, Integer, cast, extract, func, select

from treegarth.features.dose.analysis.figures import EXAM_COUNT
from treegarth.features.dose.analysis.store.rows import select_rows
from treegarth.features.dose.analysis.wanted import Wanted
from treegarth.record import Record


class HourOfWeek(Record):
    """Exams that began within an hour of a weekday."""

    weekday: int
    """1 is Monday, 7 Sunday (ISO 8601)."""
    hour: int
    count: int


def workload(connection: Connection, wanted: Wanted) -> list[HourOfWeek]:
    """Each hour with exams of the same name, days, device and bands, whatever dose they have; no event has an hour."""
    if wanted.level == "event":
        return []
    rows = select_rows(replace(wanted, quantity=EXAM_COUNT, phantom=None))
    day = cast(extract("isodow", rows.c.study_date), Integer)
    found = (
        select(day.label("weekday"), rows.c.study_hour.label("hour"), func.count().label("count"))
        .where(rows.c.study_date.is_not(None), rows.c.study_hour.is_not(None))
        .group_by("weekday", "hour")
        .order_by("weekday", "hour")
    )
    return [HourOfWeek.model_validate(row._asdict()) for row in connection.execute(found)]
