"""What becomes of the tasks of workers that died, and of those that failed."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from procrastinate import Blueprint
from sqlalchemy import Connection, text
from sqlalchemy.engine import Engine

from treegarth.database.engine import DatabaseAddress, connect, transaction
from treegarth.errors import DatabaseUnavailable
from treegarth.tasks.app import worker_app

_BEGUN = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id"
_JOB = """
INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, status, worker_id)
VALUES ('default', CAST(:name AS text), CAST(:task AS text), CAST(:status AS procrastinate_job_status), :worker)
"""
KNOWN, UNKNOWN = "treegarth:tasks.forget_old", "treegarth:of an earlier version"


def jobs(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute(
        text("SELECT queueing_lock, status::text FROM procrastinate_jobs WHERE queueing_lock LIKE 'work %' ORDER BY 1")
    )
    return [(row[0], row[1]) for row in rows]


def keep_up(address: DatabaseAddress) -> None:
    """What each worker does every ten seconds."""
    app = worker_app(address, [])

    async def retry() -> None:
        async with app.open_async():
            task = app.tasks["treegarth:tasks.retry_stalled"]
            await task.func(type("Context", (), {"app": app})(), 0)

    with ThreadPoolExecutor(1) as apart:  # in this thread a browser's test may have left its event loop running
        apart.submit(asyncio.run, retry()).result()


def test_tasks_that_no_version_has_any_more_want_no_person(engine: Engine, database_address: DatabaseAddress) -> None:
    with transaction(engine) as connection:
        for number, (name, status) in enumerate(((UNKNOWN, "todo"), (UNKNOWN, "failed"), (KNOWN, "failed"))):
            given = {"name": name, "task": f"work {number}", "status": status, "worker": None}
            connection.execute(text(_JOB), given)
    keep_up(database_address)
    with connect(engine) as connection:
        assert jobs(connection) == [("work 2", "failed")]


def test_work_that_lost_its_worker_waits_again_also_where_the_same_waits_already(
    engine: Engine, database_address: DatabaseAddress
) -> None:
    with transaction(engine) as connection:
        dead = connection.execute(text(_BEGUN)).scalar_one()
        for task, status in (("work a", "doing"), ("work a", "todo"), ("work b", "doing"), ("work c", "doing")):
            worker = dead if status == "doing" else None
            connection.execute(text(_JOB), {"name": KNOWN, "task": task, "status": status, "worker": worker})
    keep_up(database_address)
    with connect(engine) as connection:
        assert jobs(connection) == [("work a", "todo"), ("work b", "todo"), ("work c", "todo")]


def test_what_failed_is_kept_until_the_same_works_and_what_only_waits_has_not_failed(
    engine: Engine, database_address: DatabaseAddress
) -> None:
    moods: dict[str, Exception | None] = {"one": RuntimeError("broken"), "other": RuntimeError("broken"), "away": None}
    tasks = Blueprint()

    @tasks.task(name="moody")
    def moody(name: str) -> None:
        if (error := moods[name]) is not None:
            raise error

    app = worker_app(database_address, [tasks])

    async def run(*names: str) -> None:
        async with app.open_async():
            for name in names:
                await app.tasks["treegarth:moody"].configure(queueing_lock=f"work {name}").defer_async(name=name)
            await app.run_worker_async(wait=False, install_signal_handlers=False, delete_jobs="successful")
            upkeep = app.tasks["treegarth:tasks.retry_stalled"]
            await upkeep.func(type("Context", (), {"app": app})(), 0)

    def left(*names: str) -> list[tuple[str, str]]:
        with ThreadPoolExecutor(1) as apart:
            apart.submit(asyncio.run, run(*names)).result()
        with connect(engine) as connection:
            return jobs(connection)

    assert left("one", "other") == [("work one", "failed"), ("work other", "failed")]
    assert left("one") == [("work one", "failed"), ("work other", "failed")], "the latest of each is enough"
    moods.update(one=None, away=DatabaseUnavailable("PostgreSQL is away."))
    assert left("one", "away") == [("work other", "failed")]
