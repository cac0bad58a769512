"""Tasks that fail. A task is a hint, and the next one of its kind does the same work: so what failed is kept, for a
person to see and to try again, only until one of its kind works."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from procrastinate import App
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job
from procrastinate.worker import Worker

from treegarth.errors import DatabaseUnavailable, OrthancUnavailable
from treegarth.tasks.shutdown import WorkerEnding

# For procrastinate's connector, which takes texts.
_FORGET = """
DELETE FROM procrastinate_jobs AS failed
USING unnest(%(names)s::text[], %(locks)s::text[], %(ids)s::bigint[]) AS ended (name, lock, id)
WHERE failed.status = 'failed' AND failed.task_name = ended.name
  AND failed.queueing_lock IS NOT DISTINCT FROM ended.lock AND failed.id < ended.id
"""
# Of tasks that an earlier version had: what they hinted at stands in the database, and others do it now.
_FORGET_UNKNOWN = """
DELETE FROM procrastinate_jobs WHERE status IN ('todo', 'failed') AND task_name <> ALL (%(known)s::text[])
"""

logger = logging.getLogger(__name__)


class FailedTasks:
    """Sees how each task of a worker process ends, and forgets the failures before that."""

    def __init__(self) -> None:
        self._ended: dict[tuple[str, str | None], int] = {}

    async def watch(self, go_on: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker) -> Any:
        """A middleware. What only waits for the database, Orthanc or another worker has not failed."""
        try:
            result = await go_on()
        except (DatabaseUnavailable, OrthancUnavailable, WorkerEnding) as error:
            logger.warning("Task %s is left to the next one: %s", context.job.task_name, error)
            return None
        except Exception:
            self._note(context.job)
            raise
        self._note(context.job)
        return result

    def _note(self, job: Job) -> None:
        kind = job.task_name, job.queueing_lock
        self._ended[kind] = max(job.id or 0, self._ended.get(kind, 0))

    async def forget(self, app: App) -> None:
        """Delete the failures before the last task of each kind: at most one is left of each, the latest; and the tasks
        that no version has any more."""
        ended, self._ended = self._ended, {}
        await app.connector.execute_query_async(
            _FORGET,
            names=[name for name, _ in ended],
            locks=[lock for _, lock in ended],
            ids=list(ended.values()),
        )
        await app.connector.execute_query_async(_FORGET_UNKNOWN, known=list(app.tasks))
