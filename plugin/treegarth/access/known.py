"""What one Orthanc knows of users, sessions and tokens, kept up with the database. A request asks memory alone.

The version in the database is asked each half second; where it has changed all is read again, so that what is taken
away is refused within a second, on every Orthanc of the site. While the database is away what was known before goes on
for `GOES_ON`, and then nobody is known; who signs in needs the database.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from time import monotonic

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from treegarth.access.actors import Actor
from treegarth.access.snapshot import Snapshot
from treegarth.access.store import note_used, read_snapshot, read_version
from treegarth.database.engine import connect, transaction
from treegarth.errors import TreegarthError

ASK_EVERY_S = 0.5
GOES_ON = timedelta(minutes=5)
NOTE_USED_EVERY_S = 60.0
IDLE = timedelta(hours=1)
ABSOLUTE = timedelta(hours=12)

logger = logging.getLogger(__name__)


class Known:
    """The latest snapshot, and when sessions and tokens were used since it was noted."""

    def __init__(
        self,
        engine: Callable[[], Engine | None],
        clock: Callable[[], datetime],
        *,
        idle: timedelta = IDLE,
        goes_on: timedelta = GOES_ON,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._idle = idle
        self._goes_on = goes_on
        self._snapshot = Snapshot()
        self._asked_at: float | None = None  # monotonic: when the database last said that this is how it is
        self._lock = Lock()
        self._used: dict[int, datetime] = {}
        self._used_tokens: dict[int, datetime] = {}
        self._noted_at = monotonic()
        self._stop = Event()

    @property
    def snapshot(self) -> Snapshot:
        """As the database last told; nobody where that is too long ago."""
        asked_at = self._asked_at
        if asked_at is None or monotonic() - asked_at > self._goes_on.total_seconds():
            return Snapshot()
        return self._snapshot

    @property
    def is_told(self) -> bool:
        """Whether it is known who may do what: not before the database first told, nor long after it went away."""
        return self.snapshot.version >= 0

    def by_session(self, secret: str) -> Actor | None:
        now = self._clock()
        snapshot = self.snapshot
        used = self._used
        actor = snapshot.by_session(secret, now, self._idle, used)
        if actor is not None and actor.session_id is not None:
            used[actor.session_id] = now
        return actor

    def by_token(self, secret: str) -> Actor | None:
        now = self._clock()
        actor = self.snapshot.by_token(secret, now)
        if actor is not None and actor.token_id is not None:
            self._used_tokens[actor.token_id] = now
        return actor

    def by_orthanc_name(self, name: str) -> Actor:
        return self.snapshot.by_orthanc_name(name)

    # ---- keeping up ----
    def start(self) -> None:
        Thread(target=self._run, name="access", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()
        self._note_used()

    def refresh(self, *, whole: bool = False) -> None:
        """Read what has changed, or all of it. Raises DatabaseUnavailable."""
        engine = self._engine()
        if engine is None:
            return
        with self._lock, connect(engine) as connection:
            is_new = whole or read_version(connection) != self._snapshot.version
            self.learn(read_snapshot(connection, self._clock()) if is_new else self._snapshot)

    def learn(self, snapshot: Snapshot) -> None:
        """That this is how it is now."""
        self._snapshot = snapshot
        self._asked_at = monotonic()

    def _run(self) -> None:
        while not self._stop.wait(ASK_EVERY_S):
            try:
                self.refresh()
                if monotonic() - self._noted_at >= NOTE_USED_EVERY_S:
                    self._note_used()
            except (TreegarthError, SQLAlchemyError) as error:
                logger.debug("Users and sessions stay as they were known: %s", type(error).__name__)
            except Exception:
                logger.exception("Users and sessions could not be read; they stay as they were known.")

    def _note_used(self) -> None:
        """Write down when sessions and tokens were used, and read when other Orthancs saw them."""
        self._noted_at = monotonic()
        engine = self._engine()
        if engine is None:
            return
        sessions, tokens = dict(self._used), dict(self._used_tokens)
        try:
            with transaction(engine) as connection:
                note_used(connection, sessions, tokens)
            self.refresh(whole=True)
        except (TreegarthError, SQLAlchemyError) as error:
            logger.debug("When sessions were used is noted later: %s", type(error).__name__)
            return
        for kept, noted in ((self._used, sessions), (self._used_tokens, tokens)):
            for number, moment in noted.items():
                if kept.get(number) == moment:
                    kept.pop(number, None)
