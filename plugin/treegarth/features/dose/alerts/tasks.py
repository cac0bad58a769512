"""Background work of alerts: look at exams that changed, and at what lacks a dose. A task is only a hint."""

from __future__ import annotations

from procrastinate import Blueprint

from treegarth.features.dose.alerts.service import BATCH, look_at_due, sweep_missing
from treegarth.features.dose.alerts.telling import Telling
from treegarth.tasks.app import TaskContext


def blueprint(context: TaskContext, telling: Telling) -> Blueprint:
    """The tasks of alerts, working with this context."""
    tasks = Blueprint()

    @tasks.periodic(cron="* * * * * */5", periodic_id="alerts")
    @tasks.task(name="dose.alerts", queueing_lock="dose.alerts")
    def look(timestamp: int) -> None:
        """Look at the exams that changed since; several workers share them."""
        while look_at_due(context.engine, telling, context.clock) == BATCH:
            pass

    @tasks.periodic(cron="* * * * *", periodic_id="alerts_missing")
    @tasks.task(name="dose.alerts_missing", queueing_lock="dose.alerts_missing")
    def sweep(timestamp: int) -> None:
        """What lacks a dose changes by time alone."""
        sweep_missing(context.engine, telling, context.clock())

    return tasks
