"""Background work of the archive: decide what has come to rest, and wake who waits for that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from procrastinate import Blueprint

from treegarth.features.archive.stability import StabilityFollower, decide_stable
from treegarth.tasks.app import TaskContext

BATCH = 500


def blueprint(
    context: TaskContext, rest: timedelta, followers: Sequence[StabilityFollower], wake: Callable[[], None]
) -> Blueprint:
    """The task that decides, with those who are told in its transaction; `wake` is called when there was something."""
    tasks = Blueprint()

    @tasks.periodic(cron="* * * * * */5", periodic_id="sweep")
    @tasks.task(name="archive.decide_stable", queueing_lock="archive.decide_stable")
    def decide(timestamp: int) -> None:
        """Decide on everything of which nothing arrived for a while."""
        total = 0
        while True:
            count = decide_stable(context.engine, rest, followers, context.clock, limit=BATCH)
            total += count
            if count < BATCH:
                break
        if total:
            wake()

    return tasks
