"""How long it takes to read every series of an archive anew, and to compare every instance with Orthanc.

A sample of objects of 0.5 MB, one a series, in a real Orthanc that does nothing else. The times of 1,000,000 studies
are the sample's rates times the series and instances that such an archive has in `rules_dry_run`.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any

import psycopg
import requests

from tests.bench.report import Figure
from tests.load import bench_instances
from tests.servers import OrthancServer, cpu_seconds, store
from treegarth.database.embedded import EmbeddedServer

SERIES, INSTANCES = 2_000_000, 6_000_000
_SECONDS = "SELECT max(extract(epoch FROM finished_at - asked_at)) FROM long_work WHERE kind = 'archive.{}'"


def measure(*, series: int = 1500) -> list[Figure]:
    """Make every series stale while no indexer runs; start it again, and see when all were read."""
    with TemporaryDirectory(prefix="bench") as place:
        bench_instances(series, Path(place) / "objects", series_size=1)
        server = OrthancServer(Path(place) / "server", treegarth={"ReconcileSeconds": 3600, "Workers": 0})
        with server.start():
            store(server, Path(place) / "objects", timeout_s=3600)
            while server.get("status")["indexed_instances"] < series:
                sleep(0.5)
            _ask(server, "UPDATE series SET is_stale = true, study_attributes = NULL")
        with server.start():
            while not _ask(server, "SELECT 1 FROM long_work WHERE kind = 'archive.mending'"):
                sleep(0.05)
            orthanc = cpu_seconds(server.pid)
            mending_s = _wait(server, "mending")
            orthanc = cpu_seconds(server.pid) - orthanc
            _ask(server, "DELETE FROM long_work WHERE kind = 'archive.comparison'")
            requests.post(f"{server.api}/reconcile", timeout=10).raise_for_status()
            comparison_s = _wait(server, "comparison")
    return [
        Figure("mending: series read anew", series / mending_s, "series/s"),
        Figure("mending: CPU of Orthanc", orthanc / series * 1000, "ms/series"),
        Figure("mending: 1,000,000 studies of two series", SERIES / series * mending_s / 3600, "hours"),
        Figure("comparison: instances compared", series / comparison_s, "instances/s"),
        Figure("comparison: 1,000,000 studies of six objects", INSTANCES / series * comparison_s / 60, "minutes"),
    ]


def _wait(server: OrthancServer, work: str) -> float:
    """The seconds that the work took, once it is done."""
    while not (found := _ask(server, _SECONDS.format(work))) or found[0][0] is None:
        sleep(0.1)
    return float(found[0][0])


def _ask(server: OrthancServer, statement: str) -> list[tuple[Any, ...]]:
    address = EmbeddedServer(server.folder / "treegarth/postgresql").running_address()
    assert address is not None
    with psycopg.connect(address.conninfo()) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []
