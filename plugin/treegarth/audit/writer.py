"""The one writer of a server's trail: takes events from a queue, writes them in batches, and loses none in silence.

While the database is away events go to a file, and follow in their order when it is back; each is written once, because
each has a key. Where the file cannot be written either, events stay in
memory as long as there is room; what is let go then is counted, said in the log and on the page about the system.
"""

from __future__ import annotations

import logging
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread
from time import monotonic

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from treegarth.audit.bundles import Bundles
from treegarth.audit.chain import SigningKey
from treegarth.audit.journal import PIECE, Journal
from treegarth.audit.model import Event, What
from treegarth.audit.store import append, cut, resolve
from treegarth.database.engine import transaction
from treegarth.errors import TreegarthError

MOST_WAITING = 50_000
"""Events in memory, some 50 MB; what comes then is let go."""
GATHER_S = 0.25
"""Between two looks at the queue: who is woken by each event takes the interpreter's lock from the requests that make
them."""
LOOK_EVERY_S = 1.0
TRY_AGAIN_S = 2.0
CUT_EVERY_S = 3600.0
STORED_WAIT = timedelta(seconds=10)
"""For the index to know of what study an object is."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TrailFigures:
    """How the writer does."""

    written: int
    """Since the start."""
    waiting: int
    """In memory."""
    in_file: int
    """In the file, until the database is back."""
    lost: int
    """Let go since the start: neither the database nor the file took them, and memory was full."""
    wrong: str | None
    """What keeps events from the database at present: an error's class."""


