"""How many instances a second the indexer writes from a full queue, and what CPU that takes, piece by piece.

The indexer process is fed frames as the plugin sends them, without Orthanc, so that nothing else is measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, time

import pydicom

from tests.bench.report import Figure
from tests.load import bench_instances
from tests.servers import cpu_seconds
from treegarth.database.embedded import EmbeddedServer
from treegarth.database.migration import migrate
from treegarth.dicom.header_json import header_json
from treegarth.dicom.headers import TAGS, orthanc_identifiers, read_header
from treegarth.dicom.raw_elements import header_end
from treegarth.host.feed import stored_frame
from treegarth.orthanc.frames import Frame, FrameKind, encode_frame
from treegarth.settings import Settings


def measure(*, count: int = 6000) -> list[Figure]:
    """Feed one indexer `count` instances of 20 studies as fast as it takes them."""
    with TemporaryDirectory(prefix="bench") as place:
        paths = bench_instances(count, Path(place) / "objects", side=16)
        headers = [_header(path.read_bytes()) for path in paths]
        server = EmbeddedServer(Path(place) / "postgresql")
        address = server.start()
        try:
            migrate(address)
            postmaster = Path(place) / "postgresql" / "cluster" / "data" / "postmaster.pid"
            wall, cpu, database_cpu = _feed(
                headers,
                {"url": address.url, "password": address.password},
                int(postmaster.read_text(encoding="ascii").split()[0]),
            )
        finally:
            server.stop()
    return [
        Figure("index writing: from a full queue", len(headers) / wall, "instances/s"),
        Figure("index writing: CPU of the indexer", cpu / len(headers) * 1000, "ms/instance"),
        Figure("index writing: CPU of PostgreSQL", database_cpu / len(headers) * 1000, "ms/instance"),
        *_pieces(headers[0]),
    ]


def _header(data: bytes) -> bytes:
    return data[: header_end(data)]


def _feed(headers: list[bytes], database: dict[str, str | None], postmaster: int) -> tuple[float, float, float]:
    """Wall seconds and CPU seconds of indexer and PostgreSQL, from the first frame to the last acknowledgement."""
    settings = Settings(mode="test", reconcile_seconds=3600).model_dump(mode="json", by_alias=True)
    instructions = {
        "database": database,
        "orthanc": {"url": "http://127.0.0.1:9"},  # nobody listens there: the reconciler waits
        "settings": settings,
    }
    frames = [encode_frame(stored_frame(_about(data), data)) for data in headers]
    pause = encode_frame(Frame(kind=FrameKind.PAUSE, about={}))
    process = subprocess.Popen(
        [sys.executable, "-m", "treegarth.roles", "indexer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(instructions).encode() + b"\n" + frames[0] + pause)
    process.stdin.flush()
    process.stdout.readline()  # it is up
    begin, cpu, database_cpu = perf_counter(), cpu_seconds(process.pid), _cpu_of_children(postmaster)
    process.stdin.write(b"".join(frames[1:]) + pause)
    process.stdin.flush()
    acknowledged = 1
    while acknowledged < len(frames):
        acknowledged += json.loads(process.stdout.readline()).get("acknowledged", 0)
    wall, cpu = perf_counter() - begin, cpu_seconds(process.pid) - cpu
    database_cpu = _cpu_of_children(postmaster) - database_cpu
    process.stdin.close()
    process.wait(10)
    return wall, cpu, database_cpu


def _cpu_of_children(parent: int) -> float:
    """CPU seconds of a server's processes; each of its connections is one."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    return sum(cpu_seconds(int(child)) for child in children)


def _about(data: bytes) -> dict[str, object]:
    identifier = orthanc_identifiers(read_header(data)).instance
    now = time()
    return {
        "id": identifier,
        "size": 526_000,
        "origin": 2,
        "at": now,
        "RemoteAET": "CT1",
        "RemoteIP": "127.0.0.1",
        "ReceptionDate": datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S"),
    }


def _pieces(header: bytes) -> list[Figure]:
    """What one header costs: ours, and pydicom's plain reading of the same values."""
    keywords = [pydicom.datadict.keyword_for_tag(tag) for tag in TAGS.values()]

    def by_pydicom() -> None:
        dataset = pydicom.dcmread(BytesIO(header))
        for keyword in keywords:
            dataset.get(keyword)

    ours, plain = _cpu_ms(lambda: read_header(header)), _cpu_ms(by_pydicom)
    return [
        Figure("one header: read for the index", ours, "ms"),
        Figure("one header: pydicom, the same values", plain, "ms"),
        Figure("one header: ours ÷ pydicom", ours / plain, ""),
        Figure("one header: DICOM JSON, once a series", _cpu_ms(lambda: header_json(header)), "ms"),
    ]


def _cpu_ms(work: object, rounds: int = 7, repeats: int = 50) -> float:
    times = []
    for _ in range(rounds):
        begin = process_time()
        for _ in range(repeats):
            work()  # type: ignore[operator]
        times.append((process_time() - begin) / repeats * 1000)
    return median(times)
