"""The list of the tasks of the queue, for people and for programs.

Only the order by number has an index. The queue is short, for what succeeded is deleted and what waits already is not
put there twice; the moments of each task are looked up by the index of events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Select

from treegarth.access.actors import Permission
from treegarth.errors import NotFound, RequestConflict
from treegarth.features.system.model import Task, TaskState
from treegarth.features.system.store import retry_task, select_tasks, task_names
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.parts import State as Sign
from treegarth.web.routes import Parameters, Text
from treegarth.web.row_actions import NothingGiven, RowAction

STATES: Mapping[str, str] = {
    TaskState.TODO: N_("waiting"),
    TaskState.DOING: N_("being done"),
    TaskState.FAILED: N_("failed"),
}
SIGNS: Mapping[str, Sign] = {TaskState.TODO: "waiting", TaskState.DOING: "busy", TaskState.FAILED: "failed"}


class TasksAsked(Parameters):
    """Which tasks."""

    state: TaskState | None = None
    """`todo` waits, or waits for its time; a worker is `doing` it; `failed` was given up and waits for a person."""
    task_name: Text | None = None
    """Of this name, exactly."""


def find(asker: Asker, connection: Connection, asked: TasksAsked) -> Select[Any]:
    return select_tasks(state=asked.state, task_name=asked.task_name)


def retry(asker: Asker, connection: Connection, tasks: Sequence[int], given: NothingGiven) -> int:
    """Those of which the same work waits already need not be repeated."""
    done = 0
    for one in tasks:
        with suppress(NotFound, RequestConflict):
            retry_task(connection, one)
            done += 1
    return done


def extras(call: AnyCall, connection: Connection, asked: TasksAsked, tasks: Sequence[Task]) -> Mapping[str, Any]:
    return {
        "states": STATES,
        "signs": SIGNS,
        "busy": any(task.state != TaskState.FAILED for task in tasks),
    }


TASKS = Listing(
    name="system.tasks",
    title=N_("Tasks"),
    counts=NN_("%(num)s task", "%(num)s tasks"),
    path="system/tasks",
    api_name="tasks",
    api_path="tasks",
    tag="system",
    summary="The tasks of the queue: those that wait, those that are being done, and those that failed.",
    record=Task,
    asked=TasksAsked,
    query=find,
    unique="task_id",
    order="-task_id",
    columns=(
        Column(name="task_id", label=N_("No.")),
        Column(name="task_name", label=N_("Task")),
        Column(name="state", label=N_("State"), form="own"),
        Column(name="attempts", label=N_("Attempts"), narrow="c-1"),
        Column(name="scheduled_at", label=N_("Not before"), narrow="c-3"),
        Column(name="created_at", label=N_("Asked for"), narrow="c-2"),
        Column(name="started_at", label=N_("Begun"), narrow="c-1"),
        Column(name="failed_at", label=N_("Failed"), narrow="c-0"),
        Column(name="again", label=N_("Again"), sorts_by=()),
    ),
    filters=(
        Filter(name="state", label=N_("State"), choices=STATES, width="wide"),
        Filter(name="task_name", label=N_("Task"), find_choices=lambda _, connection: task_names(connection)),
    ),
    empty=Empty(
        title=N_("No task waits"),
        text=N_("What is done in the background stands here until it succeeded: each minute something comes and goes."),
        filtered=N_("No task of this kind"),
    ),
    template="system/tasks.html",
    extras=extras,
)
RETRY = RowAction(
    name="retry",
    lists=(TASKS.name,),
    label=N_("Again"),
    icon="retry",
    done=NN_("%(num)s task is done again.", "%(num)s tasks are done again."),
    left=NN_(
        "%(num)s was left: it has not failed, or the same work waits already.",
        "%(num)s were left: they have not failed, or the same work waits already.",
    ),
    act=retry,
    permission=Permission.OPERATE,
)
