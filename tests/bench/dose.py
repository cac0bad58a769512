"""What reading dose costs: parsing and committing every row, against bare pydicom on the same files in the same run.

On real objects where their folder lies beside the project, else on reports that are built here. Each file is read and
committed once to warm up; the rounds that count alternate bare and ours.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from pydicom import Dataset, dcmread
from sqlalchemy import Engine

from tests.bench.report import Figure
from tests.conformance import folder as conformance_folder
from tests.dose_builder import as_file, container, ct_acquisition, ct_dose_report, num, report, uidref
from tests.dose_registry_support import Archive, Instance, note
from treegarth.database.embedded import EmbeddedServer
from treegarth.database.engine import create_engine
from treegarth.database.migration import migrate
from treegarth.features.dose.registry.service import read_waiting

ROUNDS = 3
SR = "1.2.840.10008.5.1.4.1.1.88."
OPENREM_S = 23.6  # what OpenREM 1.0.0b3 takes for the 316-event report on such a machine
NOW = datetime(2024, 3, 1, tzinfo=UTC) + timedelta(days=36_500)


def measure() -> list[Figure]:
    """Reports a second, and the largest report alone."""
    reports, what = _reports()
    largest = max(reports, key=lambda name: len(reports[name]))
    with TemporaryDirectory(prefix="bench") as place:
        server = EmbeddedServer(Path(place) / "server")
        address = server.start()
        try:
            migrate(address)
            engine = create_engine(address, application_name="bench")
            all_bare, all_ours = _times(engine, reports)
            one_bare, one_ours = _times(engine, {largest: reports[largest]})
            engine.dispose()
        finally:
            server.stop()
    count = len(reports)
    figures = [
        Figure(f"dose: bare dcmread and walk of {what}", count / all_bare, "reports/s"),
        Figure("dose: read and committed", count / all_ours, "reports/s"),
        Figure("dose: read and committed, of bare", all_bare / all_ours, "ours ÷ bare", at_least=0.5),
        Figure("dose: largest report, read and committed", one_ours, "s"),
        Figure("dose: largest report, of bare", one_ours / one_bare, "ours ÷ bare", at_most=2.0),
    ]
    if conformance_folder() is not None:
        figures.append(Figure("dose: 316-event report, of OpenREM's time", one_ours / OPENREM_S, "ours ÷ OpenREM"))
    return figures


def _reports() -> tuple[dict[str, bytes], str]:
    folder = conformance_folder()
    if folder is not None:
        files = {path.stem: path.read_bytes() for path in sorted((folder / "dcm").glob("*.dcm"))}
        found = {f"r{n}": content for n, content in enumerate(files.values()) if _is_report(content)}
        return found, f"{len(found)} real SRs"
    found = {f"ct{n}": as_file(_ct(n)) for n in range(30)} | {"large": as_file(_fluoroscopy(316))}
    return found, f"{len(found)} built SRs"


def _is_report(content: bytes) -> bool:
    header = dcmread(io.BytesIO(content), force=True, specific_tags=["SOPClassUID"], stop_before_pixels=True)
    return str(header.get("SOPClassUID", "")).startswith(SR)


def _ct(number: int) -> Dataset:
    events = [ct_acquisition(f"1.2.{number}.{event}") for event in range(1, 9)]
    return ct_dose_report(*events, study_instance_uid=f"1.2.{number}")


def _fluoroscopy(count: int) -> Dataset:
    values = (
        ("122130", "0.00002", "Gy.m2"),
        ("113738", "0.001", "Gy"),
        ("113733", "80", "kV"),
        ("112011", "10", "deg"),
    )
    events = [
        container("113706", uidref("113769", f"1.9.{event}"), *(num(*value) for value in values * 5))
        for event in range(count)
    ]
    return report(container("113702", num("113722", "0.006", "Gy.m2")), *events)


def _times(engine: Engine, reports: dict[str, bytes]) -> tuple[float, float]:
    """The median seconds of bare rounds and of ours, after one of each."""
    bare, ours = [], []
    for _ in range(ROUNDS + 1):
        begin = perf_counter()
        for content in reports.values():
            _walk(dcmread(io.BytesIO(content), force=True))
        bare.append(perf_counter() - begin)
        note(engine, *(Instance(name, f"1.2.{name}", study_instance_uid=f"1.{name}") for name in reports))
        begin = perf_counter()
        read_waiting(engine, Archive(**reports), limit=len(reports), clock=lambda: NOW)
        ours.append(perf_counter() - begin)
    return median(bare[1:]), median(ours[1:])


def _walk(dataset: Dataset) -> int:
    count = 0
    for element in dataset:
        count += 1
        if element.VR == "SQ":
            count += sum(_walk(item) for item in element.value)
    return count
