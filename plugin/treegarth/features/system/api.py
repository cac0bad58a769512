"""Treegarth's own state over HTTP: health, what is still to do, the repetition of tasks, versions."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Literal

from sqlalchemy import select

import treegarth
from treegarth.access.actors import Permission
from treegarth.errors import DatabaseUnavailable, OrthancRefused, OrthancUnavailable
from treegarth.feature import House
from treegarth.features.system.model import Task, TaskCounts, is_idle, pending_instances
from treegarth.features.system.paths import TaskPath
from treegarth.features.system.store import count_tasks, retry_task
from treegarth.features.system.versions import versions_of_orthanc
from treegarth.index.studies import count_instances
from treegarth.web.call import Answered, AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, Route
from treegarth.web.services import DiskPlace, MemoryPart

logger = logging.getLogger(__name__)

TAG = "system"
ORTHANC_TIMEOUT_S = 5.0


class Health(Answer):
    """Whether Treegarth does its work. What is stored in Orthanc is safe either way."""

    healthy: bool
    """Database and indexer work, who may do what is known, and every worker that was started is alive."""
    database: Literal["up", "down"]
    indexer: Literal["up", "down"]
    workers: Literal["up", "down", "none"]
    """`none` where this server starts no workers of its own."""


class DiskItem(Answer):
    """The disk that something of this server is on."""

    place: DiskPlace
    """`storage`: the objects; `index`: Orthanc's own index; `database`: the embedded PostgreSQL."""
    device: int
    """Two places are on one disk where it is the same."""
    total_bytes: int
    free_bytes: int
    """For who is not root."""


class Status(Answer):
    """What is still to do."""

    orthanc_instances: int | None
    """How many Orthanc holds; null while it does not answer."""
    indexed_instances: int
    pending: int
    """Stored instances that the index lacks."""
    idle: bool
    """The index holds what Orthanc holds, and every dose report is read."""
    lag_median_s: float | None
    """Seconds from stored to searchable, of the instances indexed last; null before the first."""
    lag_p99_s: float | None
    stale_series: int
    """Series whose attributes are to be read anew from the first of their objects, for that one was deleted, or after
    an upgrade."""
    dose_waiting: int
    """Objects whose dose is still to be read."""
    tasks: TaskCounts
    queue_length: int
    """Headers that wait in memory for the indexer."""
    queue_bytes: int
    dropped_headers: int
    """Headers that a full queue let go since the start; the indexer reads these from Orthanc."""
    indexer_restarts: int
    requests_given_up: int
    """Requests of these pages and this API that were not answered within three minutes, since the start."""
    callback_median_ms: float | None
    """Time that storing one instance spends in the plugin."""
    callback_p99_ms: float | None
    started_at: datetime
    disks: list[DiskItem]
    """As of the last minute; empty before the first."""
    memory_bytes: dict[MemoryPart, int]
    """As of the last minute, of the processes on this machine; what several share is counted once in each part."""


class Versions(Answer):
    """What runs here."""

    treegarth: str
    parts: dict[str, str]
    """Versions of Orthanc, its plugin SDK, Python and others, by name."""


def health(call: Call[None, None, None]) -> Answered[Health]:
    figures = call.services.host.figures()
    workers: Literal["up", "down", "none"] = "none"
    if figures.workers:
        workers = "up" if all(worker.alive for worker in figures.workers) else "down"
    database = _database_answers(call)
    health = Health(
        healthy=database and call.services.knows_users and figures.indexer_alive and workers != "down",
        database="up" if database else "down",
        indexer="up" if figures.indexer_alive else "down",
        workers=workers,
    )
    return Answered(body=health, status=200 if health.healthy else 503)


def status(call: Call[None, None, None]) -> Status:
    with call.connect() as connection:
        indexed = count_instances(connection)
        stale_series = call.part(House).lent.count_stale(connection)
        dose_waiting = call.part(House).lent.count_dose_waiting(connection)
        tasks = count_tasks(connection)
    orthanc = _orthanc_instances(call)
    figures = call.services.host.figures()
    return Status(
        orthanc_instances=orthanc,
        indexed_instances=indexed,
        pending=pending_instances(host_pending=figures.pending, orthanc=orthanc, indexed=indexed),
        idle=is_idle(
            host_pending=figures.pending,
            orthanc=orthanc,
            indexed=indexed,
            stale_series=stale_series,
            dose_waiting=dose_waiting,
        ),
        lag_median_s=figures.lag_median_s,
        lag_p99_s=figures.lag_p99_s,
        stale_series=stale_series,
        dose_waiting=dose_waiting,
        tasks=tasks,
        queue_length=figures.queue_length,
        queue_bytes=figures.queue_bytes,
        dropped_headers=figures.dropped_headers,
        requests_given_up=figures.requests_given_up,
        indexer_restarts=figures.indexer_restarts,
        callback_median_ms=figures.callback_median_ms,
        callback_p99_ms=figures.callback_p99_ms,
        started_at=figures.started_at,
        disks=[DiskItem.model_validate(vars(disk)) for disk in figures.disks],
        memory_bytes=dict(figures.memory_bytes),
    )


def retry(call: Call[None, None, TaskPath]) -> Task:
    with call.begin() as connection:
        task = retry_task(connection, call.path.task_id)
    logger.info("Task %d (%s) is repeated, asked by %s.", task.task_id, task.task_name, call.actor)
    return task


def version(call: Call[None, None, None]) -> Versions:
    parts = {**call.services.host.figures().versions, **versions_of_orthanc(call.services.orthanc)}
    return Versions(treegarth=treegarth.__version__, parts=parts)


def _database_answers(call: AnyCall) -> bool:
    try:
        with call.connect() as connection:
            connection.execute(select(1))
    except DatabaseUnavailable:
        return False
    return True


def _orthanc_instances(call: AnyCall) -> int | None:
    try:
        return int(call.services.orthanc.get("/statistics", timeout_s=ORTHANC_TIMEOUT_S)["CountInstances"])
    except (OrthancUnavailable, OrthancRefused) as error:
        logger.warning("Orthanc's statistics are missing from the status: %s", error)
        return None


def routes() -> list[Route]:
    """The system's part of the API."""
    return [
        route(
            name="api.health",
            path=f"{API_PATH}/health",
            permission=Permission.PUBLIC,
            handler=health,
            summary="Whether Treegarth does its work.",
            description="200 when it does, 503 with the same body when not.",
            also={503: Health},
            tag=TAG,
        ),
        route(
            name="api.status",
            path=f"{API_PATH}/status",
            permission=Permission.SEE_SYSTEM,
            handler=status,
            summary="What is still to do.",
            problems=(503,),
            tag=TAG,
        ),
        route(
            name="api.version",
            path=f"{API_PATH}/version",
            permission=Permission.SEE_SYSTEM,
            handler=version,
            summary="What runs here.",
            tag=TAG,
        ),
        route(
            name="api.retry_task",
            path=f"{API_PATH}/tasks/{{task_id}}/retry",
            method="POST",
            permission=Permission.OPERATE,
            handler=retry,
            summary="Put a failed task back into the queue.",
            problems=(409, 503),
            tag=TAG,
        ),
    ]
