"""Real Orthancs for tests. Each ends with SIGTERM, exit code 0 within ten seconds, and no error in its log."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.servers import OrthancServer

ServerFactory = Callable[..., OrthancServer]


def rounds(few: int, soak: int) -> int:
    """How often a storm is repeated: a few times in `make test`, as often as promised in `make soak`."""
    return soak if os.environ.get("TREEGARTH_SOAK") == "1" else few


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[ServerFactory]:
    """Makes servers in folders of this test; those that still run at its end must end well."""
    servers: list[OrthancServer] = []

    def make(name: str = "server", **given: Any) -> OrthancServer:
        servers.append(OrthancServer(tmp_path / name, **given))
        return servers[-1]

    yield make
    running = [server for server in servers if server.process is not None and server.process.poll() is None]
    with ThreadPoolExecutor() as pool:  # an Orthanc that is idle takes some seconds to end
        codes = list(pool.map(OrthancServer.stop, running))
    for server, code in zip(running, codes, strict=True):
        assert code == 0, server.log_text()[-3000:]
        assert server.error_lines() == []


@pytest.fixture
def server(new_server: ServerFactory) -> OrthancServer:
    """A running Orthanc with Treegarth, of this test alone."""
    return new_server().start()
