"""Carries long work on, block by block, in turn. May run in several processes, and be killed at any point."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from procrastinate import Blueprint
from sqlalchemy import Connection, Engine

from treegarth.database.engine import connect, transaction
from treegarth.errors import DatabaseUnavailable, TreegarthError
from treegarth.phrases import P_
from treegarth.tasks.app import NETWORK_QUEUE, TaskContext
from treegarth.tasks.shutdown import WorkerEnding, is_ending, pause
from treegarth.work import store
from treegarth.work.kinds import Block, Carry, Outside, WorkKind
from treegarth.work.store import ClaimedWork

TURN_S = 20.0
"""How long one task goes on before others have their turn."""
WAITS_S = 1.0
"""For a next block that comes within so long a task waits; any other is another task's."""
GIVES_WAY = timedelta(seconds=2)
"""A block for which the database had no time, or would have waited for the store path, comes again after that."""

logger = logging.getLogger(__name__)


class Stopped(Exception):
    """Somebody stopped the work while its block was at hand."""


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Works of these kinds, each with what carries it on."""

    engine: Engine
    clock: Callable[[], datetime]
    carried: Mapping[str, tuple[WorkKind, Carry]]

    def work(self, *, seconds: float = TURN_S) -> None:
        """Every block whose turn it is, for so long."""
        self._begin_what_is_due()
        until = monotonic() + seconds
        while (left := until - monotonic()) > 0 and not is_ending():
            if not self.block() and not self._wait(left):
                return

    def block(self) -> bool:
        """One block of the work that waited longest; False where none waits."""
        claimed: ClaimedWork | None = None
        try:
            with transaction(self.engine) as connection:
                claimed = store.claim(connection, self.carried, self.clock())
                if claimed is None:
                    return False
                _, carry = self.carried[claimed.kind]
                if isinstance(carry, Outside):
                    store.put_off(connection, claimed.id, self.clock() + carry.lease)
                else:
                    begin = monotonic()
                    block = carry.block(connection, claimed, self.clock())
                    self._note(connection, claimed, block, monotonic() - begin)
            if isinstance(carry, Outside):
                self._act(claimed, carry)
            else:
                carry.after()
        except (DatabaseUnavailable, WorkerEnding) as error:
            if claimed is None:
                raise
            later = GIVES_WAY if isinstance(error, DatabaseUnavailable) else timedelta(0)
            with transaction(self.engine) as connection:
                store.put_off(connection, claimed.id, self.clock() + later)
        except TreegarthError as error:
            self._note_failure(claimed, error.sentence)
        except Exception as error:
            logger.exception("A block of long work failed.")
            self._note_failure(claimed, P_("%(kind)s; see the log.", kind=type(error).__name__))
        return True

    def _wait(self, seconds: float) -> bool:
        """Until the next block's turn; False where that is not within so long."""
        with connect(self.engine) as connection:
            turn = store.next_turn(connection, self.carried)
        if turn is None or (left := (turn - self.clock()).total_seconds()) > min(seconds, WAITS_S):
            return False
        try:
            pause(max(left, 0.0))
        except WorkerEnding:
            return False
        return True

    def _act(self, claimed: ClaimedWork, carry: Outside) -> None:
        begin = monotonic()

        def report(done: int, total: int | None) -> None:
            lease_until = self.clock() + carry.lease
            with transaction(self.engine) as connection:
                goes_on = store.report(
                    connection, claimed.id, done=claimed.done + done, total=total, lease_until=lease_until
                )
            if not goes_on:
                raise Stopped

        try:
            block = carry.act(claimed, report)
        except Stopped:
            return
        with transaction(self.engine) as connection:
            self._note(connection, claimed, block, monotonic() - begin)

    def _note(self, connection: Connection, claimed: ClaimedWork, block: Block, took_s: float) -> None:
        now = self.clock()
        done = claimed.done + block.done
        counts = {
            name: claimed.counts.get(name, 0) + block.counts.get(name, 0) for name in {**claimed.counts, **block.counts}
        }
        values: dict[str, Any] = {
            "done": done,
            "counts": counts,
            "place": block.place,
            "working_s": claimed.working_s + (took_s if block.took_s is None else block.took_s),
            "attempts": 0,
            "next_attempt_at": now + block.waits,
            "waits_for": block.waits_for,
        }
        if block.error is not None or claimed.attempts:
            values["last_error"] = block.error
        if block.total is not None:
            values["total"] = block.total
        if block.result is not None:
            values["result_name"], values["result_until"] = block.result
        if block.ends is not None:
            values |= {"state": block.ends, "finished_at": now}
        store.note_block(connection, claimed, values)

    def _note_failure(self, claimed: ClaimedWork | None, error: str) -> None:
        if claimed is None:
            return
        now, attempts = self.clock(), claimed.attempts + 1
        again_at = self.carried[claimed.kind][0].backoff.next_attempt(attempts, now)
        with transaction(self.engine) as connection:
            store.note_failure(connection, claimed.id, error, attempts=attempts, again_at=again_at, now=now)

    def _begin_what_is_due(self) -> None:
        """What begins by itself, where none of its kind runs."""
        for kind, _ in self.carried.values():
            if kind.is_due is None:
                continue
            with transaction(self.engine) as connection:
                if store.running(connection, kind.name) is None and kind.is_due(connection, self.clock()):
                    total = kind.begins(connection)
                    store.start(connection, kind.name, by=None, now=self.clock(), total=total, is_asked=False)


RUN, RUN_OUTSIDE, FORGET = "work.run", "work.run_outside", "work.forget_files"


def blueprint(context: TaskContext, carried: Sequence[tuple[WorkKind, Carry]]) -> Blueprint:
    """The tasks that carry long work on. What waits for others has a task of its own, of which many run at once."""
    tasks = Blueprint()
    computing, outside = (
        Runner(
            engine=context.engine,
            clock=context.clock,
            carried={kind.name: (kind, carry) for kind, carry in carried if kind.waits_for_others is waits},
        )
        for waits in (False, True)
    )

    @tasks.periodic(cron="* * * * * */5", periodic_id="run")
    @tasks.task(name=RUN, queueing_lock=RUN)
    def run(timestamp: int) -> None:
        """Go on with works that compute; comes again, so that others have their turn in between."""
        computing.work()

    @tasks.periodic(cron="* * * * * */5", periodic_id="run_outside")
    @tasks.task(name=RUN_OUTSIDE, queue=NETWORK_QUEUE, queueing_lock=RUN_OUTSIDE)
    def run_outside(timestamp: int) -> None:
        """Go on with works that wait for other machines."""
        outside.work()

    @tasks.periodic(cron="23 * * * *", periodic_id="forget_files")
    @tasks.task(name=FORGET, queueing_lock=FORGET)
    def forget_files(timestamp: int) -> None:
        """Delete the files whose time is over."""
        with transaction(context.engine) as connection:
            store.forget_old_files(connection, context.clock())

    return tasks
