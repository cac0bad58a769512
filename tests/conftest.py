"""What tests stand on: one PostgreSQL for all of them, and a freshly migrated database for each that asks.

And the order in which they run: tests that keep the processor busy beside those that wait.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from sqlalchemy.engine import Engine
from xdist.scheduler import LoadFileScheduling

from tests.databases import execute, folder_in_memory, made_database, other_database
from tests.made_once import make_once
from treegarth.database.embedded import EmbeddedServer
from treegarth.database.engine import DatabaseAddress, create_engine
from treegarth.database.migration import migrate

settings.register_profile("untimed", deadline=None)  # on a busy machine any example may take any time
settings.load_profile("untimed")

# A test's data may be lost in a power cut.
QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
    "min_wal_size": "32MB",  # the folder is in memory
    "max_wal_size": "128MB",
}
TEMPLATE = "migrated_template"
FOLDERS = ("browser", "orthanc", "database", "unit")
"""In this order. Browsers keep a core busy and Orthancs are waited for; the quick tests come last."""
LANES = 2
"""Processes that have the browser's tests, while the others wait for Orthancs."""


def _folder(path: str) -> str:
    return path.removeprefix("tests/").partition("/")[0]


class BrowsersInLanes(LoadFileScheduling):  # type: ignore[misc]
    """The tests of a file stay together, and the files of the browser go to a few processes, which share its server."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if _folder(path) != "browser":
            return path
        files = dict.fromkeys(one.partition("::")[0] for one in self.collection or () if _folder(one) == "browser")
        return f"browser {list(files).index(path) % LANES}"


def pytest_configure(config: pytest.Config) -> None:
    make_once()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling | None:
    """Where `--dist loadfile` asks for one."""
    return BrowsersInLanes(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """By folder, and in a folder as they were; without those that are marked for `make soak`, unless one is named."""
    places = {name: place for place, name in enumerate(FOLDERS)}
    items.sort(key=lambda item: places.get(_folder(item.nodeid), len(places)))
    if os.environ.get("TREEGARTH_SOAK") == "1" or any("::" in one for one in config.args):
        return
    long = [item for item in items if item.get_closest_marker("soak")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if not item.get_closest_marker("soak")]


@pytest.fixture(scope="session")
def server_address() -> Iterator[DatabaseAddress]:
    """A PostgreSQL of this test run alone, with an empty database."""
    with TemporaryDirectory(prefix="treegarth-", dir=folder_in_memory()) as folder:
        server = EmbeddedServer(Path(folder) / "server", settings=QUICK)
        yield server.start()
        server.stop()


@pytest.fixture(scope="session")
def migrated_template(server_address: DatabaseAddress) -> str:
    """The name of a database with every migration applied, to make others from."""
    execute(server_address, f"CREATE DATABASE {TEMPLATE}")
    migrate(other_database(server_address, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def empty_database_address(server_address: DatabaseAddress) -> Iterator[DatabaseAddress]:
    """A database of this test alone, with nothing in it."""
    yield from made_database(server_address, "template0")


@pytest.fixture
def database_address(server_address: DatabaseAddress, migrated_template: str) -> Iterator[DatabaseAddress]:
    """A database of this test alone, with every migration applied."""
    yield from made_database(server_address, migrated_template)


@pytest.fixture
def engine(database_address: DatabaseAddress) -> Iterator[Engine]:
    """An engine on a database of this test alone, with every migration applied."""
    engine = create_engine(database_address, application_name="test")
    yield engine
    engine.dispose()
