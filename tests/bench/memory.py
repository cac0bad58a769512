"""Resident memory of the Orthanc process over many small instances: what grows without end would show here.

The same instances are sent again and again as new ones, after a warm-up; a bare Orthanc is measured beside. Both keep
as many files in memory as the shipped configuration says: that cache fills up once, with whatever is stored.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.report import Figure
from tests.bench.store_path import send
from tests.load import small_instances
from tests.servers import WITHOUT_DELAY, OrthancServer, resident_bytes
from treegarth.commands.configuration import SHIPPED, read_configuration

SENDERS = 4
CACHE = "MaximumStorageCacheSize"


def measure() -> list[Figure]:
    """Growth over TREEGARTH_BENCH_INSTANCES instances (50,000) after a warm-up of a tenth."""
    count = int(os.environ.get("TREEGARTH_BENCH_INSTANCES", "50000"))
    planted, bare = _growth(count, planted=True), _growth(count, planted=False)
    return [
        Figure(f"memory: growth of Orthanc with Treegarth, {count} instances", planted / 2**20, "MB", at_most=50.0),
        Figure(f"memory: growth of Orthanc without it, {count} instances", bare / 2**20, "MB"),
    ]


def _growth(count: int, *, planted: bool) -> int:
    with TemporaryDirectory(prefix="bench") as place:
        section = {"SignIn": "none", "ReconcileSeconds": 60, "WorkerNiceness": 10} if planted else None
        settings = {CACHE: read_configuration(SHIPPED, {}).values[CACHE]}
        with OrthancServer(Path(place) / "server", treegarth=section, settings=settings) as server:
            server.start()
            _store(server, Path(place), seed=0, count=count // 10)
            before = resident_bytes(server.pid)
            for part in range(1, 11):
                _store(server, Path(place), seed=part * SENDERS, count=count // 10)
            if planted:
                server.wait_until_idle(300)
            return resident_bytes(server.pid) - before


def _store(server: OrthancServer, place: Path, *, seed: int, count: int) -> None:
    with TemporaryDirectory(dir=place) as folder:
        folders = [Path(folder) / str(number) for number in range(SENDERS)]
        for number, source in enumerate(folders):
            small_instances(count // SENDERS, source, seed=seed + number)
        send(server, folders, environment=WITHOUT_DELAY)
