"""What tests stand on: one PostgreSQL for all of them, and a freshly migrated database for each that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import Engine

from tests.databases import execute, made_database, other_database
from treegarth.database.embedded import EmbeddedServer
from treegarth.database.engine import DatabaseAddress, create_engine
from treegarth.database.migration import migrate

# A test's data may be lost in a power cut.
QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "32MB"}
TEMPLATE = "migrated_template"


@pytest.fixture(scope="session")
def server_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseAddress]:
    """A PostgreSQL of this test run alone, with an empty database."""
    server = EmbeddedServer(tmp_path_factory.mktemp("postgresql") / "server", settings=QUICK)
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
