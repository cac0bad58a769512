"""A worker process: takes tasks until it is told to end, by a signal or, as a child, by its input closing."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from typing import IO

from procrastinate import App

from treegarth.tasks.app import HEARTBEAT_S, STALLED_AFTER_S

_CONCURRENCY = 2  # tasks at once in one process: one may wait for Orthanc while another computes
_FINISH_WITHIN_S = 3.0

logger = logging.getLogger(__name__)


def run_worker(app: App, *, until_closed: IO[bytes] | None = None, name: str = "worker") -> None:
    """Work until SIGTERM, SIGINT or the end of `until_closed`; then finish what is at hand, for three seconds."""
    if until_closed is not None:
        threading.Thread(target=_end_with, args=(until_closed,), name="parent-watch", daemon=True).start()
    asyncio.run(_work(app, name))


async def _work(app: App, name: str) -> None:
    async with app.open_async():
        await app.run_worker_async(
            name=name,
            concurrency=_CONCURRENCY,
            fetch_job_polling_interval=1.0,  # new tasks wake us; this finds those whose time has come
            shutdown_graceful_timeout=_FINISH_WITHIN_S,
            delete_jobs="successful",
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=STALLED_AFTER_S,
        )


def _end_with(stream: IO[bytes]) -> None:
    """Our parent holds the other end open as long as it lives."""
    while stream.read(4096):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_FINISH_WITHIN_S + 2.0)
    os._exit(1)  # a task that does not listen: its work is a state in the database
