"""Background work of retention: look, mark, delete. The work stands in the database."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep
from zoneinfo import ZoneInfo

from procrastinate import Blueprint

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.features.retention.deletion import Destinations, Pruner
from treegarth.tasks.app import NETWORK_QUEUE, TaskContext

PRUNE = "retention.prune"
TURN_S = 45.0
"""How long one task goes on before the next, which comes each five seconds, takes over."""


def blueprint(
    context: TaskContext, vocabulary: Callable[[], Vocabulary], copies: Destinations, zone: ZoneInfo
) -> Blueprint:
    """The tasks of this feature, working with this context."""
    tasks = Blueprint()
    pruner = Pruner(
        engine=context.engine,
        orthanc=context.orthanc,
        vocabulary=vocabulary,
        destinations=copies,
        clock=context.clock,
        zone=zone,
        wait=sleep,
    )

    @tasks.periodic(cron="* * * * * */5", periodic_id="prune")
    @tasks.task(name=PRUNE, queue=NETWORK_QUEUE, queueing_lock=PRUNE, lock=PRUNE)
    def prune(timestamp: int) -> None:
        """Carry out every policy that is on. One worker at a time: its rate is the site's."""
        pruner.work(seconds=TURN_S)

    return tasks
