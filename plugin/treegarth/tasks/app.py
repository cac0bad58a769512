"""The procrastinate application: background work as rows in PostgreSQL. Knows no task of any feature.

A task is a hint that there is work. What is to be done stands in the feature's own tables, so a lost task costs a
minute (until the sweep), and one done twice has its effect once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from procrastinate import App, Blueprint, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation
from procrastinate.jobs import Status
from sqlalchemy import Engine

from treegarth.database.engine import DatabaseAddress
from treegarth.orthanc.client import OrthancClient
from treegarth.tasks.failures import FailedTasks

NETWORK_QUEUE = "network"
"""Of tasks that mostly wait for other machines: many of them run at once beside those that compute."""
STALLED_AFTER_S = 20.0  # without a heartbeat a worker counts as dead, and its tasks are done again
HEARTBEAT_S = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TaskContext:
    """What tasks work with."""

    engine: Engine
    orthanc: OrthancClient
    clock: Callable[[], datetime]


def worker_app(address: DatabaseAddress, blueprints: Iterable[Blueprint]) -> App:
    """The application of a worker process, with the tasks of these blueprints."""
    conninfo = address.conninfo(application_name="treegarth worker")
    failed = FailedTasks()
    connector = PsycopgConnector(conninfo=conninfo, min_size=2, max_size=6)
    app = App(connector=connector, worker_defaults={"worker_middleware": [failed.watch]})
    for blueprint in (*blueprints, upkeep(failed)):
        app.add_tasks_from(blueprint, namespace="treegarth")
    return app


class TaskHints:
    """Announces work to the workers from a process that does none itself."""

    def __init__(self, address: DatabaseAddress) -> None:
        self._app = App(
            connector=SyncPsycopgConnector(
                conninfo=address.conninfo(application_name="treegarth hints"), min_size=0, max_size=1, timeout=5.0
            )
        )
        self._app.open()
        self._waits_until: dict[str, float] = {}

    def announce(self, task: str, *, after: timedelta = timedelta(0), queue: str | None = None) -> None:
        """Enqueue a task by its name, to be done after so long, unless it waits already."""
        now = monotonic()
        if now < self._waits_until.get(task, now):
            return
        try:
            schedule_in = {"seconds": after.total_seconds()} if after else None
            named = f"treegarth:{task}"
            self._app.configure_task(named, queue=queue, queueing_lock=task, schedule_in=schedule_in).defer()
        except AlreadyEnqueued:
            logger.debug("%s waits already.", task)
        self._waits_until[task] = now + after.total_seconds() / 2  # surely: no need to ask the database

    def close(self) -> None:
        self._app.close()


def upkeep(failed: FailedTasks) -> Blueprint:
    """The tasks that keep the queue itself in order."""
    blueprint = Blueprint()

    @blueprint.periodic(cron="* * * * * */10")
    @blueprint.task(name="tasks.retry_stalled", queueing_lock="tasks.retry_stalled", pass_context=True)
    async def retry_stalled(context: object, timestamp: int) -> None:
        """Put the tasks of dead workers back into the queue, or take them out where the same work waits already; take
        out what failed before the same worked."""
        app: App = context.app  # type: ignore[attr-defined]
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S):
            logger.warning("Task %s (%s) lost its worker and is done again.", job.id, job.task_name)
            try:
                await app.job_manager.retry_job(job)
            except UniqueViolation:  # of its queueing lock: it was announced anew since
                await app.job_manager.finish_job(job, status=Status.ABORTED, delete_job=True)
        await failed.forget(app)

    @blueprint.periodic(cron="17 * * * *")
    @blueprint.task(name="tasks.forget_old", queueing_lock="tasks.forget_old", pass_context=True)
    async def forget_old(context: object, timestamp: int) -> None:
        """Delete what succeeded a day ago."""
        app: App = context.app  # type: ignore[attr-defined]
        await app.job_manager.delete_old_jobs(nb_hours=24)

    return blueprint
