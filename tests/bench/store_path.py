"""What Treegarth costs the store path: the same Orthanc with and without it, in alternating bursts.

Eight senders push 512×512 CT over their own associations, the same objects to a bare Orthanc, to one with Treegarth and
to one with rules, half of them asked whenever a series has come to rest. Whoever is not sent to is stopped meanwhile.
What is compared are bursts of one round, some seconds apart: on a machine whose speed drifts, longer runs would differ
by more than what is to be measured. Freshness is watched from outside, by asking PostgreSQL ten times a second what is
searchable: that takes CPU of its own, so it has a run of its own.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median, stdev
from tempfile import TemporaryDirectory
from time import monotonic, sleep, time
from typing import Any

import psycopg
import requests

from tests.bench.report import Figure
from tests.load import bench_instances
from tests.servers import OrthancServer, begin_to_store, cpu_seconds

SENDERS = 8
TIMEOUT_S = 300
RULES = 50
SETTLING_S = 12.0  # a server that has just started is still busy with itself, and so are its workers
WAKING_S = 2.5  # one that was stopped does what its clocks say is late
SECTION = {"SignIn": "none", "ReconcileSeconds": 60, "StableSeconds": 60, "WorkerNiceness": 10}


@dataclass(frozen=True, kw_only=True)
class Burst:
    """What one burst showed."""

    instances_per_s: float
    orthanc_cpu_ms: float  # per instance


def measure(*, rounds: int = 13, per_sender: int = 60, watched_per_sender: int = 150) -> list[Figure]:
    """The first round warms up and does not count."""
    with TemporaryDirectory(prefix="bench") as place:
        bursts, callback_ms = _alternate(Path(place), rounds, per_sender)
        fresh = _watch(Path(place) / "watched", make_sources(Path(place) / "objects", watched_per_sender, 0))
    bare = bursts["bare"]
    return [
        Figure("bare Orthanc: throughput", median(one.instances_per_s for one in bare), "instances/s"),
        Figure("bare Orthanc: CPU", median(one.orthanc_cpu_ms for one in bare), "ms/instance"),
        *_ratios("store path", bare, bursts["planted"], callback_ms["planted"]),
        *_ratios(f"store path, {RULES} rules on", bare, bursts["ruled"], callback_ms["ruled"]),
        Figure("freshness: stored to searchable, median", fresh[len(fresh) // 2], "s"),
        Figure("freshness: stored to searchable, p99", fresh[int(len(fresh) * 0.99)], "s", at_most=1.0),
    ]


def _ratios(name: str, bare: list[Burst], planted: list[Burst], callback_ms: float) -> list[Figure]:
    pairs = list(zip(bare, planted, strict=True))
    throughput = [p.instances_per_s / b.instances_per_s for b, p in pairs]
    cost = median(p.orthanc_cpu_ms / b.orthanc_cpu_ms for b, p in pairs)
    return [
        Figure(f"{name}: throughput ratio", median(throughput), "with ÷ without", at_least=0.95),
        Figure(f"{name}: throughput, standard error", stdev(throughput) / len(pairs) ** 0.5, f"of {len(pairs)} pairs"),
        Figure(f"{name}: CPU ratio of the Orthanc process", cost, "with ÷ without", at_most=1.20),
        Figure(f"{name}: inside the callback, median", callback_ms, "ms", at_most=0.3),
    ]


def _alternate(place: Path, rounds: int, per_sender: int) -> tuple[dict[str, list[Burst]], dict[str, float]]:
    """The bursts of each server, in pairs, and the time inside the callback of those that have one."""
    sections = {"bare": None, "planted": SECTION, "ruled": {**SECTION, "StableSeconds": 1}}
    bursts: dict[str, list[Burst]] = {name: [] for name in sections}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(paused(place / name, section)) for name, section in sections.items()}
        for number in range(rounds):
            sources = make_sources(place / f"objects{number}", per_sender, number + 1)
            for name in list(servers)[:: 1 if number % 2 else -1]:
                burst = _burst(servers[name], sources)
                if number:
                    bursts[name].append(burst)
        callback_ms = {}
        for name in ("planted", "ruled"):
            with awake(servers[name]):
                callback_ms[name] = servers[name].get("status")["callback_median_ms"]
    return bursts, callback_ms


@contextmanager
def paused(
    folder: Path, section: dict[str, Any] | None, *, settings: Mapping[str, Any] | None = None
) -> Iterator[OrthancServer]:
    """A server that has settled and was stopped; awake again at the end, so that it can end."""
    with OrthancServer(folder, treegarth=section, settings=dict(settings or {})) as server:
        server.start()
        if section is not None:
            server.wait_until_idle()
            if section["StableSeconds"] != SECTION["StableSeconds"]:
                _switch_on(server, RULES)
        sleep(SETTLING_S)
        _signal_all(server, signal.SIGSTOP)
        try:
            yield server
        finally:
            _signal_all(server, signal.SIGCONT)


@contextmanager
def awake(server: OrthancServer) -> Iterator[None]:
    _signal_all(server, signal.SIGCONT)
    sleep(WAKING_S)
    yield
    _signal_all(server, signal.SIGSTOP)


def _signal_all(server: OrthancServer, number: signal.Signals) -> None:
    """To Orthanc and everything that it has started: PostgreSQL with its connections, the indexer, the workers."""
    waiting = [server.pid]
    while waiting:
        pid = waiting.pop()
        with suppress(OSError):  # it has ended meanwhile
            for thread in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (thread / "children").read_text(encoding="ascii").split())
            os.kill(pid, number)


def _burst(server: OrthancServer, sources: list[Path]) -> Burst:
    count = sum(len(list(source.iterdir())) for source in sources)
    with awake(server):
        cpu, begin = cpu_seconds(server.pid), monotonic()
        send(server, sources)
        wall = monotonic() - begin
        cpu = cpu_seconds(server.pid) - cpu
        if server.treegarth is not None:
            server.wait_until_idle(120)
    return Burst(instances_per_s=count / wall, orthanc_cpu_ms=cpu / count * 1000)


def make_sources(folder: Path, per_sender: int, number: int) -> list[Path]:
    """A folder for each sender; another number gives other objects."""
    folders = [folder / str(sender) for sender in range(SENDERS)]
    for sender, place in enumerate(folders):
        seed = number * SENDERS + sender
        bench_instances(per_sender, place, seed=seed, series_size=per_sender // 3, series_per_study=3)
    return folders


def _watch(folder: Path, sources: list[Path]) -> list[float]:
    """Seconds from stored to searchable of every instance of a longer burst, in order."""
    with OrthancServer(folder, treegarth=SECTION) as server:
        server.start()
        server.wait_until_idle()
        sleep(SETTLING_S)
        watch = _FreshnessWatch(server)
        send(server, sources)
        server.wait_until_idle(120)
        return sorted(watch.end())


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
    requests.put(f"{server.api}/rules/text", json={"text": json.dumps(documents)}, timeout=60).raise_for_status()


def send(server: OrthancServer, sources: list[Path], *, environment: Mapping[str, str] | None = None) -> None:
    senders = [begin_to_store(server, source, environment=environment or {}) for source in sources]
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
