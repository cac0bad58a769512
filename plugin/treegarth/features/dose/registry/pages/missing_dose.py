"""What is missing: studies of dose modalities without any dose, per device and over time. Reads only."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Literal

from flask import Response
from pydantic import model_validator

from treegarth.features.dose.registry.export import csv_text
from treegarth.features.dose.registry.store.missing_dose import (
    DOSE_MODALITIES,
    MonthOfDevice,
    count_missing_by_month,
    list_without_dose,
)
from treegarth.features.dose.registry.store.studies import told_apart_with_kept
from treegarth.web.actors import Permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.lists import Cursor, Day, check_days_in_order
from treegarth.web.parts import ngettext_for
from treegarth.web.routes import Parameters, Route
from treegarth.web.templates import render_page

MONTHS_SHOWN = 12
STUDIES_ON_A_PAGE = 50
DEVICE = ("manufacturer", "manufacturer_model_name", "station_name", "device_serial_number")
CSV_COLUMNS = (*DEVICE, "month", "study_count", "without_dose_count")


class MissingQuery(Parameters):
    """Which days, and how they are shown."""

    study_date_from: Day | None = None
    """The first day of the studies listed."""
    study_date_to: Day | None = None
    """The last day of the studies listed."""
    months: Literal["chart", "table"] = "chart"
    """How the months are shown."""
    cursor: Cursor | None = None
    """Where the page begins, from the link to the next page."""

    @model_validator(mode="after")
    def _is_in_order(self) -> MissingQuery:
        check_days_in_order(self.study_date_from, self.study_date_to)
        return self


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Studies of dose modalities, and how many of them have no dose."""

    studies: int = 0
    without: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(studies=self.studies + other.studies, without=self.without + other.without)

    @property
    def with_dose(self) -> int:
        return self.studies - self.without

    @property
    def percent(self) -> float | None:
        return 100 * self.without / self.studies if self.studies else None


@dataclass(frozen=True, kw_only=True)
class DeviceCounts:
    """A device: what it is, where it stands (station and serial number), and what of it is missing."""

    name: str
    place: str
    counts: Counts


def routes() -> list[Route]:
    return [
        route(
            name="dose.missing_page",
            path="/treegarth/dose/missing",
            permission=Permission.VIEW,
            handler=missing_page,
            summary="Studies of dose modalities without any dose, per device and month.",
        ),
        route(
            name="dose.missing_csv",
            path="/treegarth/dose/missing.csv",
            permission=Permission.VIEW,
            handler=missing_csv,
            summary="How many studies have no dose, per device and month, as CSV.",
            media_type="text/csv",
        ),
    ]


def missing_page(call: Call[MissingQuery, None, None]) -> Response:
    query = call.query
    with call.connect() as connection:
        months = count_missing_by_month(connection, study_date_from=first_month(today(call)))
        page = list_without_dose(
            connection,
            study_date_from=query.study_date_from,
            study_date_to=query.study_date_to,
            limit=STUDIES_ON_A_PAGE,
            cursor=query.cursor,
        )
        which = told_apart_with_kept(connection, page.studies)
    every = sum((_counts(month) for month in months), Counts())
    return render_page(
        call,
        "dose_missing.html",
        months=by_month(months, today(call)),
        devices=by_device(months),
        every=every,
        as_table=query.months == "table",
        studies=page.studies,
        which=which,
        next_cursor=page.next,
        filtered=bool(query.study_date_from or query.study_date_to),
        modalities_of_dose=", ".join(DOSE_MODALITIES),
        counted=ngettext_for(call, "%(num)s study without dose", "%(num)s studies without dose", every.without),
    )


def missing_csv(call: Call[None, None, None]) -> Response:
    with call.connect() as connection:
        months = count_missing_by_month(connection)
    headers = {"Content-Disposition": 'attachment; filename="missing.csv"'}
    return Response("".join(_csv_lines(months)), mimetype="text/csv", headers=headers)


def today(call: AnyCall) -> date:
    """The day in the site's zone."""
    services = call.services
    return services.clock().astimezone(services.zone).date()


def first_month(day: date) -> date:
    """The first day of the first month shown: a year up to this month."""
    return _months_back(day, MONTHS_SHOWN - 1)


def by_month(found: Sequence[MonthOfDevice], day: date) -> list[tuple[date, Counts]]:
    """Each of the months shown, the latest first, months without a study too."""
    counts: dict[date | None, Counts] = {}
    for month in found:
        counts[month.month] = counts.get(month.month, Counts()) + _counts(month)
    shown = [_months_back(day, back) for back in range(MONTHS_SHOWN)]
    return [(month, counts.get(month, Counts())) for month in shown]


def by_device(found: Sequence[MonthOfDevice]) -> list[DeviceCounts]:
    """The devices, those that lack the most first."""
    counts: dict[tuple[str, str], Counts] = {}
    for month in found:
        key = (
            _joined(month.manufacturer, month.manufacturer_model_name),
            _joined(month.station_name, month.device_serial_number),
        )
        counts[key] = counts.get(key, Counts()) + _counts(month)
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1].without, -entry[1].studies, entry[0]))
    return [DeviceCounts(name=name, place=place, counts=counted) for (name, place), counted in ordered]


def _joined(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)


def _counts(month: MonthOfDevice) -> Counts:
    return Counts(studies=month.study_count, without=month.without_dose_count)


def _months_back(day: date, back: int) -> date:
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _csv_lines(months: Sequence[MonthOfDevice]) -> Iterator[str]:
    yield ",".join(CSV_COLUMNS) + "\r\n"
    for month in months:
        file = StringIO()
        csv.writer(file).writerow([csv_text(getattr(month, name)) for name in CSV_COLUMNS])
        yield file.getvalue()
