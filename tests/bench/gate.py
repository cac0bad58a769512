"""What the gate before Orthanc's HTTP costs a request: the same Orthanc with and without it, in alternating bursts.

One connection that stays open asks, so that what is compared is the request and not its connection. The token is known:
nothing is asked of the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

import requests

from tests.bench.report import Figure
from tests.load import bench_instances
from tests.servers import OrthancServer
from tests.sign_in_support import add_token, add_user, of_user, until

PLUGINS = ("libOrthancPython.so", "libOrthancDicomWeb.so")
ROUNDS = 30
SMALL, LARGE = 200, 20  # requests of a burst
_SETTLING_S = 8.0


def measure() -> list[Figure]:
    """Of `/system`, and of a frame of 512 × 512 by WADO-RS."""
    with TemporaryDirectory(prefix="bench") as place, ExitStack() as stack:
        (path,) = bench_instances(1, Path(place) / "objects")
        servers: dict[str, tuple[OrthancServer, Mapping[str, str]]] = {}
        for name, sign_in in (("open", "none"), ("guarded", "treegarth")):
            server = OrthancServer(Path(place) / name / "server", treegarth={"SignIn": sign_in}, plugins=PLUGINS)
            stack.enter_context(server).start()
            headers: dict[str, str] = {}
            if name == "guarded":
                headers = of_user(add_token(server, add_user(server, "admin", "administrator")))
                until(200, "GET", f"{server.url}/system", 10, headers=headers)
            made = requests.post(f"{server.url}/instances", data=path.read_bytes(), headers=headers, timeout=60)
            made.raise_for_status()
            servers[name] = (server, headers)
        tags = requests.get(
            f"{servers['open'][0].url}/instances/{made.json()['ID']}/simplified-tags", timeout=60
        ).json()
        frame = (
            f"/dicom-web/studies/{tags['StudyInstanceUID']}/series/{tags['SeriesInstanceUID']}"
            f"/instances/{tags['SOPInstanceUID']}/frames/1"
        )
        sleep(_SETTLING_S)
        system = _alternate(servers, "/system", SMALL)
        frames = _alternate(servers, frame, LARGE)
    more = [median(g) - median(o) for o, g in zip(system["open"], system["guarded"], strict=True)]
    tail = _p99(system["guarded"]) - _p99(system["open"])
    speed = [sum(o) / sum(g) for o, g in zip(frames["open"], frames["guarded"], strict=True)]
    return [
        Figure("gate: /system without it, median", median(map(median, system["open"])), "ms"),
        Figure("gate: more at the median", median(more), "ms", at_most=0.10),
        Figure("gate: more at p99", tail, "ms", at_most=1.0),
        Figure("gate: frames of 512 × 512 by WADO-RS", median(speed), "with ÷ without", at_least=0.95),
    ]


def _alternate(
    servers: Mapping[str, tuple[OrthancServer, Mapping[str, str]]], path: str, count: int
) -> dict[str, list[list[float]]]:
    """Milliseconds of each request, by burst; the first burst of each warms up."""
    found: dict[str, list[list[float]]] = {name: [] for name in servers}
    for number in range(ROUNDS + 1):
        for name, (server, headers) in servers.items():
            burst = _burst(server.http_port, path, headers, count)
            if number:
                found[name].append(burst)
    return found


def _burst(port: int, path: str, headers: Mapping[str, str], count: int) -> list[float]:
    connection, taken = HTTPConnection("127.0.0.1", port, timeout=60), []
    for _ in range(count):
        begin = perf_counter()
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        answer.read()
        taken.append((perf_counter() - begin) * 1000)
        assert answer.status == 200
    connection.close()
    return taken


def _p99(bursts: list[list[float]]) -> float:
    every = sorted(one for burst in bursts for one in burst)
    return every[int(len(every) * 0.99)]
