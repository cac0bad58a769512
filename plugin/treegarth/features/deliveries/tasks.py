"""Background work of deliveries: send and ask, each destination by itself. The work stands in the ledger.

These tasks wait for the network most of the time. They have a queue of their own, so that many may wait at once and
none of them keeps a task that computes from its turn.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from procrastinate import Blueprint
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.tasks import Task

from treegarth.database.engine import connect
from treegarth.features.deliveries.dispatch import DeliveryDispatcher, deliver
from treegarth.features.deliveries.model import ObjectState
from treegarth.features.deliveries.store.leases import due_destinations
from treegarth.features.deliveries.verification import ask
from treegarth.outgoing.gate import Gate
from treegarth.tasks.app import NETWORK_QUEUE, TaskContext

DELIVER, ASK, SWEEP = "deliveries.deliver", "deliveries.ask", "deliveries.sweep"

AnyTask = Task[Any, Any, Any]

logger = logging.getLogger(__name__)


def blueprint(context: TaskContext, zone: ZoneInfo, gate: Gate) -> Blueprint:
    """The tasks of deliveries, working with this context, through this gate."""
    tasks = Blueprint()
    dispatcher = DeliveryDispatcher(
        engine=context.engine, orthanc=context.orthanc, gate=gate, zone=zone, clock=context.clock
    )

    @tasks.task(name=DELIVER, queue=NETWORK_QUEUE)
    def deliver_task(destination_id: int) -> None:
        """Send what waits for a destination."""
        telling = replace(dispatcher, announce_question=lambda asked: _announce(ask_task, asked))
        if deliver(telling, destination_id):
            _announce(deliver_task, destination_id)

    @tasks.task(name=ASK, queue=NETWORK_QUEUE)
    def ask_task(destination_id: int) -> None:
        """Find out what became of what was sent to a destination; what it does not have is sent again."""
        if ask(dispatcher, destination_id):
            _announce(ask_task, destination_id)
        _announce_due(context, deliver_task, ObjectState.WAITING, destination_id)

    @tasks.periodic(cron="* * * * * */2", periodic_id="sweep")
    @tasks.task(name=SWEEP, queue=NETWORK_QUEUE, queueing_lock=SWEEP)
    def sweep(timestamp: int | None = None) -> None:
        """Go on with what is due: new wishes, at once where rules hint at them; ends of pauses and of leases."""
        with connect(context.engine) as connection:
            for destination_id, states in due_destinations(connection, context.clock()).items():
                if ObjectState.WAITING in states:
                    _announce(deliver_task, destination_id)
                if states & {ObjectState.SENT, ObjectState.SENDING}:
                    _announce(ask_task, destination_id)

    return tasks


def _announce_due(
    context: TaskContext,
    task: AnyTask,
    state: ObjectState,
    destination_id: int,
) -> None:
    with connect(context.engine) as connection:
        if state in due_destinations(connection, context.clock(), destination_id).get(destination_id, set()):
            _announce(task, destination_id)


def _announce(task: AnyTask, destination_id: int) -> None:
    """One task of a destination waits at most; those that run see what came since by themselves, or it does."""
    try:
        task.configure(queueing_lock=f"{task.name}:{destination_id}").defer(destination_id=destination_id)
    except AlreadyEnqueued:
        logger.debug("%s waits already for destination %s.", task.name, destination_id)
