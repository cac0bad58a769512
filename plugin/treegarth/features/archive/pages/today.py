"""The page of today: what arrived, by day and modality, the latest studies, and whether everything is well."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from io import StringIO
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Response

from treegarth.access.actors import Permission
from treegarth.errors import DatabaseUnavailable, OrthancRefused, OrthancUnavailable
from treegarth.feature import House
from treegarth.features.archive.store.overview import DayArrivals, arrivals_by_day, is_empty
from treegarth.features.archive.store.search import latest_studies
from treegarth.index.studies import told_apart
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.export import BYTE_ORDER_MARK
from treegarth.web.routes import Navigation, Parameters, Route
from treegarth.web.templates import render_page

DAYS_SHOWN = 30
LATEST = 12

# A study of several modalities counts once, for the first of these that it has; PET and NM say more than their CT.
GROUPS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("PT", ("PT", "NM"), "--c3"),
    ("CT", ("CT",), "--c1"),
    ("MR", ("MR",), "--c2"),
    ("XA", ("XA", "RF"), "--c6"),
    ("MG", ("MG",), "--c4"),
    ("DX", ("DX", "CR"), "--c5"),
    ("US", ("US", "IVUS"), "--c8"),
)
OTHER = "OT"
LABELS = {"PT": "PT, NM", "XA": "XA, RF", "DX": "DX, CR", OTHER: N_("Other")}


class TodayQuery(Parameters):
    """What the page of today can be asked for."""

    arrivals: Literal["chart", "table"] = "chart"
    """How the arrivals of the last 30 days are shown."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group of modalities, how it is named and drawn, and how many studies it has."""

    key: str
    label: str
    colour: str
    studies: int = 0


@dataclass(frozen=True, kw_only=True)
class Period:
    label: str
    studies: int
    instances: int
    groups: list[Group]


@dataclass(frozen=True, kw_only=True)
class Day:
    day: date
    studies: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.studies.values())


@dataclass(frozen=True, kw_only=True)
class Node:
    """How a modality reaches this server."""

    ae_title: str
    host: str
    port: int


def routes() -> list[Route]:
    return [
        route(
            name="archive.today_page",
            path="/treegarth/",
            permission=Permission.SEE_STUDIES,
            handler=today_page,
            summary="What arrived today and lately, and whether everything is well.",
            navigation=Navigation(label=N_("Today"), icon="today", order=10, key="t"),
        ),
        route(
            name="archive.arrivals_csv",
            path="/treegarth/arrivals.csv",
            permission=Permission.SEE_STUDIES,
            handler=arrivals_csv,
            summary="The studies that arrived on each of the last 30 days, by modality, as CSV.",
            media_type="text/csv",
        ),
    ]


def today_page(call: Call[TodayQuery, None, None]) -> Response:
    services = call.services
    found = [check for finding in call.part(House).checks() for check in finding(call)]
    values: dict[str, Any] = {
        "as_table": call.query.arrivals == "table",
        "checks": found,
        "unavailable": False,
        "empty": False,
    }
    try:
        with call.connect() as connection:
            if is_empty(connection):
                return render_page(call, "archive/home.html", **{**values, "empty": True, "node": _node(call)})
            arrivals = arrivals_by_day(connection, first_moment(services.clock(), services.zone), services.zone)
            latest = latest_studies(connection, LATEST)
            which = told_apart(connection, latest)
    except DatabaseUnavailable:
        return render_page(call, "archive/home.html", status=503, **{**values, "unavailable": True, "empty": True})
    today = services.clock().astimezone(services.zone).date()
    return render_page(
        call,
        "archive/home.html",
        **values,
        periods=_periods(arrivals, today),
        groups=_groups(arrivals),
        days=days_of(arrivals, today),
        latest=latest,
        which=which,
    )


def arrivals_csv(call: Call[None, None, None]) -> Response:
    services = call.services
    with call.connect() as connection:
        arrivals = arrivals_by_day(connection, first_moment(services.clock(), services.zone), services.zone)
    groups = _groups(arrivals)
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(["day", *(group.label for group in groups), "all"])
    for day in days_of(arrivals, services.clock().astimezone(services.zone).date()):
        writer.writerow([day.day.isoformat(), *(day.studies.get(group.key, 0) for group in groups), day.total])
    headers = {"Content-Disposition": 'attachment; filename="arrivals.csv"'}
    return Response(f"{BYTE_ORDER_MARK}{file.getvalue()}", mimetype="text/csv", headers=headers)


def first_moment(now: datetime, zone: ZoneInfo) -> datetime:
    """The midnight with which the days shown begin."""
    first = now.astimezone(zone).date() - timedelta(days=DAYS_SHOWN - 1)
    return datetime.combine(first, time(), tzinfo=zone)


def group_of(modalities: Iterable[str]) -> str:
    """The group that a study of these modalities counts for."""
    present = set(modalities)
    return next((key for key, members, _ in GROUPS if present.intersection(members)), OTHER)


def days_of(arrivals: Sequence[DayArrivals], today: date) -> list[Day]:
    """Each of the days shown, the latest first, days without an arrival too."""
    counts: dict[date, Counter[str]] = {}
    for arrived in arrivals:
        counts.setdefault(arrived.day, Counter())[group_of(arrived.modalities)] += arrived.study_count
    shown = (today - timedelta(days=back) for back in range(DAYS_SHOWN))
    return [Day(day=day, studies=dict(counts.get(day, {}))) for day in shown]


def _groups(arrivals: Sequence[DayArrivals]) -> list[Group]:
    counts: Counter[str] = Counter()
    for arrived in arrivals:
        counts[group_of(arrived.modalities)] += arrived.study_count
    colours = {**{key: colour for key, _, colour in GROUPS}, OTHER: "--c7"}
    return [
        Group(key=key, label=LABELS.get(key, key), colour=colour, studies=counts[key])
        for key, colour in colours.items()
        if counts[key]
    ]


def _periods(arrivals: Sequence[DayArrivals], today: date) -> list[Period]:
    labels = ((0, N_("Today")), (6, N_("Last 7 days")), (DAYS_SHOWN - 1, N_("Last 30 days")))
    periods = []
    for back, label in labels:
        within = [arrived for arrived in arrivals if arrived.day >= today - timedelta(days=back)]
        periods.append(
            Period(
                label=label,
                studies=sum(arrived.study_count for arrived in within),
                instances=sum(arrived.instance_count for arrived in within),
                groups=_groups(within),
            )
        )
    return periods


def _node(call: AnyCall) -> Node:
    host = urlsplit(f"//{call.http.host}").hostname or "localhost"
    try:
        system = call.services.orthanc.get("/system", timeout_s=2)
    except (OrthancUnavailable, OrthancRefused):
        system = {}
    return Node(ae_title=system.get("DicomAet", "TREEGARTH"), host=host, port=system.get("DicomPort", 4242))
