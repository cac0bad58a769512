"""What Treegarth says of its own state. Pure: values and the decisions on them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from treegarth.record import Record


class TaskState(StrEnum):
    TODO = "todo"  # waits, or waits for its time
    DOING = "doing"  # a worker has it
    FAILED = "failed"  # given up after its attempts; waits for a person


class TaskCounts(Record):
    """How many tasks are in each state."""

    todo: int
    doing: int
    failed: int


class Task(Record):
    """A task of the queue, with the last moment of each kind that it has seen."""

    task_id: int
    task_name: str
    """As in `dose.read_waiting`: the feature, and what is done."""
    state: TaskState
    attempts: int
    """How often a worker began it."""
    scheduled_at: datetime | None
    """Not before then."""
    created_at: datetime | None
    """The last time it was put into the queue."""
    started_at: datetime | None
    """The last time a worker began it."""
    failed_at: datetime | None
    """The last time it failed."""


def pending_instances(*, host_pending: int, orthanc: int | None, indexed: int) -> int:
    """How many stored instances the index lacks: as the plugin counts them, or as the totals differ."""
    return max(host_pending, (orthanc or 0) - indexed, 0)


def is_idle(*, host_pending: int, orthanc: int | None, indexed: int, stale_series: int, dose_waiting: int) -> bool:
    """Whether nothing is left to do: the index holds what Orthanc holds, and every dose report is read.

    Tasks do not count: they are hints, and some of them come every few seconds.
    """
    return host_pending == 0 and orthanc == indexed and stale_series == 0 and dose_waiting == 0