class Trail:
    """Of one Orthanc."""

    def __init__(
        self,
        engine: Callable[[], Engine | None],
        server: str,
        file: Path,
        key: Callable[[], SigningKey],
        clock: Callable[[], datetime],
        *,
        keep: timedelta | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """`key` is asked on the writer's thread, once; `keep` is how long events stay."""
        self._engine, self._server, self._key, self._clock, self._keep = engine, server, key, clock, keep
        self._file = file
        self._queue: SimpleQueue[Event] = SimpleQueue()
        self._most_waiting = most_waiting
        self._bundles = Bundles()
        self._stored: deque[Event] = deque()  # until the index knows their studies
        self._held: deque[tuple[str, Event]] = deque()  # that neither database nor file took yet
        self._start_name, self._count = secrets.token_hex(8), 0
        self._stop = Flag()
        self._thread: Thread | None = None
        self._journal: Journal | None = None
        self._signer: SigningKey | None = None
        self._tried_at = self._cut_at = self._looked_at = -CUT_EVERY_S
        self._written = self._lost = self._lost_told = 0
        self._wrong: str | None = None

    # ---- for whoever has something to tell ----
    def put(self, event: Event) -> None:
        """Take an event; never waits, never raises."""
        if self._queue.qsize() >= self._most_waiting:
            self._lost += 1
            return
        self._queue.put(event)

    def figures(self) -> TrailFigures:
        """The present figures; never waits."""
        return TrailFigures(
            written=self._written,
            waiting=self._queue.qsize() + len(self._held) + len(self._stored),
            in_file=self._journal.waiting if self._journal else 0,
            lost=self._lost,
            wrong=self._wrong,
        )

    # ---- the writer ----
    def start(self) -> None:
        self._thread = Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Write what there is, to the database or the file."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.step()
                if self._queue.qsize() < PIECE:
                    self._stop.wait(GATHER_S)
            except Exception:
                logger.exception("The audit trail could not be written; its events wait.")
                self._stop.wait(TRY_AGAIN_S)
        try:
            self.step(ends=True)
        except Exception:
            logger.exception("The audit trail could not be written to its end.")

    def step(self, *, ends: bool = False) -> None:
        """Take what has come and write it; `ends` writes also what waits for repeats or for the index."""
        came = self._come()
        now = self._clock()
        events: list[Event] = []
        if monotonic() - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = monotonic()
            events = self._bundles.due(now)
        for event in came:
            if event.what is What.STORE and event.resources:
                self._stored.append(event)
            else:
                events += self._bundles.take(event)
        events += self._objects(now, ends=ends)
        if ends:
            events += self._bundles.rest()
        self._held.extend((self._next_key(), one) for one in events)
        self._write(is_last=ends)
        self._tell_lost()

    def _come(self) -> list[Event]:
        found: list[Event] = []
        try:
            while len(found) < PIECE:
                found.append(self._queue.get_nowait())
        except Empty:
            pass
        return found

    def _objects(self, now: datetime, *, ends: bool) -> list[Event]:
        """Stored objects that have waited: by study, as far as the index knows it."""
        waited: list[Event] = []
        while self._stored and (ends or now - self._stored[0].at >= STORED_WAIT) and len(waited) < 10 * PIECE:
            waited.append(self._stored.popleft())
        engine = self._engine() if waited else None
        if engine is not None:
            try:
                with transaction(engine) as connection:
                    waited = resolve(connection, waited)
            except (TreegarthError, SQLAlchemyError) as error:
                logger.debug("Stored objects are written down without their study: %s", type(error).__name__)
        return [one for event in waited for one in self._bundles.take(event)]

    def _next_key(self) -> str:
        self._count += 1
        return f"{self._start_name}-{self._count}"

    def _write(self, *, is_last: bool) -> None:
        journal = self._opened_journal()
        may_try = self._wrong is None or is_last or monotonic() - self._tried_at >= TRY_AGAIN_S
        if journal.waiting and self._held:  # what waits longer goes first
            self._to_file(journal)
        if may_try:
            self._wrong = self._to_database(journal)
        if self._wrong is not None and self._held:
            self._to_file(journal)

    def _opened_journal(self) -> Journal:
        if self._journal is None:
            self._journal = Journal(self._file)
            if self._journal.waiting:
                logger.info("%d events of the audit trail wait in a file and follow.", self._journal.waiting)
        return self._journal

    def _to_database(self, journal: Journal) -> str | None:
        """Write all that waits; the class of what was wrong."""
        engine = self._engine()
        self._tried_at = monotonic()
        if engine is None:
            return "NoDatabase" if self._held or journal.waiting else None
        try:
            if self._signer is None:
                self._signer = self._key()
            while journal.waiting:
                events, end = journal.first()
                if not events:
                    journal.forget(journal.waiting, end)
                    break
                self._append(engine, events)
                journal.forget(len(events), end)
            while self._held:
                piece = list(islice(self._held, PIECE))
                self._append(engine, piece)
                for _ in piece:
                    self._held.popleft()
            self._cut(engine)
        except (TreegarthError, SQLAlchemyError) as error:
            if self._wrong is None:
                logger.warning("The audit trail goes to a file until the database takes it: %s", type(error).__name__)
            return type(error).__name__
        return None

    def _append(self, engine: Engine, events: list[tuple[str, Event]]) -> None:
        """Where PostgreSQL refuses one for what it says, the others are written, and of that one that it was."""
        try:
            self._append_all(engine, events)
        except (DataError, IntegrityError) as error:
            if len(events) > 1:
                for one in events:
                    self._append(engine, [one])
                return
            (key, event) = events[0]
            logger.error("An event of the audit trail is written without what it is about: %s.", type(error).__name__)
            bare = Event(what=event.what, outcome=event.outcome, at=event.at, way=event.way, place=event.place)
            self._append_all(engine, [(key, bare)])

    def _append_all(self, engine: Engine, events: list[tuple[str, Event]]) -> None:
        assert self._signer is not None
        with transaction(engine) as connection:
            resolved = resolve(connection, [event for _, event in events])
            named = [(key, event) for (key, _), event in zip(events, resolved, strict=True)]
            self._written += append(connection, self._server, named, self._signer, self._clock())

    def _to_file(self, journal: Journal) -> None:
        try:
            journal.append(list(self._held))
        except OSError as error:
            logger.error("The audit trail's file cannot be written: %s. Its events stay in memory.", error.strerror)
            while len(self._held) > self._most_waiting:
                self._held.popleft()
                self._lost += 1
            return
        self._held.clear()

    def _cut(self, engine: Engine) -> None:
        """Let events go that are older than they are kept, once an hour."""
        if self._keep is None or self._signer is None or monotonic() - self._cut_at < CUT_EVERY_S:
            return
        self._cut_at = monotonic()
        with transaction(engine) as connection:
            gone = cut(connection, self._server, self._clock() - self._keep, self._signer)
        if gone:
            logger.info("%d events of the audit trail were old enough to go.", gone)

    def _tell_lost(self) -> None:
        if self._lost > self._lost_told:
            logger.error("%d events of the audit trail were let go: nothing took them.", self._lost - self._lost_told)
            self._lost_told = self._lost
