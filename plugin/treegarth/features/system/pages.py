"""The pages about the system itself: its state and its tasks, and help. A failed task can be tried again here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from flask import Response

import treegarth
from treegarth.errors import DatabaseUnavailable
from treegarth.feature import House
from treegarth.features.system.model import Task, TaskCounts, TaskState
from treegarth.features.system.paths import TaskPath
from treegarth.features.system.queue import TASKS
from treegarth.features.system.storage import DatabaseFacts, database_facts
from treegarth.features.system.store import count_tasks, retry_task, select_tasks
from treegarth.features.system.versions import versions_of_orthanc
from treegarth.phrases import N_
from treegarth.web.actors import Permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.parts import Check, State, ngettext_for, translated
from treegarth.web.routes import Navigation, Parameters, Route
from treegarth.web.services import HostStatus
from treegarth.web.templates import render_page
from treegarth.web.told import see_other

WORDS_OF_CHECKS: dict[str, tuple[State, str]] = {
    "ok": ("ok", N_("ok")),
    "warning": ("attention", N_("look at this")),
    "problem": ("failed", N_("stands in it")),
}


class Origin(Parameters):
    origin: Literal["system", "tasks"] = "system"
    """The page whose button was pressed, to which the answer leads back."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A figure with its name; a moment is shown relative to now, a kind as a state."""

    name: str
    value: str = ""
    kind: State | None = None
    moment: datetime | None = None
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Box:
    title: str
    rows: list[Row]


@dataclass(frozen=True, kw_only=True)
class Queue:
    """What the database says; all None while it does not answer."""

    counts: TaskCounts | None = None
    failed: Sequence[Task] = ()
    database: DatabaseFacts | None = None


def routes() -> list[Route]:
    """The pages."""
    return [
        route(
            name="system.system_page",
            path="/treegarth/system",
            permission=Permission.VIEW,
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
            name="system.compare",
            path="/treegarth/system/compare",
            method="POST",
            permission=Permission.OPERATE,
            handler=compare,
            summary="Compare the index with Orthanc now.",
        ),
        route(
            name="system.help_page",
            path="/treegarth/help",
            permission=Permission.VIEW,
            handler=help_page,
            summary="Keys, searching, links and numbers.",
        ),
    ]


def help_page(call: Call[None, None, None]) -> Response:
    return render_page(call, "system/help.html", version=treegarth.__version__)


