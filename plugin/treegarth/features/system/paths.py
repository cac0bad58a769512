"""What stands in an address for a task."""

from __future__ import annotations

from treegarth.web.routes import LongIdentifier, Parameters


class TaskPath(Parameters):
    task_id: LongIdentifier
    """The task's number."""
