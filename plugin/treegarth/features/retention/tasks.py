"""Background work of retention: look, mark, delete; bring back. The work stands in the database."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep
from typing import Protocol
from zoneinfo import ZoneInfo

from procrastinate import Blueprint

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.features.retention.deletion import Destinations, Pruner
from treegarth.features.retention.retrieval import Bringer, Sources
from treegarth.tasks.app import NETWORK_QUEUE, TaskContext

PRUNE, BRING_BACK = "retention.prune", "retention.bring_back"
TURN_S = 45.0
"""How long one task goes on before the next, which comes each five seconds, takes over."""


class Copies(Destinations, Sources, Protocol):
    """Destinations as retention needs them: they can be asked, and give back."""


def blueprint(context: TaskContext, vocabulary: Callable[[], Vocabulary], copies: Copies, zone: ZoneInfo) -> Blueprint:
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
    bringer = Bringer(engine=context.engine, orthanc=context.orthanc, sources=copies, clock=context.clock)

    @tasks.periodic(cron="* * * * * */5", periodic_id="prune")
    @tasks.task(name=PRUNE, queue=NETWORK_QUEUE, queueing_lock=PRUNE, lock=PRUNE)
    def prune(timestamp: int) -> None:
        """Carry out every policy that is on. One worker at a time: its rate is the site's."""
        pruner.work(seconds=TURN_S)

    @tasks.periodic(cron="* * * * * */10", periodic_id="bring_back")
    @tasks.task(name=BRING_BACK, queue=NETWORK_QUEUE, queueing_lock=BRING_BACK)
    def bring_back(timestamp: int) -> None:
        """Carry out what was asked back."""
        bringer.work()

    return tasks
