"""The background work of dose: a worker process reads what a hint or the sweep tells it of."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.engine import Engine

from tests.dose_builder import as_file, ct_dose_report
from tests.dose_image_builder import CT, ct_image
from tests.dose_registry_support import Archive, Instance, index, note, states
from treegarth.database.engine import DatabaseAddress, connect
from treegarth.features.dose.registry.tables import irradiation_event
from treegarth.features.dose.registry.tasks import READ_WAITING, SAMPLE_SERIES, blueprint
from treegarth.tasks.app import TaskContext, TaskHints, worker_app


@pytest.mark.parametrize("task", [READ_WAITING, "dose.sweep"])
def test_a_worker_reads_what_waits(engine: Engine, database_address: DatabaseAddress, task: str) -> None:
    sources = [Instance(f"s{number}", f"1.2.3.{number}") for number in range(3)]
    note(engine, *sources)
    archive = Archive(**{source.orthanc_instance_id: as_file(ct_dose_report()) for source in sources})
    context = TaskContext(engine=engine, orthanc=archive, clock=lambda: datetime.now(UTC))
    app = worker_app(database_address, [blueprint(context)])
    if task == READ_WAITING:
        hints = TaskHints(database_address)
        hints.announce(task)
        hints.announce(task)
        hints.close()

    async def work() -> None:
        async with app.open_async():
            if task != READ_WAITING:
                await app.configure_task(f"treegarth:{task}").defer_async(timestamp=0)
            await app.run_worker_async(wait=False, install_signal_handlers=False, concurrency=2)

    with ThreadPoolExecutor(1) as apart:  # in this thread a browser's test may have left its event loop running
        apart.submit(asyncio.run, work()).result()
    assert set(states(engine).values()) == {"read"}
    with connect(engine) as connection:
        assert connection.execute(select(func.count()).select_from(irradiation_event)).scalar_one() == 3


def test_images_are_read_soon_after_their_series_came_to_rest(
    engine: Engine, database_address: DatabaseAddress
) -> None:
    """The hint comes too early, since more images arrived after it was given: the task comes again by itself."""
    image = Instance("i", "1.2.3.1", sop_class_uid=CT, modality="CT")
    index(engine, image)
    note(engine, image)
    archive = Archive(i=as_file(ct_image("1.2.3.1")))
    context = TaskContext(engine=engine, orthanc=archive, clock=lambda: datetime.now(UTC))
    app = worker_app(database_address, [blueprint(context)])
    hints = TaskHints(database_address)
    hints.announce(SAMPLE_SERIES)
    hints.close()

    async def work() -> None:
        async with app.open_async():
            working = asyncio.create_task(
                app.run_worker_async(install_signal_handlers=False, fetch_job_polling_interval=0.2)
            )
            for _ in range(80):
                if states(engine) == {"i": "read"}:
                    break
                await asyncio.sleep(0.1)
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working

    begin = monotonic()
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, work()).result()
    assert states(engine) == {"i": "read"}
    assert 2 < monotonic() - begin < 12, "neither before it came to rest nor at the next sweep"


def test_a_hint_is_not_given_again_while_it_surely_waits(engine: Engine, database_address: DatabaseAddress) -> None:
    hints = TaskHints(database_address)
    for _ in range(3):
        hints.announce(SAMPLE_SERIES, after=timedelta(seconds=60))
        hints.announce(READ_WAITING)
    hints.close()
    waiting = text("SELECT task_name, scheduled_at > now() + interval '50 s' FROM procrastinate_jobs ORDER BY 1")
    with connect(engine) as connection:
        assert [tuple(row) for row in connection.execute(waiting)] == [
            ("treegarth:dose.read_waiting", None),
            ("treegarth:dose.sample_series", True),
        ]
