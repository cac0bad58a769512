"""The page of one name, or of a modality: how its doses lie, over time, by scanner and band, and what sticks out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask import Response
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.features.dose.analysis.asked import Chosen, FiguresAsked, choose
from treegarth.features.dose.analysis.figures import OF_LEVEL, PHANTOM_NAMES, SIZES, By, Size
from treegarth.features.dose.analysis.pages.files import TABLES_OF_NAME
from treegarth.features.dose.analysis.store.columns import read_values
from treegarth.features.dose.analysis.store.groups import figures
from treegarth.features.dose.analysis.store.percentiles import LEAST_EXAMS
from treegarth.features.dose.analysis.store.shape import Point, Scale, greatest, histogram, points
from treegarth.features.dose.analysis.store.workload import HourOfWeek, workload
from treegarth.features.dose.analysis.workbook.asked import WorkbookAsked
from treegarth.features.dose.analysis.workbook.service import offer
from treegarth.features.dose.registry.pages.addresses import dose_page_of
from treegarth.features.dose.registry.store.device_names import shown_devices
from treegarth.features.dose.registry.store.studies import told_apart_with_kept
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.export import FORMAT_WORDS, FORMATS
from treegarth.web.routes import Route
from treegarth.web.templates import render_page, url_with

WEEKDAYS = (N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"))


class NamePageAsked(FiguresAsked):
    """Which values, and how they are shown."""

    every: Literal["month", "quarter"] = "month"
    """By what time they are put together."""
    scale: Scale = "linear"
    """Of the histogram, and of the doses against sizes."""
    size: Size = "weight"
    """Against which doses are drawn."""
    as_table: Literal["histogram", "time", "points", "workload"] | None = None
    """Which chart is a table instead."""


@dataclass(frozen=True, kw_only=True)
class ShownPoint:
    """A value that leads to its exam."""

    point: Point
    device: str | None
    url: str


def routes() -> list[Route]:
    return [
        route(
            name="dose.analysis_name_page",
            path="/treegarth/dose/analysis/name",
            permission=Permission.SEE_DOSE,
            handler=page,
            summary="Doses of one name or modality: distribution, over time, by scanner, age, weight, size and hour.",
        )
    ]


def page(call: Call[NamePageAsked, None, None]) -> Response:
    query = call.query
    with call.connect() as connection:
        chosen = choose(connection, query)
        wanted = chosen.wanted
        is_one_name = (wanted.exam_name_id, wanted.protocol_name_id) != (None, None)
        grouped: list[By] = [query.every, "device", "age", "weight", *(() if is_one_name else ("name",))]
        values = read_values(connection, wanted, (*grouped, query.size))
        groups = {by: figures(connection, values, by) for by in grouped}
        found, every = points(connection, values, query.size)
        shown: dict[str, Any] = {
            "whole": values.distribution(),
            "least_marked": LEAST_EXAMS,
            "bins": histogram(values, chosen.quantity.factor, query.scale),
            "times": list(reversed(groups[query.every])),
            "devices": groups["device"],
            "bands": [(by, groups[by]) for by in ("age", "weight")],
            "names": groups.get("name", []),
            "points": _shown_points(call, connection, found),
            "points_of": every,
            "greatest": _shown_points(call, connection, greatest(connection, values)),
            "hours": _by_weekday(workload(connection, wanted)),
            "book": offer(connection, _workbook(query, wanted.modality)),
        }
    return render_page(
        call,
        "dose/analysis_name.html",
        chosen=chosen,
        wanted=wanted,
        quantity=chosen.quantity,
        quantities=_choices(call, chosen),
        phantom_names=PHANTOM_NAMES,
        size=SIZES[query.size],
        sizes=SIZES,
        weekdays=WEEKDAYS,
        files=_files(call),
        **shown,
    )


def _workbook(query: FiguresAsked, modality: str | None) -> WorkbookAsked:
    """Of the same exams; of one name it has every quantity of each."""
    same = {name: getattr(query, name) for name in WorkbookAsked.model_fields}
    return WorkbookAsked(**{**same, "modality": modality})


def _choices(call: AnyCall, chosen: Chosen) -> list[tuple[str, str, int, str, bool]]:
    """Each quantity that there is: its label, its phantom's, how many values, its address, whether it is shown."""
    shown = []
    for one in chosen.choices:
        is_on = (one.quantity, one.phantom) == (chosen.wanted.quantity, chosen.wanted.phantom)
        url = url_with(call, quantity=one.quantity, phantom=one.phantom)
        phantom = PHANTOM_NAMES[one.phantom] if one.phantom else ""
        shown.append((OF_LEVEL[chosen.wanted.level][one.quantity].label, phantom, one.count, url, is_on))
    return shown


def _shown_points(call: AnyCall, connection: Connection, found: Sequence[Point]) -> list[ShownPoint]:
    which = told_apart_with_kept(connection, found)
    devices = shown_devices(connection, {one.device_key for one in found if one.device_key})
    return [
        ShownPoint(
            point=one,
            device=devices.get(one.device_key or ""),
            url=dose_page_of(call, one.study_instance_uid, which(one)),
        )
        for one in found
    ]


def _by_weekday(hours: Sequence[HourOfWeek]) -> Mapping[int, Mapping[int, int]]:
    """How many exams there are by hour, of each weekday."""
    found: dict[int, dict[int, int]] = {}
    for one in hours:
        found.setdefault(one.weekday, {})[one.hour] = one.count
    return found


def _files(call: AnyCall) -> Mapping[str, list[tuple[str, str]]]:
    """The addresses of the files of each table: what they are called, and where they are."""
    asked: dict[str, Any] = {name: value for name, value in call.http.args.items() if name in _KEPT and value}
    return {
        table: [
            (
                FORMAT_WORDS[wanted],
                call.site.url("dose.analysis_file", table=table, format=wanted, **asked),
            )
            for wanted in FORMATS
        ]
        for table in TABLES_OF_NAME
    }


_KEPT = {*FiguresAsked.model_fields, "scale", "size"}
