"""Background work of size-specific dose: measure the series that wait. A task is only a hint."""

from __future__ import annotations

import logging

from procrastinate import Blueprint
from procrastinate.exceptions import AlreadyEnqueued

from treegarth.tasks.app import TaskContext

MEASURE = "dose.measure_series"

logger = logging.getLogger(__name__)


def blueprint(context: TaskContext) -> Blueprint:
    """Its tasks, working with this context. The measuring, and numpy with it, is loaded by the first of them."""
    tasks = Blueprint()

    @tasks.periodic(cron="* * * * * */15", periodic_id="sweep")
    @tasks.task(name="dose.measure_sweep", queueing_lock="dose.measure_sweep")
    def sweep(timestamp: int) -> None:
        """Measure what no hint was given for: after a crash, a back-off, a lost hint."""
        _go_on()

    @tasks.task(name=MEASURE, queueing_lock=MEASURE)
    def measure() -> None:
        """Measure what came to rest just now; comes again for what is left, so that others have their turn."""
        _go_on()

    def _go_on() -> None:
        from treegarth.features.dose.analysis.size.service import measure_waiting

        if measure_waiting(context.engine, context.orthanc, clock=context.clock):
            try:
                measure.defer()
            except AlreadyEnqueued:
                logger.debug("Another one goes on already.")

    return tasks
