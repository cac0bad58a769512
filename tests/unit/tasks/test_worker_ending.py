"""A worker that is told twice to end still waits for its tasks."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from treegarth.tasks.worker import _cancel


def test_a_loop_that_ends_is_not_cancelled_again() -> None:
    waited = list[str]()

    async def loop() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)  # as procrastinate waits for what is at hand
            waited.append("finished")
            raise

    async def told_twice() -> None:
        tasks = [asyncio.create_task(loop())]
        await asyncio.sleep(0)
        _cancel(tasks)
        await asyncio.sleep(0)
        _cancel(tasks)
        await asyncio.wait(tasks)

    with ThreadPoolExecutor(1) as apart:  # in this thread a browser's test may have left its event loop running
        apart.submit(asyncio.run, told_twice()).result()
    assert waited == ["finished"]
