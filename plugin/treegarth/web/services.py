"""What handlers work with: the database, Orthanc, the host's figures, the clock. Made once, in bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from treegarth.access.known import Known
from treegarth.access.passwords import Argon2id, Passwords
from treegarth.audit.model import NothingRecorded, Recorder
from treegarth.audit.writer import TrailFigures
from treegarth.database.engine import connect, transaction
from treegarth.errors import DatabaseUnavailable
from treegarth.orthanc.client import OrthancClient
from treegarth.phrases import Phrase
from treegarth.reach import Reach
from treegarth.settings import Settings

CheckState = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, kw_only=True)
class SelfCheck:
    """One known trap, and whether this installation stands in it."""

    name: str  # a msgid
    state: CheckState
    sentence: Phrase


DiskPlace = Literal["storage", "index", "database"]
MemoryPart = Literal["orthanc", "indexer", "workers", "database"]


@dataclass(frozen=True, kw_only=True)
class Disk:
    """The file system that something of this server is on. Two places are on one where `device` is the same."""

    place: DiskPlace
    device: int
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, kw_only=True)
class WorkerStatus:
    pid: int
    alive: bool
    restarts: int


@dataclass(frozen=True, kw_only=True)
class HostStatus:
    """What the plugin knows of itself without asking the database."""

    queue_length: int  # headers that wait to be piped to the indexer
    queue_bytes: int
    indexed: int  # instances that the index took up since the start: new to it, or stored again
    pending: int  # stores and deletions that Orthanc reported and the index has not taken up yet
    dropped_headers: int  # headers let go by a full queue; the indexer reads these from Orthanc
    requests_given_up: int  # of Treegarth's pages and API, which nobody answered in time
    refused_nested: int  # objects that came by C-STORE and were refused: nested too deep
    callback_median_ms: float | None
    callback_p99_ms: float | None
    lag_median_s: float | None  # from stored to searchable
    lag_p99_s: float | None
    indexer_alive: bool
    indexer_restarts: int
    workers: tuple[WorkerStatus, ...]
    started_at: datetime
    versions: dict[str, str] = field(default_factory=dict)  # treegarth, orthanc, plugin sdk, python, ...
    database_state: str = "starting"  # starting, up, down
    database_last_answer_at: datetime | None = None
    self_check: tuple[SelfCheck, ...] = ()
    disks: tuple[Disk, ...] = ()  # as of the last minute; empty before the first
    memory_bytes: Mapping[MemoryPart, int] = field(default_factory=dict)  # of those parts that run on this machine
    trail: TrailFigures | None = None  # of the audit trail's writer


class HostFigures(Protocol):
    """The plugin's own figures, and what can be asked of it."""

    def figures(self) -> HostStatus:
        """The present figures; never waits."""

    def request_reconcile(self) -> None:
        """Ask for a comparison of the index with Orthanc now; returns at once."""


class Database:
    """The door to PostgreSQL for handlers; shut while the server starts or is down, and then it says so quickly.

    The provider answers None while there is no database to use. Its engine should bound each statement's time
    (`create_engine(..., statement_timeout_s=...)`): a slow search must not hold one of Orthanc's threads for good.
    """

    def __init__(self, engine: Callable[[], Engine | None]) -> None:
        self._engine = engine

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection that only reads. Raises DatabaseUnavailable."""
        with connect(self._present()) as connection:
            yield connection.execution_options(postgresql_readonly=True)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A connection in a transaction that commits at the end. Raises DatabaseUnavailable."""
        with transaction(self._present()) as connection:
            yield connection

    def _present(self) -> Engine:
        engine = self._engine()
        if engine is None:
            raise DatabaseUnavailable
        return engine


@dataclass(frozen=True, kw_only=True)
class Services:
    """What handlers work with. Time is an argument here as everywhere: ask `clock`."""

    database: Database
    settings: Settings
    reach: Reach
    orthanc: OrthancClient
    host: HostFigures
    clock: Callable[[], datetime]
    zone: ZoneInfo  # that pages show
    web_directory: Path  # holds templates/, static/, vendor/, locales/
    known: Known | None = None  # who may do what; None where nobody signs in
    passwords: Passwords = field(default_factory=Argon2id)
    audit: Recorder = field(default_factory=NothingRecorded)
    site_name: str = "Orthanc"  # what Orthanc is called here, which printed pages say

    @property
    def knows_users(self) -> bool:
        """Whether it can be said who may do what."""
        return self.known is None or self.known.is_told

    def refresh_known(self) -> None:
        """What was changed holds for the next request, on this Orthanc at once. Raises DatabaseUnavailable."""
        if self.known is not None:
            self.known.refresh()
