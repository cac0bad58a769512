"""The background work of dose: a worker process reads what a hint or the sweep tells it of."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from dose_builder import as_file, ct_dose_report
from dose_registry_support import Archive, Instance, note, states
from sqlalchemy import func, select
from sqlalchemy.engine import Engine

from treegarth.database.engine import DatabaseAddress, connect
from treegarth.features import dose
from treegarth.features.dose.tables import irradiation_event
from treegarth.tasks.app import TaskContext, TaskHints, worker_app


@pytest.mark.parametrize("task", [dose.READ_WAITING, "dose.sweep"])
def test_a_worker_reads_what_waits(engine: Engine, database_address: DatabaseAddress, task: str) -> None:
    sources = [Instance(f"s{number}", f"1.2.3.{number}") for number in range(3)]
    note(engine, *sources)
    archive = Archive(**{source.orthanc_instance_id: as_file(ct_dose_report()) for source in sources})
    context = TaskContext(engine=engine, orthanc=archive, clock=lambda: datetime.now(UTC))
    app = worker_app(database_address, [dose.blueprint(context)])
    if task == dose.READ_WAITING:
        hints = TaskHints(database_address)
        hints.announce(task)
        hints.announce(task)
        hints.close()

    async def work() -> None:
        async with app.open_async():
            if task != dose.READ_WAITING:
                await app.configure_task(f"treegarth:{task}").defer_async(timestamp=0)
            await app.run_worker_async(wait=False, install_signal_handlers=False, concurrency=2)

    with ThreadPoolExecutor(1) as apart:  # in this thread a browser's test may have left its event loop running
        apart.submit(asyncio.run, work()).result()
    assert set(states(engine).values()) == {"read"}
    with connect(engine) as connection:
        assert connection.execute(select(func.count()).select_from(irradiation_event)).scalar_one() == 3