def system_page(call: Call[None, None, None]) -> Response:
    """With the findings and sections of all features."""
    house = call.part(House)
    status = call.services.host.figures()
    queue = _queue(call)
    problems = [check for finding in house.checks() for check in finding(call) if check.needs_attention]
    if queue.counts and queue.counts.failed:
        problems.append(_failed_check(call, queue.counts.failed))
    summary = ngettext_for(call, "%(num)s thing needs attention", "%(num)s things need attention", len(problems))
    return render_page(
        call,
        "system/system.html",
        problems=problems,
        summary=summary,
        busy=_is_busy(status, queue),
        boxes=[
            _ingest(call, status),
            _tasks(call, status, queue),
            _database(call, status, queue),
            _versions(call, status),
        ],
        failed_tasks=queue.failed,
        self_check=_self_check(call, status),
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


def compare(call: Call[None, None, None]) -> Response:
    call.services.host.request_reconcile()
    return _back(call)


def _back(call: AnyCall) -> Response:
    return see_other(call, call.site.url("system.system_page"))


def _queue(call: AnyCall) -> Queue:
    try:
        with call.connect() as connection:
            return Queue(
                counts=count_tasks(connection),
                failed=TASKS.rows(connection, select_tasks(state=TaskState.FAILED)).items,
                database=database_facts(connection),
            )
    except DatabaseUnavailable:
        return Queue()


def _failed_check(call: AnyCall, failed: int) -> Check:
    name = ngettext_for(call, "%(num)s task failed", "%(num)s tasks failed", failed)
    return Check(
        kind="attention",
        name=name,
        words=translated(call, N_("Look at the reason in the log, then try it again below.")),
    )


def _filter(call: AnyCall, name: str, value: Any) -> str:
    return str(call.site.environments[call.language].filters[name](value))


def _ingest(call: AnyCall, status: HostStatus) -> Box:
    def words(message: str) -> str:
        return translated(call, message)

    def number(value: float | None) -> str:
        return _filter(call, "number", value)

    def milliseconds(value: float | None) -> str:
        return "–" if value is None else f"{_filter(call, 'significant', value)} ms"

    def seconds(value: float | None) -> str:
        return "–" if value is None else f"{_filter(call, 'significant', value)} s"

    queued = f"{number(status.queue_length)} ({_filter(call, 'size', status.queue_bytes)})"
    return Box(
        title=words(N_("Arrival")),
        rows=[
            Row(name=words(N_("Stored, not yet in the index")), value=number(status.pending)),
            Row(name=words(N_("Queue to the indexer")), value=queued),
            Row(name=words(N_("Indexed since the start")), value=number(status.acknowledged)),
            Row(
                name=words(N_("Headers read from Orthanc instead")),
                value=number(status.dropped_headers),
                hint=words(N_("The queue was full and kept only identifiers; nothing is lost.")),
            ),
            Row(
                name=words(N_("Refused since the start: nested too deep")),
                value=number(status.refused_nested),
                hint=words(N_("Orthanc would end when somebody looks at such an object; the sender was told.")),
            ),
            Row(name=words(N_("From stored to searchable, median")), value=seconds(status.lag_median_s)),
            Row(name=words(N_("From stored to searchable, 99 of 100")), value=seconds(status.lag_p99_s)),
            Row(name=words(N_("Time added to a store, median")), value=milliseconds(status.callback_median_ms)),
            Row(name=words(N_("Time added to a store, 99 of 100")), value=milliseconds(status.callback_p99_ms)),
        ],
    )


def _tasks(call: AnyCall, status: HostStatus, queue: Queue) -> Box:
    def number(value: int | None) -> str:
        return _filter(call, "number", value)

    counts = queue.counts
    alive = sum(worker.alive for worker in status.workers)
    restarts = sum(worker.restarts for worker in status.workers)
    return Box(
        title=translated(call, N_("Tasks")),
        rows=[
            Row(name=translated(call, N_("Waiting")), value=number(counts.todo if counts else None)),
            Row(name=translated(call, N_("Running")), value=number(counts.doing if counts else None)),
            Row(name=translated(call, N_("Failed")), value=number(counts.failed if counts else None)),
            Row(name=translated(call, N_("Workers here")), value=number(alive)),
            Row(
                name=translated(call, N_("Restarts of workers, of the indexer")),
                value=f"{number(restarts)}, {number(status.indexer_restarts)}",
            ),
        ],
    )


def _database(call: AnyCall, status: HostStatus, queue: Queue) -> Box:
    states: dict[str, tuple[State, str]] = {
        "up": ("ok", N_("answers")),
        "starting": ("waiting", N_("is starting")),
        "down": ("failed", N_("does not answer")),
    }
    kind, word = states.get(status.database_state, ("unknown", status.database_state))
    own = call.services.settings.database is not None
    kept = translated(call, N_("a server of the site") if own else N_("embedded, started by Treegarth"))
    facts = queue.database
    return Box(
        title=translated(call, N_("Database")),
        rows=[
            Row(name=translated(call, N_("State")), value=translated(call, word), kind=kind),
            Row(name=translated(call, N_("Server")), value=kept),
            Row(name="PostgreSQL", value=facts.version if facts else "–"),
            Row(name=translated(call, N_("Size")), value=_filter(call, "size", facts.size_bytes if facts else None)),
            Row(name=translated(call, N_("Last answer")), moment=status.database_last_answer_at, value="–"),
        ],
    )


def _versions(call: AnyCall, status: HostStatus) -> Box:
    versions = {**status.versions, **versions_of_orthanc(call.services.orthanc)}
    rows = [Row(name=name, value=version) for name, version in sorted(versions.items())]
    return Box(
        title=translated(call, N_("Versions")),
        rows=[*rows, Row(name=translated(call, N_("Started")), moment=status.started_at)],
    )


def _self_check(call: AnyCall, status: HostStatus) -> list[dict[str, str]]:
    found = []
    for check in sorted(status.self_check, key=lambda check: list(WORDS_OF_CHECKS)[::-1].index(check.state)):
        kind, word = WORDS_OF_CHECKS[check.state]
        found.append(
            {
                "kind": kind,
                "word": translated(call, word),
                "name": translated(call, check.name),
                "sentence": translated(call, check.sentence, **check.values),
            }
        )
    return found
