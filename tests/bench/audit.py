"""What the audit trail costs: a request that tells of itself, the writer, and a look at the whole chain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from sqlalchemy import Engine

from tests.audit_events import KEY, viewed
from tests.bench.report import Figure
from treegarth.access.actors import EVERY_PERMISSION, Actor, Permission
from treegarth.audit.orthanc_addresses import event_of
from treegarth.audit.store import append, read_heads, verify_chain
from treegarth.audit.writer import Trail
from treegarth.database.embedded.server import EmbeddedServer
from treegarth.database.engine import create_engine
from treegarth.database.migration import migrate

TIMES = 20_000
PIECE = 500
PIECES = 40
ACTOR = Actor(name="anna", permissions=EVERY_PERMISSION, user_id=7, session_id=9, roles=("physicist",))
FRAME = "/dicom-web/studies/1.2.840.1/series/1.2.840.2/instances/1.2.840.3/frames/1"


def measure() -> list[Figure]:
    """Of an address of Orthanc's that shows pixels; events are written by 500, as after an outage."""
    with TemporaryDirectory(prefix="bench") as place, _database(Path(place)) as engine:
        written = _seconds_written(engine)
        begin = perf_counter()
        with engine.connect() as connection:
            (head,) = read_heads(connection)
            verdict = verify_chain(connection, head, {KEY.name: KEY})
        verified = perf_counter() - begin
        assert verdict.is_whole
        return [
            Figure("audit: more for a request that tells of itself", _microseconds_told(Path(place)), "µs", at_most=50),
            Figure("audit: events written", PIECE * PIECES / written, "a second", at_least=500),
            Figure("audit: events verified", verdict.events / verified, "a second", at_least=5000),
        ]


def _microseconds_told(folder: Path) -> float:
    """To make an event and to put it, in the median of bursts."""
    found = []
    for _ in range(20):
        trail = Trail(lambda: None, "a", folder / "none.jsonl", lambda: KEY, lambda: datetime.now(UTC))
        begin = perf_counter()
        for _ in range(TIMES // 20):
            event = event_of(
                actor=ACTOR,
                address="10.0.0.9",
                method="GET",
                path=FRAME,
                arguments={},
                needs=Permission.SEE_STUDIES,
                is_allowed=True,
                at=datetime.now(UTC),
            )
            assert event is not None
            trail.put(event)
        found.append((perf_counter() - begin) / (TIMES // 20) * 1e6)
    return median(found)


def _seconds_written(engine: Engine) -> float:
    begin = perf_counter()
    for piece in range(PIECES):
        events = [(f"k{piece}-{number}", viewed(number)) for number in range(PIECE)]
        with engine.begin() as connection:
            append(connection, "a", events, KEY, datetime.now(UTC))
    return perf_counter() - begin


@contextmanager
def _database(folder: Path) -> Iterator[Engine]:
    server = EmbeddedServer(folder / "postgresql")
    address = server.start()
    try:
        migrate(address)
        engine = create_engine(address)
        yield engine
        engine.dispose()
    finally:
        server.stop()
