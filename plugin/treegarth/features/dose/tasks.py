"""Background work of the dose feature: read what waits. The work stands in the database; a task is only a hint."""

from __future__ import annotations

import logging

from procrastinate import Blueprint

from treegarth.features.dose.service import read_waiting, resume_reread
from treegarth.tasks.app import TaskContext

READ_WAITING = "dose.read_waiting"
BATCH = 50
"""Sources that one task reads before it lets others have their turn."""

logger = logging.getLogger(__name__)


def blueprint(context: TaskContext) -> Blueprint:
    """The tasks of this feature, working with this context."""
    tasks = Blueprint()

    @tasks.periodic(cron="* * * * * */15", periodic_id="sweep")
    @tasks.task(name="dose.sweep", queueing_lock="dose.sweep")
    def sweep(timestamp: int) -> None:
        """Read what no hint was given for: after a crash, a back-off, a lost hint; go on with a re-reading."""
        _read_all(context)
        resume_reread(context.engine, context.clock)

    @tasks.task(name=READ_WAITING, queueing_lock=READ_WAITING)
    def read() -> None:
        """Read what was indexed just now."""
        _read_all(context)

    return tasks


def _read_all(context: TaskContext) -> None:
    """Until nothing is due. Several workers share the work: each claims one source at a time."""
    while read_waiting(context.engine, context.orthanc, limit=BATCH, clock=context.clock) == BATCH:
        logger.debug("Another batch of dose sources waits.")
