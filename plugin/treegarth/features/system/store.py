"""The task queue as an operator sees it. Its tables are procrastinate's, so their names are written out here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Integer,
    MetaData,
    ScalarSelect,
    Select,
    Table,
    Text,
    func,
    null,
    select,
)
from sqlalchemy.exc import IntegrityError

from treegarth.errors import NotFound, RequestConflict
from treegarth.features.system.model import Task, TaskCounts, TaskState
from treegarth.phrases import P_, Phrase

_foreign = MetaData()  # not ours: migrations do not compare it
_jobs = Table(
    "procrastinate_jobs",
    _foreign,
    Column("id", BigInteger, primary_key=True),
    Column("task_name", Text),
    Column("status", Text),
    Column("attempts", Integer),
    Column("scheduled_at", DateTime(timezone=True)),
)
_events = Table(
    "procrastinate_events",
    _foreign,
    Column("job_id", BigInteger),
    Column("type", Text),
    Column("at", DateTime(timezone=True)),
)
_status = _jobs.c.status.cast(Text)
_name = func.regexp_replace(_jobs.c.task_name, "^treegarth:", "", type_=Text)
_STATES: dict[str, Phrase] = {TaskState.TODO: P_("waiting"), TaskState.DOING: P_("being done")}


def count_tasks(connection: Connection) -> TaskCounts:
    """How many tasks wait, are being done, and failed."""
    rows = connection.execute(select(_status.label("state"), func.count().label("tasks")).group_by(_status))
    counts = {row.state: row.tasks for row in rows}
    return TaskCounts(**{state.value: counts.get(state.value, 0) for state in TaskState})


def select_tasks(*, state: TaskState | None = None, task_name: str | None = None) -> Select[Any]:
    """The tasks in a state and of a name, in no order."""
    query = select(
        _jobs.c.id.label("task_id"),
        _name.label("task_name"),
        _status.label("state"),
        _jobs.c.attempts,
        _jobs.c.scheduled_at,
        _last("deferred").label("created_at"),
        _last("started").label("started_at"),
        _last("failed").label("failed_at"),
    )
    if state is not None:
        query = query.where(_status == state.value)
    return query if task_name is None else query.where(_name == task_name)


def task_names(connection: Connection) -> dict[str, str]:
    """The names of the tasks that are there, by themselves."""
    return {name: name for name in connection.execute(select(_name).distinct().order_by(_name)).scalars()}


def retry_task(connection: Connection, task_id: int) -> Task:
    """Put a failed task back into the queue, to be done at once; the task as it is then.

    Raises NotFound, or RequestConflict where it has not failed or where the same work waits already.
    """
    found = connection.execute(select(_status).where(_jobs.c.id == task_id).with_for_update()).scalar_one_or_none()
    if found is None:
        raise NotFound(P_("There is no task with this number. A task that succeeded is deleted."))
    if found != TaskState.FAILED:
        raise RequestConflict(P_("This task has not failed: it is %(state)s.", state=_STATES.get(found, found)))
    try:
        with connection.begin_nested():
            connection.execute(select(func.procrastinate_retry_job_v2(task_id, func.now(), null(), null(), null())))
    except IntegrityError as error:
        waits = P_("The same work waits in the queue already. This task need not be repeated.")
        raise RequestConflict(waits) from error
    row = connection.execute(select_tasks().where(_jobs.c.id == task_id)).one()
    return Task.model_validate(row._asdict())


def _last(kind: str) -> ScalarSelect[Any]:
    """When a task saw an event of a kind for the last time."""
    moments = select(func.max(_events.c.at)).where(_events.c.job_id == _jobs.c.id)
    return moments.where(_events.c.type.cast(Text) == kind).scalar_subquery()
