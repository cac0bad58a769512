"""What the server takes over time: a sample a minute for two days, an hour for a year, and never more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select

from tests.unit.web.web_support import KnownHost, make_services
from treegarth.bootstrap import make_application
from treegarth.features.system.samples import SPANS, keep_sample, read_points, write_sample
from treegarth.features.system.tables import system_sample
from treegarth.web.services import Disk

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
FULL: Mapping[str, int] = {"storage_total_bytes": 1000, "storage_free_bytes": 500, "orthanc_memory_bytes": 70}


def rows(engine: Engine, *, hourly: bool) -> int:
    with engine.connect() as connection:
        counted = select(func.count()).where(system_sample.c.hourly == hourly)
        return connection.execute(counted).scalar_one()


def test_an_hour_is_what_was_least_free_and_most_taken_in_it(engine: Engine) -> None:
    with engine.begin() as connection:
        for minute, (free, memory) in enumerate(((500, 70), (400, 90), (450, 60))):
            sample = {"storage_free_bytes": free, "orthanc_memory_bytes": memory}
            write_sample(connection, "pacs:8042", NOON + timedelta(minutes=minute), sample)
        write_sample(connection, "pacs:8042", NOON + timedelta(hours=2), FULL)
        (hour,) = read_points(connection, "week", NOON + timedelta(hours=2))
    assert (hour.storage_free_bytes, hour.orthanc_memory_bytes, hour.waiting_tasks) == (400, 90, None)


def test_minutes_go_after_two_days_and_hours_after_a_year(engine: Engine) -> None:
    for day in range(0, 800, 10):
        with engine.begin() as connection:
            for minute in (0, 1):
                write_sample(connection, "pacs:8042", NOON + timedelta(days=day, minutes=minute), FULL)
    assert rows(engine, hourly=False) == 2
    assert rows(engine, hourly=True) <= 37


def test_a_minute_has_one_sample_of_each_server_and_the_latest_servers_are_shown(engine: Engine) -> None:
    with engine.begin() as connection:
        for server, free in (("a:8042", 1), ("a:8042", 2), ("b:8042", 3)):
            write_sample(connection, server, NOON, {"storage_free_bytes": free})
        write_sample(connection, "b:8042", NOON + timedelta(minutes=1), {"storage_free_bytes": 4})
        (point,) = read_points(connection, "day", NOON + timedelta(minutes=1))
    assert rows(engine, hourly=False) == 3
    assert point.storage_free_bytes == 3


@pytest.fixture
def host(engine: Engine) -> KnownHost:
    found = KnownHost()
    disks = (
        Disk(place="storage", device=1, total_bytes=4 * 10**12, free_bytes=10**12),
        Disk(place="database", device=1, total_bytes=4 * 10**12, free_bytes=10**12),
        Disk(place="index", device=2, total_bytes=10**11, free_bytes=10**10),
    )
    found.status = replace(found.status, disks=disks, memory_bytes={"orthanc": 3 * 10**8, "workers": 10**8}, pending=7)
    return found


@pytest.fixture
def client(engine: Engine, host: KnownHost) -> FlaskClient:
    services = make_services(ROOT / "web", engine=lambda: engine, host=host)
    keep_sample(engine, host.status, "pacs:8042", services.clock())
    made: FlaskClient = make_application(services).test_client()
    return made


@pytest.mark.parametrize("span", SPANS)
def test_the_page_says_what_was_measured(client: FlaskClient, span: str) -> None:
    page = client.get("/treegarth/system", query_string={"span": span}).text
    assert "1 TB free of 4 TB" in page
    assert "objects, database" in page
    assert "300 MB" in page
    assert ("of-queue" in page) == (span == "day")  # no whole hour is over yet


def test_the_tables_have_what_the_charts_draw(client: FlaskClient) -> None:
    page = client.get("/treegarth/system", query_string={"usage": "table"}).text
    assert "data-chart-of" not in page
    row = r'id="of-(disk|queue)">.*?<tbody>\s*<tr>\s*<th[^>]*>([^<]*)</th>\s*<td[^>]*>([^<]*)</td>'
    found = {key: values for key, *values in re.findall(row, page, re.DOTALL)}
    assert found == {"disk": ["2026-11-20 14:00", "1 TB"], "queue": ["2026-11-20 14:00", "7"]}


def test_the_status_has_disks_and_memory(client: FlaskClient) -> None:
    status = client.get("/treegarth/api/v1/status").get_json()
    assert status["memory_bytes"] == {"orthanc": 3 * 10**8, "workers": 10**8}
    assert [disk["place"] for disk in status["disks"]] == ["storage", "database", "index"]
