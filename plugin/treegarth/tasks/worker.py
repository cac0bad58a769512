"""A worker process: takes tasks until it is told to end, by a signal or, as a child, by its input closing."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO

from procrastinate import App

from treegarth.tasks.app import HEARTBEAT_S, NETWORK_QUEUE, STALLED_AFTER_S
from treegarth.tasks.shutdown import announce_end

# Tasks at once in one process: of those that compute one may wait for Orthanc meanwhile.
_CONCURRENCY = {"default": 2, NETWORK_QUEUE: 16}
_FINISH_WITHIN_S = 3.0

logger = logging.getLogger(__name__)


def run_worker(app: App, *, until_closed: IO[bytes] | None = None, name: str = "worker") -> None:
    """Work until SIGTERM, SIGINT or the end of `until_closed`; then finish what is at hand, for three seconds."""
    if until_closed is not None:
        threading.Thread(target=_end_with, args=(until_closed,), name="parent-watch", daemon=True).start()
    asyncio.run(_work(app, name))


async def _work(app: App, name: str) -> None:
    """Two loops in one process: tasks that compute, few at once, and tasks that wait for other machines."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(sum(_CONCURRENCY.values()) + 2, thread_name_prefix="task"))
    async with app.open_async():
        workers = [
            asyncio.create_task(
                app.run_worker_async(
                    name=f"{name} {queue}",
                    queues=[queue],
                    concurrency=concurrency,
                    fetch_job_polling_interval=1.0,  # new tasks wake us; this finds those whose time has come
                    shutdown_graceful_timeout=_FINISH_WITHIN_S,
                    delete_jobs="successful",
                    update_heartbeat_interval=HEARTBEAT_S,
                    stalled_worker_timeout=STALLED_AFTER_S,
                    install_signal_handlers=False,  # of two, the second would take the first one's place
                )
            )
            for queue, concurrency in _CONCURRENCY.items()
        ]
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _end, workers)
        done, rest = await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
        _cancel(rest)  # those that are told to end already go on with that
        await asyncio.gather(*rest, return_exceptions=True)
        for one in done:
            if not one.cancelled():
                one.result()


def _end(workers: Sequence[asyncio.Task[None]]) -> None:
    if any(one.cancelling() for one in workers):
        return
    announce_end()
    _cancel(workers)
    watch = threading.Timer(_FINISH_WITHIN_S + 0.5, os._exit, (0,))  # a thread that waits for a slow node goes on
    watch.daemon = True
    watch.start()


def _cancel(workers: Iterable[asyncio.Task[None]]) -> None:
    """Once: cancelled again, a worker would leave its tasks behind instead of waiting for them."""
    for one in workers:
        if not one.cancelling():
            one.cancel()


def _end_with(stream: IO[bytes]) -> None:
    """Our parent holds the other end open as long as it lives. A buffered read would hold the stream's lock, without
    which Python cannot end: it aborts."""
    while os.read(stream.fileno(), 4096):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_FINISH_WITHIN_S + 2.0)
    os._exit(1)  # a task that does not listen: its work is a state in the database
