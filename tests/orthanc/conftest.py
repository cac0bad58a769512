"""Real Orthancs for tests. Each ends with SIGTERM, exit code 0 in time, and no error in its log."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.servers import OrthancServer
from tests.studies import small_studies
from treegarth.features.deliveries.model import DeliveryObject
from treegarth.orthanc.client import OrthancAddress, OrthancClient

ServerFactory = Callable[..., OrthancServer]


def rounds(few: int, soak: int) -> int:
    """How often a storm is repeated: a few times in `make test`, as often as promised in `make soak`."""
    return soak if os.environ.get("TREEGARTH_SOAK") == "1" else few


class Endings:
    """Servers that are told to end. An Orthanc that is idle takes some seconds to: the next test does not wait."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor()
        self._codes: list[tuple[OrthancServer, Future[int]]] = []

    def end(self, *servers: OrthancServer) -> None:
        """Begin to end those that run."""
        for server in servers:
            if server.process is not None and server.process.poll() is None and server not in self._ending():
                self._codes.append((server, self._pool.submit(server.stop)))

    def wait(self) -> None:
        """Until all that were told to have ended: for what they stand on to end after them."""
        for _, code in self._codes:
            code.exception()

    def _ending(self) -> list[OrthancServer]:
        return [server for server, code in self._codes if not code.done()]

    def check(self) -> None:
        """Each must have ended well."""
        for server, code in self._codes:
            assert code.result() == 0, f"{server.folder}\n{server.log_text()[-3000:]}"
            assert server.error_lines() == [], server.folder
        self._pool.shutdown()


@pytest.fixture(scope="module")
def endings() -> Iterator[Endings]:
    """Where the servers of a module's tests end, each beside the next test; at the end it is seen how."""
    endings = Endings()
    yield endings
    endings.check()


@pytest.fixture
def new_server(tmp_path: Path, endings: Endings) -> Iterator[ServerFactory]:
    """Makes servers in folders of this test; those that still run at its end must end well."""
    servers: list[OrthancServer] = []

    def make(name: str = "server", **given: Any) -> OrthancServer:
        servers.append(OrthancServer(tmp_path / name, **given))
        return servers[-1]

    yield make
    endings.end(*servers)


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory, endings: Endings) -> Iterator[OrthancServer]:
    """A running Orthanc with Treegarth, for the tests of a module that store nothing."""
    server = OrthancServer(tmp_path_factory.mktemp("shared") / "server").start()
    yield server
    endings.end(server)


@pytest.fixture
def server(new_server: ServerFactory) -> OrthancServer:
    """A running Orthanc with Treegarth, of this test alone."""
    return new_server().start()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OrthancServer, OrthancServer]]:
    """An Orthanc that holds two studies, and one that takes what is sent to it."""
    folder = tmp_path_factory.mktemp("senders")
    source = OrthancServer(folder / "source", treegarth=None)
    target = OrthancServer(
        folder / "target", treegarth=None, plugins=("libOrthancDicomWeb.so",), settings={"DicomWeb": {"Ssl": False}}
    )
    with source.start(wait=False), target.start(wait=False):
        source.wait_until_ready()
        target.wait_until_ready()
        for path in small_studies(folder / "objects", studies=2, series=2, instances=10):
            answer = requests.post(f"{source.url}/instances", data=path.read_bytes(), timeout=120)
            assert answer.status_code == 200
        yield source, target


@pytest.fixture
def source(servers: tuple[OrthancServer, OrthancServer]) -> OrthancServer:
    return servers[0]


@pytest.fixture
def target(servers: tuple[OrthancServer, OrthancServer]) -> Iterator[OrthancServer]:
    """Empty again after each test."""
    yield servers[1]
    for study in servers[1].orthanc("studies"):
        requests.delete(f"{servers[1].url}/studies/{study}", timeout=120).raise_for_status()


@pytest.fixture
def orthanc(source: OrthancServer) -> Iterator[OrthancClient]:
    client = OrthancClient(OrthancAddress(url=source.url))
    yield client
    client.close()


@pytest.fixture
def objects(source: OrthancServer) -> list[DeliveryObject]:
    """Every object of the source, as the ledger has it."""
    found = []
    for study in source.orthanc("studies", expand=""):
        for series in (source.orthanc(f"series/{one}") for one in study["Series"]):
            for instance in source.orthanc(f"series/{series['ID']}/instances"):
                found.append(
                    DeliveryObject(
                        destination_id=1,
                        orthanc_instance_id=instance["ID"],
                        orthanc_series_id=series["ID"],
                        orthanc_study_id=study["ID"],
                        study_instance_uid=study["MainDicomTags"]["StudyInstanceUID"],
                        series_instance_uid=series["MainDicomTags"]["SeriesInstanceUID"],
                        sop_instance_uid=instance["MainDicomTags"]["SOPInstanceUID"],
                        sop_class_uid=None,
                        size_bytes=instance["FileSize"],
                        proof_wanted="best",
                    )
                )
    assert len(found) == 40
    return found
