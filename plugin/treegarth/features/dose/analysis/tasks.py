"""Background work of analysis: keep the counts of names short."""

from __future__ import annotations

from procrastinate import Blueprint

from treegarth.database.engine import transaction
from treegarth.tasks.app import TaskContext


def blueprint(context: TaskContext) -> Blueprint:
    """Its tasks, working with this context."""
    tasks = Blueprint()

    @tasks.periodic(cron="* * * * *")
    @tasks.task(name="dose.put_counts_together", queueing_lock="dose.put_counts_together")
    def put_together(timestamp: int) -> None:
        """They are right at any time: this makes them quick to read."""
        from treegarth.features.dose.analysis.store.name_counts import put_counts_together

        with transaction(context.engine) as connection:
            put_counts_together(connection)

    return tasks
