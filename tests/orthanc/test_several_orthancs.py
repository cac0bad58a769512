"""Two Orthancs on one index and one storage with one Treegarth database, as docs/several-orthancs.md sets them up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from time import sleep
from typing import Any

import psycopg
import pytest
import requests
from sqlalchemy.engine import make_url

from tests.databases import made_database
from tests.orthanc.conftest import Endings, ServerFactory, rounds
from tests.orthanc.test_ingest import assert_index_is_archive
from tests.orthanc.test_workers import EVENTS, dose_reports
from tests.servers import OrthancServer, begin_to_store, store
from tests.sign_in_support import PASSWORD, signed_in, until
from tests.studies import small_studies
from treegarth.access.passwords import Argon2id
from treegarth.access.store import create_user, find_user
from treegarth.database.engine import DatabaseAddress, create_engine, transaction

PLUGINS = ("libOrthancPython.so", "libOrthancPostgreSQLIndex.so")
ORTHANC_GOES_ON = re.compile("pg_trgm|the transaction should be retried")


@pytest.fixture
def orthanc_database(server_address: DatabaseAddress) -> Iterator[DatabaseAddress]:
    """An empty database for Orthanc's own index."""
    yield from made_database(server_address, "template0")


@pytest.fixture
def pair(
    request: pytest.FixtureRequest,
    orthanc_database: DatabaseAddress,
    empty_database_address: DatabaseAddress,
    new_server: ServerFactory,
    endings: Endings,
    tmp_path: Path,
) -> Iterator[list[OrthancServer]]:
    """Two servers that are not yet started; a parameter has more settings for both."""
    secret = tmp_path / "password"
    secret.write_text(empty_database_address.password or "", encoding="utf-8")
    url = make_url(orthanc_database.url)
    settings = {
        "StorageDirectory": str(tmp_path / "storage"),
        "PostgreSQL": {
            "EnableIndex": True,
            "EnableStorage": False,
            "Lock": False,
            "Host": url.host,
            "Port": url.port,
            "Database": url.database,
            "Username": url.username,
            "Password": orthanc_database.password,
        },
    }
    treegarth = {"Database": empty_database_address.url, "DatabasePassword": {"File": str(secret)}}
    treegarth |= getattr(request, "param", {})
    servers = [new_server(name, plugins=PLUGINS, settings=settings, treegarth=treegarth) for name in ("one", "two")]
    yield servers
    endings.end(*servers)
    endings.wait()  # before their databases end
    for server in servers:  # Orthanc does without an extension, and tries again where both wrote the same row
        lines = [line for line in server.log_text().splitlines(keepends=True) if not ORTHANC_GOES_ON.search(line)]
        server.log.write_text("".join(lines), encoding="utf-8")


def rows(address: DatabaseAddress, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(address.conninfo()) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_one_of_two_is_killed_while_both_take_in(
    pair: list[OrthancServer], tmp_path: Path, empty_database_address: DatabaseAddress
) -> None:
    one, two = (server.start() for server in pair)
    count = 10
    store(one, dose_reports(tmp_path / "reports", count))
    one.wait_until_idle()  # a report that is being read when `one` is killed is rightly begun once more
    for place, folder in enumerate((tmp_path / "a", tmp_path / "b")):
        small_studies(folder, studies=rounds(4, 20), series=2, instances=25, seed=place + 1)
    senders = [begin_to_store(one, tmp_path / "a"), begin_to_store(two, tmp_path / "b")]
    sleep(0.6)
    one.kill()
    senders[0].wait(120)
    assert senders[1].wait(120) == 0
    assert_index_is_archive(two, timeout_s=180)
    assert two.get("status")["indexed_instances"] > rounds(4, 20) * 50
    one.start()
    store(one, tmp_path / "a")
    for server in (one, two):
        assert_index_is_archive(server)
        assert server.get("status")["indexed_instances"] == 2 * rounds(4, 20) * 50 + count
    reports = "SELECT state, attempts, count(*) FROM dose_report WHERE modality = 'SR' GROUP BY 1, 2"
    assert rows(empty_database_address, reports) == [("read", 1, count)]
    assert rows(empty_database_address, "SELECT count(*) FROM irradiation_event") == [(count * EVENTS,)]
    waiting = "SELECT task_name, count(*) FROM procrastinate_jobs WHERE status = 'todo' GROUP BY 1 HAVING count(*) > 1"
    assert rows(empty_database_address, waiting) == []


def test_what_one_deletes_leaves_the_index_of_both(pair: list[OrthancServer], tmp_path: Path) -> None:
    one, two = (server.start() for server in pair)
    small_studies(tmp_path / "ct", studies=2, series=1, instances=5)
    store(one, tmp_path / "ct")
    two.wait_until_idle()
    study = two.orthanc("studies")[0]
    requests.delete(f"{two.url}/studies/{study}", timeout=120).raise_for_status()
    for server in (one, two):
        assert_index_is_archive(server)
        assert server.get("status")["indexed_instances"] == 5


@pytest.mark.parametrize("pair", [{"SignIn": "treegarth"}], indirect=True)
def test_what_is_taken_away_on_one_both_refuse_within_a_second(
    pair: list[OrthancServer], empty_database_address: DatabaseAddress
) -> None:
    """A session is the site's, not the server's: begun on one, it counts on the other."""
    one, two = [server.start() for server in pair]
    engine = create_engine(empty_database_address, application_name="test")
    with transaction(engine) as connection:
        password = Argon2id().hashed(PASSWORD)
        for name, role in (("root", "administrator"), ("kim", "physicist")):
            create_user(connection, name, datetime.now(UTC), by=None, roles=(role,), password_hash=password)
        user = find_user(connection, "kim")
    engine.dispose()
    assert user is not None
    root, kims = signed_in(one, "root"), [signed_in(server, "kim") for server in (one, two)]
    users, asked = f"{one.api}/access/users/{user.id}", [f"{server.url}/studies" for server in (one, two)]
    for url, session in product(asked, kims):
        until(200, "GET", url, 10, cookies=session.cookies)

    newest = root.get(f"{users}/sessions", timeout=60).json()["items"][0]
    root.delete(f"{users}/sessions/{newest['id']}", timeout=60).raise_for_status()
    taken, left = sorted(kims, key=lambda session: session.get(asked[0], timeout=60).status_code, reverse=True)
    assert [until(403, "GET", url, 5, cookies=taken.cookies) < 1 for url in asked] == [True, True]
    assert [left.get(url, timeout=60).status_code for url in asked] == [200, 200]

    root.put(f"{users}/roles", json={"roles": []}, timeout=60).raise_for_status()
    assert [until(403, "GET", url, 5, cookies=left.cookies) < 1 for url in asked] == [True, True]
