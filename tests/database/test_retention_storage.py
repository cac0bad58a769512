"""What deleting freed by day, how the archive grew by week, and what the page of storage makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, text

from tests.unit.web.web_support import NOW, KnownHost, make_services
from treegarth.bootstrap import make_application
from treegarth.features.retention.store.daily import freed_by_day, growth_by_week
from treegarth.features.system.samples import write_sample
from treegarth.web.services import Disk

ROOT = Path(__file__).resolve().parents[2]
SEOUL = ZoneInfo("Asia/Seoul")
GB = 10**9


def received(connection: Connection, number: int, at: datetime, size: int) -> None:
    values = {"key": f"study{number}", "at": at, "size": size}
    connection.execute(text("INSERT INTO patient (orthanc_patient_id) VALUES (:key)"), values)
    study = (
        "INSERT INTO study (orthanc_study_id, orthanc_patient_id, study_instance_uid, modalities, series_count,"
        " instance_count, size_bytes, first_received_at, last_received_at)"
        " VALUES (:key, :key, :key, '{CT}', 1, 1, :size, :at, :at)"
    )
    connection.execute(text(study), values)


def freed(connection: Connection, number: int, at: datetime, size: int) -> None:
    """By the policy of the test."""
    policy = "INSERT INTO retention_policy (id, name, version) VALUES (1, 'old', 1) ON CONFLICT DO NOTHING"
    version = (
        "INSERT INTO retention_policy_version (policy_id, version, document, is_on, change, changed_at)"
        ' VALUES (1, 1, \'{"name": "old", "keep": "nothing"}\', false, \'created\', now()) ON CONFLICT DO NOTHING'
    )
    for statement in (policy, version):
        connection.execute(text(statement.replace(": ", "\\: ")))
    entry = (
        "INSERT INTO prune_ledger (orthanc_instance_id, orthanc_series_id, orthanc_study_id, sop_instance_uid,"
        " series_instance_uid, study_instance_uid, size_bytes, state, policy_id, policy_version, deleted_at,"
        " received_at) VALUES (:key, 's', 't', :key, 's', 't', :size, 'deleted', 1, 1, :at, :at)"
    )
    connection.execute(text(entry), {"key": f"object{number}", "at": at, "size": size})


def test_growth_is_told_by_whole_weeks_from_the_first_arrival_on(engine: Engine) -> None:
    with engine.begin() as connection:
        assert growth_by_week(connection, 12, NOW) == []
        for number, (weeks, size) in enumerate(((3.5, 7 * GB), (2.5, 5 * GB), (0.5, 2 * GB))):
            received(connection, number, NOW - timedelta(weeks=weeks), size)
        freed(connection, 1, NOW - timedelta(weeks=0.2), GB)
        assert growth_by_week(connection, 12, NOW) == [5 * GB, 0, GB]
        assert growth_by_week(connection, 2, NOW) == [0, GB]


def test_a_day_says_what_was_freed_and_how_the_disk_changed(engine: Engine) -> None:
    noon = NOW - timedelta(days=1)
    with engine.begin() as connection:
        received(connection, 1, noon, 2 * GB)
        freed(connection, 1, noon, 3 * GB)
        freed(connection, 2, noon, GB)
        freed(connection, 3, noon - timedelta(days=3), GB)
        for hours, free in ((-3, 50 * GB), (2, 51 * GB), (4, 51 * GB)):
            write_sample(connection, "pacs:8042", noon + timedelta(hours=hours), {"storage_free_bytes": free})
        write_sample(connection, "pacs:8042", NOW, {"storage_free_bytes": 51 * GB})
        day, before = freed_by_day(connection, NOW - timedelta(days=30), SEOUL)
    assert (day.policies, day.instance_count, day.size_bytes, day.received_bytes) == (["old"], 2, 4 * GB, 2 * GB)
    assert day.free_change_bytes == GB
    assert before.free_change_bytes is None


def test_the_page_and_the_endpoint_say_when_the_disk_is_full(engine: Engine) -> None:
    host = KnownHost()
    disk = Disk(place="storage", device=1, total_bytes=400 * GB, free_bytes=100 * GB)
    host.status = replace(host.status, disks=(disk,))
    client = make_application(make_services(ROOT / "web", engine=lambda: engine, host=host)).test_client()
    with engine.begin() as connection:
        received(connection, 0, NOW, GB)
    page = client.get("/treegarth/retention/storage").text
    assert "100 GB" in page
    assert "no forecast: too little is known: it takes 3 whole weeks of arrivals, and there are 0" in page
    with engine.begin() as connection:
        for number in range(1, 13):
            received(connection, number, NOW - timedelta(weeks=number - 0.5), 10 * GB)
        received(connection, 13, NOW - timedelta(weeks=12.5), GB)
        freed(connection, 1, NOW - timedelta(days=1), GB)
    page = client.get("/treegarth/retention/storage").text
    assert "between 2027-01-29 and 2027-01-29" in page
    assert "What deleting freed, by day" in page
    filling = client.get("/treegarth/api/v1/retention/storage").get_json()["filling"]
    assert (filling["weeks"], filling["free_bytes"], filling["reason"]) == (12, 100 * GB, "")
    assert filling["earliest"] == filling["latest"]
