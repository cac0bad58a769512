"""The pages about the system itself: its state and its tasks, and help. A failed task can be tried again here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flask import Response

import treegarth
from treegarth.access.actors import Permission
from treegarth.errors import DatabaseUnavailable
from treegarth.feature import House
from treegarth.features.system.model import Task, TaskCounts, TaskState
from treegarth.features.system.paths import TaskPath
from treegarth.features.system.queue import TASKS
from treegarth.features.system.samples import Point, Span, read_points
from treegarth.features.system.storage import DatabaseFacts, database_facts
from treegarth.features.system.store import count_tasks, retry_task, select_tasks
from treegarth.features.system.usage import SPAN_NAMES, charts_of
from treegarth.features.system.versions import versions_of_orthanc
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Navigation, Parameters, Route
from treegarth.web.services import HostStatus
from treegarth.web.templates import render_page
from treegarth.web.told import see_other

WORST_FIRST = ("problem", "warning", "ok")


class SystemQuery(Parameters):
    """What is shown of the use of disk and memory, and how."""

    span: Span = "day"
    """How far back."""
    usage: Literal["chart", "table"] = "chart"
    """As charts or as tables."""


class Origin(Parameters):
    origin: Literal["system", "tasks"] = "system"
    """The page whose button was pressed, to which the answer leads back."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """What the database says; all None while it does not answer."""

    counts: TaskCounts | None = None
    failed: Sequence[Task] = ()
    database: DatabaseFacts | None = None
    points: Sequence[Point] = ()


def routes() -> list[Route]:
    """The pages."""
    return [
        route(
            name="system.system_page",
            path="/treegarth/system",
            permission=Permission.SEE_SYSTEM,
            handler=system_page,
            summary="Queues, tasks, database, versions and known traps; what failed can be tried again.",
            navigation=Navigation(label=N_("System"), icon="system", order=40, key="y"),
        ),
        route(
            name="system.retry_task",
            path="/treegarth/system/tasks/{task_id}/retry",
            method="POST",
            permission=Permission.OPERATE,
            handler=retry,
            summary="Put a failed task back into the queue.",
        ),
        route(
            name="system.help_page",
            path="/treegarth/help",
            permission=Permission.SIGNED_IN,
            handler=help_page,
            summary="Keys, searching, links and numbers.",
        ),
    ]


def help_page(call: Call[None, None, None]) -> Response:
    return render_page(call, "system/help.html", version=treegarth.__version__)


def system_page(call: Call[SystemQuery, None, None]) -> Response:
    """With the findings and sections of all features."""
    house = call.part(House)
    status = call.services.host.figures()
    queue = _queue(call, call.query.span)
    return render_page(
        call,
        "system/system.html",
        problems=[check for finding in house.checks() for check in finding(call) if check.needs_attention],
        busy=_is_busy(status, queue),
        host=status,
        counts=queue.counts,
        database=queue.database,
        has_own_database=call.services.settings.database is not None,
        versions=sorted({**status.versions, **versions_of_orthanc(call.services.orthanc)}.items()),
        failed_tasks=queue.failed,
        charts=charts_of(queue.points, call.query.span, call.services.zone),
        spans=SPAN_NAMES,
        span=call.query.span,
        as_table=call.query.usage == "table",
        self_check=sorted(status.self_check, key=lambda check: WORST_FIRST.index(check.state)),
        sections=[make(call) for make in house.system_sections()],
    )


def _is_busy(status: HostStatus, queue: Queue) -> bool:
    """Whether the next look will see other figures."""
    counts = queue.counts
    return status.pending > 0 or status.database_state != "up" or counts is None or counts.todo + counts.doing > 0


def retry(call: Call[None, Origin, TaskPath]) -> Response:
    """Back to the page of the button afterwards, by GET."""
    with call.begin() as connection:
        retry_task(connection, call.path.task_id)
    if call.body.origin == "tasks":
        return see_other(call, call.site.url("system.tasks_page"))
    return _back(call)


def _back(call: AnyCall) -> Response:
    return see_other(call, call.site.url("system.system_page"))


def _queue(call: AnyCall, span: Span) -> Queue:
    try:
        with call.connect() as connection:
            return Queue(
                counts=count_tasks(connection),
                failed=TASKS.rows(connection, select_tasks(state=TaskState.FAILED)).items,
                database=database_facts(connection),
                points=read_points(connection, span, call.services.clock()),
            )
    except DatabaseUnavailable:
        return Queue()
