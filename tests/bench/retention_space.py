"""A policy by space while objects keep coming: how far the archive exceeds its high mark, what ingest pays for it.

An archive is filled to just below the mark; then objects arrive, at a steady pace at first, then as fast as four
senders can. The same is done without the policy, in alternating runs.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import requests
from pydicom import dcmread
from pynetdicom import AE

from tests.bench.report import Figure
from tests.bench.store_path import send
from tests.load import bench_instances
from tests.servers import OrthancServer
from treegarth.features.retention.deletion import LARGEST_BATCH

OLD, PACED, FAST = 1500, 800, 1200  # objects of half a megabyte
PER_S = 20.0
SENDERS = 4
RATE_PER_MINUTE = 3000


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one run showed; objects beyond the high mark."""

    paced_s: float
    fast_per_s: float
    above_paced: int = 0
    above_fast: int = 0
    above_at_end: int = 0


def measure(*, pairs: int = 2) -> list[Figure]:
    """Alternate runs without and with the policy, each on fresh folders."""
    with TemporaryDirectory(prefix="bench") as place:
        root = Path(place)
        old = bench_instances(OLD, root / "old", seed=1, series_size=50)
        paced = bench_instances(PACED, root / "paced", seed=2, series_size=50)
        fast = [root / f"fast{number}" for number in range(SENDERS)]
        for number, folder in enumerate(fast):
            bench_instances(FAST // SENDERS, folder, seed=10 + number, series_size=50)
        object_bytes = sum(path.stat().st_size for path in old) // OLD
        free, held = [], []
        for number in range(pairs):
            free.append(_run(root / f"free{number}", root / "old", paced, fast, None))
            held.append(_run(root / f"held{number}", root / "old", paced, fast, object_bytes))
    at_pace, at_speed = f"space policy: {PER_S:g}/s", f"space policy: {SENDERS} senders at full speed"
    return [
        Figure(f"{at_pace}, most above the high mark", _most(held, "above_paced"), "objects", at_most=LARGEST_BATCH),
        Figure(f"{at_pace}, time with ÷ without", _ratio(free, held, "paced_s"), "ratio", at_most=1 / 0.9),
        Figure(f"{at_speed}, throughput with ÷ without", _ratio(free, held, "fast_per_s"), "ratio", at_least=0.9),
        Figure(f"{at_speed}, most above the high mark", _most(held, "above_fast"), "objects"),
        Figure("space policy: above the high mark in the end", _most(held, "above_at_end"), "objects", at_most=0),
    ]


def _ratio(free: list[Run], held: list[Run], name: str) -> float:
    return median(getattr(one, name) / getattr(other, name) for one, other in zip(held, free, strict=True))


def _most(runs: list[Run], name: str) -> int:
    return max(getattr(run, name) for run in runs)


def _run(folder: Path, old: Path, paced: list[Path], fast: list[Path], object_bytes: int | None) -> Run:
    section = {"SignIn": "none", "ReconcileSeconds": 60, "StableSeconds": 1, "WorkerNiceness": 10}
    with OrthancServer(folder, treegarth=section) as server:
        server.start()
        send(server, [old])
        server.wait_until_idle(300)
        watch = None
        if object_bytes is not None:
            _switch_on(server, OLD * object_bytes, object_bytes)
            watch = _Watch(server)
        sleep(5)
        begin = monotonic()
        _send_paced(server, paced)
        paced_s = monotonic() - begin
        above_paced = watch.take() if watch else 0
        begin = monotonic()
        send(server, fast)
        fast_s = monotonic() - begin
        if watch is None:
            return Run(paced_s=paced_s, fast_per_s=FAST / fast_s)
        sleep(FAST / RATE_PER_MINUTE * 60 + 5)
        above_fast, at_end = watch.take(), watch.end()
    return Run(
        paced_s=paced_s,
        fast_per_s=FAST / fast_s,
        above_paced=above_paced,
        above_fast=above_fast,
        above_at_end=at_end,
    )


def _switch_on(server: OrthancServer, mark: int, object_bytes: int) -> None:
    document: dict[str, Any] = {
        "name": "space",
        "why": "a benchmark",
        "keep": "nothing",
        "proof": "none",
        "space": {"high": f"{mark / 1e6:.6f} MB", "low": f"{(mark - 50 * object_bytes) / 1e6:.6f} MB"},
        "minimum age": "0 minutes",
        "grace": "0 minutes",
        "rate": RATE_PER_MINUTE,
        "ask twice above": "100 %",
    }
    made = requests.post(f"{server.api}/retention/policies", json={"document": document}, timeout=60)
    made.raise_for_status()
    address = f"{server.api}/retention/policies/{made.json()['id']}/state"
    requests.put(address, json={"is_on": True}, timeout=60).raise_for_status()


def _send_paced(server: OrthancServer, files: list[Path]) -> None:
    """One association, an object every 1 / PER_S seconds."""
    entity = AE()
    first = dcmread(files[0], stop_before_pixels=True)
    entity.add_requested_context(first.SOPClassUID, first.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", server.dicom_port, ae_title="TREEGARTH")
    if not association.is_established:
        raise RuntimeError("No association.")
    begin = monotonic()
    for number, path in enumerate(files):
        sleep(max(0.0, begin + number / PER_S - monotonic()))
        if association.send_c_store(path).Status != 0:
            raise RuntimeError(f"{path.name} was not stored.")
    association.release()


class _Watch:
    """Asks Orthanc each second how many objects it has beyond the mark."""

    def __init__(self, server: OrthancServer) -> None:
        self._server = server
        self._above: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def take(self) -> int:
        """The most that was seen since this was asked before."""
        seen, self._above = self._above, self._above[-1:]
        return max(0, *seen)

    def end(self) -> int:
        """What there is now."""
        self._stop.set()
        self._thread.join()
        return max(0, self._above[-1])

    def _run(self) -> None:
        while not self._stop.wait(1.0):
            self._above.append(self._server.orthanc("statistics")["CountInstances"] - OLD)
