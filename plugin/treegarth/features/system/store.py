"""The task queue as an operator sees it. Its tables are procrastinate's, so their names are written out here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Integer,
    Label,
    MetaData,
    Row,
    Select,
    Table,
    Text,
    func,
    null,
    select,
)
from sqlalchemy.exc import IntegrityError

from treegarth.database.keyset import SortKey, read_page
from treegarth.errors import NotFound, RequestConflict
from treegarth.features.system.model import Task, TaskCounts, TaskPage, TaskState
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
_STATES: dict[str, Phrase] = {TaskState.TODO: P_("waiting"), TaskState.DOING: P_("being done")}
_NEWEST = (SortKey(column=_jobs.c.id, descending=True),)


def count_tasks(connection: Connection) -> TaskCounts:
    """How many tasks wait, are being done, and failed."""
    rows = connection.execute(select(_status.label("state"), func.count().label("tasks")).group_by(_status))
    counts = {row.state: row.tasks for row in rows}
    return TaskCounts(**{state.value: counts.get(state.value, 0) for state in TaskState})


def list_tasks(connection: Connection, state: TaskState, *, limit: int = 50, cursor: str | None = None) -> TaskPage:
    """A page of the tasks in one state, the newest first. Raises InvalidRequest for a strange cursor."""
    query = _select().where(_status == state.value)
    page = read_page(connection, query, _NEWEST, name=f"tasks {state}", limit=limit, cursor=cursor)
    return TaskPage(tasks=tuple(_task(row) for row in page.rows), next=page.next)


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
    return _task(connection.execute(_select().where(_jobs.c.id == task_id)).one())


def _select() -> Select[Any]:
    columns = (_jobs.c.id, _jobs.c.task_name, _status.label("state"), _jobs.c.attempts, _jobs.c.scheduled_at)
    return select(*columns, _last("deferred"), _last("started"), _last("failed"))


def _last(kind: str) -> Label[Any]:
    """When a task saw an event of a kind for the last time."""
    moments = select(func.max(_events.c.at)).where(_events.c.job_id == _jobs.c.id)
    return moments.where(_events.c.type.cast(Text) == kind).scalar_subquery().label(f"last_{kind}")


def _task(row: Row[Any]) -> Task:
    values = row._asdict()
    return Task(
        task_id=values["id"],
        task_name=values["task_name"].removeprefix("treegarth:"),
        state=TaskState(values["state"]),
        attempts=values["attempts"],
        scheduled_at=values["scheduled_at"],
        created_at=values["last_deferred"],
        started_at=values["last_started"],
        failed_at=values["last_failed"],
    )
