"""Background work of the dose feature: read what waits. The work stands in the database; a task is only a hint."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from procrastinate import Blueprint
from procrastinate.exceptions import AlreadyEnqueued

from treegarth.features.dose.registry.service import (
    StudyRead,
    choose_samples,
    next_series_due,
    read_waiting,
)
from treegarth.tasks.app import TaskContext

READ_WAITING = "dose.read_waiting"
SAMPLE_SERIES = "dose.sample_series"
BATCH = 50
"""Series or sources that one task takes before it lets others have their turn."""

logger = logging.getLogger(__name__)


def blueprint(context: TaskContext, followers: Sequence[StudyRead] = ()) -> Blueprint:
    """The tasks of this feature, working with this context; `followers` are told of studies whose dose is read."""
    tasks = Blueprint()

    @tasks.periodic(cron="* * * * * */15", periodic_id="sweep")
    @tasks.task(name="dose.sweep", queueing_lock="dose.sweep")
    def sweep(timestamp: int) -> None:
        """Read what no hint was given for: after a crash, a back-off, a lost hint."""
        _read_all(context, followers)

    @tasks.task(name=READ_WAITING, queueing_lock=READ_WAITING)
    def read() -> None:
        """Read what was indexed just now."""
        _read_all(context, followers)

    @tasks.task(name=SAMPLE_SERIES, queueing_lock=SAMPLE_SERIES)
    def sample() -> None:
        """Choose and read images of the series that have come to rest; comes again for those that have not."""
        _read_all(context, followers)
        due_at = next_series_due(context.engine)
        if due_at is not None:
            try:
                sample.configure(schedule_at=due_at).defer()
            except AlreadyEnqueued:
                logger.debug("More series have arrived meanwhile.")

    return tasks


def _read_all(context: TaskContext, followers: Sequence[StudyRead]) -> None:
    """Until nothing is due. Several workers share the work: each claims one series or source at a time."""
    while choose_samples(context.engine, limit=BATCH, clock=context.clock, followers=followers) == BATCH:
        logger.debug("Another batch of series waits.")
    while read_waiting(context.engine, context.orthanc, limit=BATCH, clock=context.clock, followers=followers) == BATCH:
        logger.debug("Another batch of dose sources waits.")
