"""What Treegarth costs the store path: the same Orthanc with and without it, in alternating runs.

Eight senders push 512×512 CT over their own associations. Throughput and the CPU of the Orthanc process are compared
run by run. A third run of each round has rules switched on, half of them asked whenever a series has come to rest. In a
fourth, freshness is watched from outside, by asking PostgreSQL ten times a second what is searchable: that takes CPU of
its own, so it has a run of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep, time

import psycopg
import requests

from tests.bench.report import Figure
from tests.servers import OrthancServer, cpu_seconds
from treegarth.demo.load import bench_instances

SENDERS = 8
TIMEOUT_S = 300
RULES = 50
SETTLING_S = 12.0  # a server that has just started is still busy with itself, and so are its workers


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one run showed."""

    instances_per_s: float
    orthanc_cpu_ms: float  # per instance
    callback_median_ms: float | None = None
    freshness_s: tuple[float, ...] = ()


def measure(*, pairs: int = 3, per_sender: int = 150) -> list[Figure]:
    """Alternate bare runs, planted ones, those with rules and those that are watched, each on fresh folders."""
    with TemporaryDirectory(prefix="bench") as place:
        folders = _sources(Path(place) / "objects", per_sender)
        bare, planted, ruled, watched = [], [], [], []
        _run(Path(place) / "warm", folders, planted=False)
        for number in range(pairs):
            bare.append(_run(Path(place) / f"bare{number}", folders, planted=False))
            planted.append(_run(Path(place) / f"planted{number}", folders, planted=True))
            ruled.append(_run(Path(place) / f"ruled{number}", folders, planted=True, rules=RULES))
            watched.append(_run(Path(place) / f"watched{number}", folders, planted=True, is_watched=True))
    fresh = sorted(lag for run in watched for lag in run.freshness_s)
    return [
        Figure("bare Orthanc: throughput", median(r.instances_per_s for r in bare), "instances/s"),
        Figure("bare Orthanc: CPU", median(r.orthanc_cpu_ms for r in bare), "ms/instance"),
        *_ratios("store path", bare, planted),
        *_ratios(f"store path, {RULES} rules on", bare, ruled),
        Figure("freshness: stored to searchable, median", fresh[len(fresh) // 2], "s"),
        Figure("freshness: stored to searchable, p99", fresh[int(len(fresh) * 0.99)], "s", at_most=1.0),
    ]


def _ratios(name: str, bare: list[Run], planted: list[Run]) -> list[Figure]:
    pairs = list(zip(bare, planted, strict=True))
    throughput = median(p.instances_per_s / b.instances_per_s for b, p in pairs)
    cost = median(p.orthanc_cpu_ms / b.orthanc_cpu_ms for b, p in pairs)
    inside = median(run.callback_median_ms for run in planted if run.callback_median_ms is not None)
    return [
        Figure(f"{name}: throughput ratio", throughput, "with ÷ without", at_least=0.95),
        Figure(f"{name}: CPU ratio of the Orthanc process", cost, "with ÷ without", at_most=1.20),
        Figure(f"{name}: inside the callback, median", inside, "ms", at_most=0.3),
    ]


def _sources(folder: Path, per_sender: int) -> list[Path]:
    folders = [folder / str(sender) for sender in range(SENDERS)]
    for sender, place in enumerate(folders):
        bench_instances(per_sender, place, seed=sender, series_size=per_sender // 3, series_per_study=3)
    return folders


def _run(folder: Path, sources: list[Path], *, planted: bool, rules: int = 0, is_watched: bool = False) -> Run:
    section = {"Mode": "test", "ReconcileSeconds": 60, "StableSeconds": 1 if rules else 60} if planted else None
    with OrthancServer(folder, treegarth=section) as server:
        server.start()
        if planted:
            server.wait_until_idle()
        if rules:
            _switch_on(server, rules)
        sleep(SETTLING_S)
        watch = _FreshnessWatch(server) if is_watched else None
        count = sum(len(list(source.iterdir())) for source in sources)
        cpu, begin = cpu_seconds(server.pid), monotonic()
        send(server, sources)
        wall = monotonic() - begin
        cpu = cpu_seconds(server.pid) - cpu
        callback = None
        freshness: tuple[float, ...] = ()
        if planted:
            server.wait_until_idle(120)
            freshness = watch.end() if watch is not None else ()
            callback = server.get("status")["callback_median_ms"]
    return Run(
        instances_per_s=count / wall,
        orthanc_cpu_ms=cpu / count * 1000,
        callback_median_ms=callback,
        freshness_s=freshness,
    )


def _switch_on(server: OrthancServer, rules: int) -> None:
    """Rules of several clauses, each of which meets one of a few series."""
    meant = ["Modality in [CT, PT]", "StudyDescription not like '*outside*'", "origin.calling_ae_title like 'STORE*'"]
    documents = [
        {
            "name": f"rule {number}",
            "why": "a benchmark",
            "when": "series stable" if number % 2 else "study stable",
            "if": {"all": [*meant, f"SeriesNumber = {number}"]},
            "do": [{"label": f"seen {number}"}],
        }
        for number in range(rules)
    ]
    requests.post(f"{server.api}/rules/import", json={"text": json.dumps(documents)}, timeout=60).raise_for_status()


def send(server: OrthancServer, sources: list[Path], *, environment: Mapping[str, str] | None = None) -> None:
    senders = [
        subprocess.Popen(
            ["storescu", "-aec", "TREEGARTH", "+sd", "127.0.0.1", str(server.dicom_port), str(source)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
        for source in sources
    ]
    for sender in senders:
        if sender.wait(TIMEOUT_S) != 0:
            raise RuntimeError("A sender failed.")


class _FreshnessWatch:
    """Sees from outside when each instance becomes searchable."""

    def __init__(self, server: OrthancServer) -> None:
        place = server.folder / "treegarth" / "postgresql"
        password = (place / "password").read_text(encoding="ascii").strip()
        port = (place / "port").read_text(encoding="ascii").strip()
        self._connection = psycopg.connect(
            host="127.0.0.1",
            port=port,
            user="treegarth",
            password=password,
            dbname="treegarth",
            autocommit=True,
            options="-c search_path=treegarth",
        )
        self._seen: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> tuple[float, ...]:
        """Seconds from stored to seen, of every instance."""
        self._stop.set()
        self._thread.join()
        self._connection.close()
        return tuple(self._seen.values())

    def _run(self) -> None:
        last = False
        while not last:
            last = self._stop.wait(0.1)
            rows = self._connection.execute(
                "SELECT orthanc_instance_id, extract(epoch FROM received_at)::float8 FROM instance"
                " WHERE indexed_at > now() - interval '3 seconds'"
            ).fetchall()
            now = time()
            for one, received in rows:
                self._seen.setdefault(one, now - received)
