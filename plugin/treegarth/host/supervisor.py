"""Keep everything beside Orthanc alive: the database, its migrations, the indexer, the workers. One thread.

Starting and stopping never makes Orthanc wait longer than it says here, and nothing that fails here stops a store:
without a database, headers wait in memory, then identifiers, then the reconciler finds what is missing.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import Engine, select

from treegarth.database.embedded import EmbeddedServer
from treegarth.database.engine import DatabaseAddress, connect, create_engine
from treegarth.errors import TreegarthError
from treegarth.host.children import Child
from treegarth.host.feed import IndexerFeed
from treegarth.host.memory import MemoryReturn
from treegarth.orthanc.client import OrthancAddress

STOP_WITHIN_S = 4.0  # of the 10 s in which Orthanc, too, has to have ended
_FOR_THE_DATABASE_S = 1.5  # of those, kept for the database, which ends last
_TICK_S = 0.25
_WEB_CONNECTIONS = 12
_WEB_STATEMENT_TIMEOUT_S = 20.0
MIGRATION_REFUSED = 3  # the exit code of a migration that trying again does not mend

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to keep alive."""

    database: DatabaseAddress | None  # None: the embedded server
    embedded_folder: Path
    workers: int
    orthanc: OrthancAddress
    settings: Mapping[str, Any]  # handed to the children as it is


class Supervisor:
    """Starts the parts in order, watches them, stops them in the opposite order."""

    def __init__(self, plan: Plan, feed: IndexerFeed) -> None:
        self._plan = plan
        self._feed = feed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._embedded = EmbeddedServer(plan.embedded_folder) if plan.database is None else None
        self.engine: Engine | None = None
        self.indexer: Child | None = None
        self.workers: Sequence[Child] = ()
        self.state = "starting"  # of the database as a whole: starting, up, refused
        self.problem: str | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End all parts within STOP_WITHIN_S: workers and indexer finish what they have at hand, then the database."""
        deadline = monotonic() + STOP_WITHIN_S
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(deadline - monotonic() - _FOR_THE_DATABASE_S)
        self._end_children(deadline - _FOR_THE_DATABASE_S)
        if self.engine is not None:
            self.engine.dispose()
        if self._embedded is not None:
            self._embedded.stop(timeout_s=max(1.0, deadline - monotonic()))

    def _run(self) -> None:
        pause_s = 0.5
        while not self._stop.is_set():
            try:
                address = self._bring_up_database()
                if address is None:
                    return
                self._watch(address)
            except TreegarthError as error:
                self.problem = str(error)
                logger.error("The database is not ready; storing goes on, the index waits. %s", error)
            except Exception:
                logger.exception("The supervisor failed and begins anew.")
            self._stop.wait(pause_s)
            pause_s = min(30.0, pause_s * 2)

    def _bring_up_database(self) -> DatabaseAddress | None:
        """The address of a migrated database, waiting for it; None where it can never be used by this version."""
        pause_s = 0.5
        while not self._stop.is_set():
            address = self._embedded.start() if self._embedded else self._plan.database
            if self._embedded and self._stop.is_set():  # it was being made when `stop` looked for it
                self._embedded.stop()
                return None
            if address is None:
                raise TreegarthError("There is neither an embedded nor a configured database.")
            migration = Child("migrate", {"database": _spoken(address)})
            migration.start()
            code = None
            while code is None and not self._stop.is_set():
                code = migration.wait(_TICK_S)
            if code == 0:
                self.problem = None
                return address
            if code == MIGRATION_REFUSED:
                self.state, self.problem = "refused", "The database cannot be used by this version: see the log."
                return None
            self._stop.wait(pause_s)
            pause_s = min(10.0, pause_s * 2)
        return None

    def _watch(self, address: DatabaseAddress) -> None:
        self.engine = create_engine(
            address,
            pool_size=_WEB_CONNECTIONS,
            application_name="treegarth web",
            statement_timeout_s=_WEB_STATEMENT_TIMEOUT_S,
        )
        instructions = {
            "database": _spoken(address),
            "orthanc": dataclasses.asdict(self._plan.orthanc),
            "settings": self._plan.settings,
        }
        self.indexer = Child("indexer", instructions)
        self.workers = [
            Child("worker", instructions, name=f"worker {number + 1}") for number in range(self._plan.workers)
        ]
        self.state = "up"
        logger.info("The index is in %s.", "the embedded PostgreSQL" if self._embedded else address.url)
        memory = MemoryReturn(monotonic())
        try:
            while not self._stop.is_set():
                self._restart_what_died(address)
                memory.tick(monotonic())
                self._stop.wait(_TICK_S)
        except TreegarthError:
            self._end_children(monotonic() + 2.0)
            raise

    def _end_children(self, deadline: float) -> None:
        """Let the children finish what they have at hand until then; whoever does not is killed."""
        for worker in self.workers:
            worker.close_input()
        self._feed.release()
        for child in (*self.workers, self.indexer):
            if child is not None and child.wait(max(0.1, deadline - monotonic())) is None:
                child.kill()

    def _restart_what_died(self, address: DatabaseAddress) -> None:
        if self._embedded is not None and not self._embedded.is_running():
            logger.error("The embedded PostgreSQL has ended and is started again.")
            if self._embedded.start() != address:
                raise TreegarthError("The embedded PostgreSQL came back at another address.")
        if self.indexer is not None and self.indexer.restart_if_dead():
            self._feed.serve(self.indexer.input, self.indexer.output)
        for worker in self.workers:
            worker.restart_if_dead()


class DatabaseMonitor:
    """Asks the database for a sign of life every two seconds, so that requests need not wait to learn it is down."""

    SILENT_AFTER_S = 8.0

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._stop = threading.Event()
        self.last_answer: float | None = None  # monotonic seconds

    def start(self) -> None:
        threading.Thread(target=self._run, name="database-monitor", daemon=True).start()

    @property
    def is_up(self) -> bool:
        return self.last_answer is not None and monotonic() - self.last_answer < self.SILENT_AFTER_S

    def engine(self) -> Engine | None:
        """The engine for requests; None while the database is starting or silent."""
        return self._supervisor.engine if self.is_up else None

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(0.5 if self.last_answer is None else 2.0):
            engine = self._supervisor.engine
            if engine is None:
                continue
            try:
                with connect(engine) as connection:
                    connection.execute(select(1))
                self.last_answer = monotonic()
            except TreegarthError as error:
                logger.debug("The database gave no sign of life: %s", error)


def _spoken(address: DatabaseAddress) -> dict[str, str | None]:
    return {"url": address.url, "password": address.password}
