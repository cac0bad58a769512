"""What the archive's space is taken by, how it grows, where that leads, and what policies freed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from flask import Response

from treegarth.access.actors import Permission
from treegarth.errors import ConditionRefused
from treegarth.features.retention import service
from treegarth.features.retention.deletion import numbered_policy
from treegarth.features.retention.model import Space
from treegarth.features.retention.service import PolicyLanguage, SpaceFigures
from treegarth.features.retention.store.forecast import Month
from treegarth.features.retention.store.policies import POLICIES, StoredPolicy
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.formats import unit_of_sizes
from treegarth.web.routes import Parameters, Route
from treegarth.web.templates import render_page

FORECASTS = (30, 90, 365)  # days
LARGEST_FORECAST_DAYS = 36_500


class StorageQuery(Parameters):
    """How growth is shown."""

    growth: Literal["chart", "table"] = "chart"
    """As chart or as table."""


@dataclass(frozen=True, kw_only=True)
class ShownMonth:
    """A month, in the chart's unit."""

    month: Month
    received: float
    freed: float


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A policy by space, and when the archive reaches its high mark; None: not as it grows now."""

    policy_id: int
    policy: str
    is_on: bool
    space: Space
    reached_at: datetime | None


def routes() -> list[Route]:
    return [
        route(
            name="retention.storage_page",
            path="/treegarth/retention/storage",
            permission=Permission.SEE_SYSTEM,
            handler=storage_page,
            summary="Space by modality and source, growth and forecast, what policies freed.",
        )
    ]


def storage_page(call: Call[StorageQuery, None, None]) -> Response:
    language = call.part(PolicyLanguage)
    now, disks = call.services.clock(), call.services.host.figures().disks
    with call.connect() as connection:
        figures = service.space_figures(connection, now, zone=call.services.zone, disks=disks)
        marks = _thresholds(language, POLICIES.all(connection), figures, now)
    scale, unit = unit_of_sizes(max((max(one.received_bytes, one.freed_bytes) for one in figures.months), default=0))
    months = [
        ShownMonth(month=one, received=round(one.received_bytes / scale, 3), freed=round(one.freed_bytes / scale, 3))
        for one in reversed(figures.months)
    ]
    return render_page(
        call,
        "retention/storage.html",
        figures=figures,
        instance_count=sum(one.instance_count for one in figures.shares),
        largest=max((one.size_bytes for one in figures.shares), default=0),
        months=months,
        unit=unit,
        as_table=call.query.growth == "table",
        forecasts=[(days, max(0, figures.archive_bytes + figures.bytes_per_day * days)) for days in FORECASTS],
        thresholds=marks,
        freed_bytes=sum(one.size_bytes for one in figures.freed),
        disks=disks,
    )


def _thresholds(
    language: PolicyLanguage, stored: Sequence[StoredPolicy], figures: SpaceFigures, now: datetime
) -> list[Threshold]:
    found = []
    for one in stored:
        try:
            space = numbered_policy(one, language.vocabulary()).policy.space
        except ConditionRefused:  # its own page says what is wrong with it
            continue
        if space is not None:
            at = reached_at(space.high_bytes, figures, now)
            found.append(Threshold(policy_id=one.id, policy=one.name, is_on=one.is_on, space=space, reached_at=at))
    return found


def reached_at(size_bytes: int, figures: SpaceFigures, now: datetime) -> datetime | None:
    """When the archive has so many bytes if it goes on growing as in the last 90 days."""
    if figures.archive_bytes >= size_bytes:
        return now
    if figures.bytes_per_day <= 0:
        return None
    days = (size_bytes - figures.archive_bytes) / figures.bytes_per_day
    return now + timedelta(days=days) if days < LARGEST_FORECAST_DAYS else None
