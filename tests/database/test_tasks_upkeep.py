"""What becomes of the tasks of workers that died."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection, text
from sqlalchemy.engine import Engine

from treegarth.database.engine import DatabaseAddress, connect, transaction
from treegarth.tasks.app import worker_app

_BEGUN = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id"
_JOB = """
INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, status, worker_id)
VALUES ('default', CAST(:task AS text), CAST(:task AS text), CAST(:status AS procrastinate_job_status), :worker)
"""


def jobs(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute(
        text("SELECT queueing_lock, status::text FROM procrastinate_jobs WHERE queueing_lock LIKE 'work %' ORDER BY 1")
    )
    return [(row[0], row[1]) for row in rows]


def test_work_that_lost_its_worker_waits_again_also_where_the_same_waits_already(
    engine: Engine, database_address: DatabaseAddress
) -> None:
    with transaction(engine) as connection:
        dead = connection.execute(text(_BEGUN)).scalar_one()
        for task, status in (("work a", "doing"), ("work a", "todo"), ("work b", "doing"), ("work c", "doing")):
            worker = dead if status == "doing" else None
            connection.execute(text(_JOB), {"task": task, "status": status, "worker": worker})
    app = worker_app(database_address, [])

    async def retry() -> None:
        async with app.open_async():
            task = app.tasks["treegarth:tasks.retry_stalled"]
            await task.func(type("Context", (), {"app": app})(), 0)

    with ThreadPoolExecutor(1) as apart:  # in this thread a browser's test may have left its event loop running
        apart.submit(asyncio.run, retry()).result()
    with connect(engine) as connection:
        assert jobs(connection) == [("work a", "todo"), ("work b", "todo"), ("work c", "todo")]
