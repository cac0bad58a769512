"""Answer requests on threads of our own, with stacks as large as any program's.

Orthanc calls the plugin on threads whose stacks have 100 KB. What recurses in C (json, pydantic, SQLAlchemy) runs over
the end of such a stack, and SIGSEGV ends the whole server. So Orthanc's thread only waits here, and answers itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context
from queue import SimpleQueue
from time import monotonic
from typing import Generic, TypeVar

STACK_BYTES = 8 << 20
"""What Linux gives to a program's first thread; taken page by page, as it is used."""

ANSWER_WITHIN_S = 180.0
"""The longest question to the database may take 120 s; who still waits after this gets his thread back."""

T = TypeVar("T")


class NotAnsweredInTime(Exception):
    """Nobody answered within ANSWER_WITHIN_S. The work goes on where it had begun; its outcome is let go."""


class _Work(Generic[T]):
    """One request: begun by one of the threads unless given up before, and told by a lock when it is done."""

    def __init__(self, do: Callable[[], T]) -> None:
        self._do = do
        self._claim = threading.Lock()
        self._done = threading.Lock()
        self._done.acquire()
        self._outcome: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do it, in a context of its own: nothing that it sets is there for the thread's next request."""
        if not self._claim.acquire(blocking=False):
            return
        try:
            self._outcome.append(Context().run(self._do))
        except BaseException as error:
            self._error = error
        self._done.release()

    def result(self, timeout_s: float) -> T:
        if not self._done.acquire(timeout=timeout_s):
            self._claim.acquire(blocking=False)  # unless it has begun
            raise NotAnsweredInTime
        if self._error is not None:
            raise self._error
        return self._outcome[0]


class RequestThreads:
    """At most so many threads, each started when one more is needed. They end with the process."""

    def __init__(self, most: int, *, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self.given_up = 0
        """Requests that nobody answered in time, since the start."""
        self._most = most
        self._answer_within_s = answer_within_s
        self._waiting: SimpleQueue[_Work[object]] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._growing = threading.Lock()
        self._started = 0

    def run(self, do: Callable[[], T]) -> T:
        """What `do` returns or raises, on one of the threads. Raises NotAnsweredInTime."""
        begin = monotonic()
        work = _Work(do)
        self._waiting.put(work)  # type: ignore[arg-type] # a queue of works of every kind
        if not self._idle.acquire(blocking=False):
            self._grow()
        try:
            return work.result(self._answer_within_s - (monotonic() - begin))
        except NotAnsweredInTime:
            self.given_up += 1
            raise

    def _grow(self) -> None:
        with self._growing:
            if self._started == self._most:
                return
            self._started += 1
            before = threading.stack_size(STACK_BYTES)  # of every thread that is started meanwhile: no harm
            try:
                threading.Thread(target=self._serve, name=f"request {self._started}", daemon=True).start()
            finally:
                threading.stack_size(before)

    def _serve(self) -> None:
        while True:
            self._waiting.get().run()
            self._idle.release()
