"""What the filter of C-STORE, which keeps out objects nested too deep, adds to a store: the same Orthanc with
Treegarth, with the filter, and without it or any other look at nesting, in alternating bursts of eight senders.

Each sender notes when it asked and when it was answered, to the microsecond; a burst's figure is the median over its
objects. Whoever is not sent to is stopped meanwhile, as in `store_path`.
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, stdev
from tempfile import TemporaryDirectory
from time import monotonic

from tests.bench.report import Figure
from tests.bench.store_path import SECTION, TIMEOUT_S, awake, make_sources, paused
from tests.servers import WITHOUT_DELAY, OrthancServer, cpu_seconds, script_without_filter

_TIMED = """log4cplus.rootLogger = INFO, console
log4cplus.appender.console = log4cplus::ConsoleAppender
log4cplus.appender.console.logToStdErr = true
log4cplus.appender.console.layout = log4cplus::PatternLayout
log4cplus.appender.console.layout.ConversionPattern = %D{%s.%Q} %m%n
"""
_UNMEASURED = """
import treegarth.host.callbacks
treegarth.host.callbacks.nesting_beyond = lambda data: None
"""
_EVENT = re.compile(r"^(\d+)\.(\d+)\.(\d+) (Sending Store Request|Received Store Response)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Burst:
    """What one burst showed."""

    p50_ms: float
    instances_per_s: float
    orthanc_cpu_ms: float  # per instance


def measure(*, rounds: int = 25, per_sender: int = 30) -> list[Figure]:
    """The first round warms up and does not count."""
    with TemporaryDirectory(prefix="bench") as place:
        (without, filtering), inside = _alternate(Path(place), rounds, per_sender)
    pairs = list(zip(without, filtering, strict=True))
    p50 = [f.p50_ms / w.p50_ms for w, f in pairs]
    rate = [f.instances_per_s / w.instances_per_s for w, f in pairs]
    cpu = [f.orthanc_cpu_ms / w.orthanc_cpu_ms for w, f in pairs]
    return [
        Figure("admission: p50 of a store without the filter", median(one.p50_ms for one in without), "ms"),
        Figure("admission: p50 of a store, ratio", median(p50), "with ÷ without", at_most=1.02),
        Figure("admission: p50, mean of the ratios", mean(p50), "with ÷ without"),
        Figure("admission: p50, standard error", stdev(p50) / len(pairs) ** 0.5, f"of {len(pairs)} pairs"),
        Figure("admission: inside the callbacks without the filter, median", inside[0], "ms"),
        Figure("admission: inside the callbacks with it, median", inside[1], "ms"),
        Figure("admission: throughput, mean of the ratios", mean(rate), "with ÷ without"),
        Figure("admission: throughput, standard error", stdev(rate) / len(pairs) ** 0.5, f"of {len(pairs)} pairs"),
        Figure("admission: CPU of Orthanc, mean of the ratios", mean(cpu), "with ÷ without"),
        Figure("admission: CPU of Orthanc, standard error", stdev(cpu) / len(pairs) ** 0.5, f"of {len(pairs)} pairs"),
    ]


def _alternate(
    place: Path, rounds: int, per_sender: int
) -> tuple[tuple[list[Burst], list[Burst]], tuple[float, float]]:
    """The bursts without and with the filter, in pairs, and what both spent in the callbacks of a store."""
    timed = place / "timed.cfg"
    timed.write_text(_TIMED, encoding="ascii")
    script = script_without_filter(place / "without.py", then=_UNMEASURED)
    bursts: tuple[list[Burst], list[Burst]] = ([], [])
    with ExitStack() as stack:
        servers = (
            stack.enter_context(paused(place / "without", SECTION, settings={"PythonScript": str(script)})),
            stack.enter_context(paused(place / "filtering", SECTION)),
        )
        for number in range(rounds):
            sources = make_sources(place / f"objects{number}", per_sender, number + 1)
            for which in (0, 1) if number % 2 else (1, 0):
                burst = _burst(servers[which], sources, timed)
                if number:
                    bursts[which].append(burst)
            subprocess.run(["rm", "-r", str(place / f"objects{number}")], check=True)
        inside = []
        for server in servers:
            with awake(server):
                inside.append(float(server.get("status")["callback_median_ms"]))
    return bursts, (inside[0], inside[1])


def _burst(server: OrthancServer, sources: list[Path], timed: Path) -> Burst:
    with awake(server):
        cpu, begin = cpu_seconds(server.pid), monotonic()
        senders = [_begin(server, source, timed) for source in sources]
        said = [sender.communicate(timeout=TIMEOUT_S)[1] for sender in senders]
        wall = monotonic() - begin
        cpu = cpu_seconds(server.pid) - cpu
        server.wait_until_idle(120)
    times = [one for text in said for one in _milliseconds(text)]
    return Burst(p50_ms=median(times), instances_per_s=len(times) / wall, orthanc_cpu_ms=cpu / len(times) * 1000)


def _begin(server: OrthancServer, source: Path, timed: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["storescu", "-lc", str(timed), "-aec", "TREEGARTH", "+sd", "127.0.0.1", str(server.dicom_port), str(source)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **WITHOUT_DELAY},
    )


def _milliseconds(log: str) -> list[float]:
    """From each request of a sender to its answer."""
    found, asked = [], 0.0
    for seconds, milliseconds, fraction, event in _EVENT.findall(log):
        at = int(seconds) * 1000 + float(f"{milliseconds}.{fraction}")
        if event.startswith("Sending"):
            asked = at
        else:
            found.append(at - asked)
    return found
