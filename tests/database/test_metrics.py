"""The metrics are in Prometheus' form, count what is there, and are answered while the database is down."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from pathlib import Path
from subprocess import run

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from tests.index_support import write_study
from tests.unit.web.web_support import NOW, KnownHost, make_services, web_folder
from treegarth.bootstrap import make_application
from treegarth.features.deliveries.tables import delivery_object, destination
from treegarth.features.rules.tables import notification, rule_event
from treegarth.web.services import Disk, MemoryPart

DISKS = (Disk(place="storage", device=1, total_bytes=10**12, free_bytes=10**11),)
MEMORY: dict[MemoryPart, int] = {"orthanc": 10**8}
NAME = 'NM "dose"\n\\PACS'


def client_of(folder: Path, engine: Engine | None) -> FlaskClient:
    host = KnownHost()
    host.status = dataclasses.replace(
        host.status, callback_median_ms=0.2, callback_p99_ms=1.5, disks=DISKS, memory_bytes=MEMORY
    )
    services = make_services(web_folder(folder), engine=lambda: engine, host=host)
    return make_application(services).test_client()


def values(client: FlaskClient) -> dict[tuple[str, ...], float]:
    """Every sample: its name and its labels' values in order → value."""
    answer = client.get("/treegarth/metrics")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.documentation for family in families)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with engine.begin() as connection:
        write_study(connection, 1)
        connection.execute(destination.insert().values(id=1, name=NAME, kind="peer", address={"url": "http://a"}))
        for number, attempts in enumerate((0, 0, 2)):
            connection.execute(
                delivery_object.insert().values(
                    destination_id=1,
                    orthanc_instance_id=f"instance-{number}",
                    sop_instance_uid="1.2",
                    size_bytes=10,
                    attempts=attempts,
                    proof_wanted="best",
                    queued_at=NOW - timedelta(minutes=1),
                    **dict.fromkeys(
                        ("orthanc_series_id", "orthanc_study_id", "study_instance_uid", "series_instance_uid"), "x"
                    ),
                )
            )
        connection.execute(rule_event.insert().values(trigger="study stable", orthanc_study_id="s", state="failed"))
        connection.execute(
            notification.insert().values(channel="webhook", target="r", title="t", content={}, created_at=NOW)
        )
    return engine


def test_promtool_finds_nothing_to_say_of_any_metric(filled: Engine, tmp_path: Path) -> None:
    """By a whole answer: every metric of the documentation with a value. promtool is of Debian's prometheus."""
    answer = client_of(tmp_path, filled).get("/treegarth/metrics").text
    families = {one.name: one.samples for one in text_string_to_metric_families(answer)}
    assert [name for name, samples in families.items() if not samples] == []
    checked = run(["promtool", "check", "metrics"], input=answer, capture_output=True, text=True, timeout=30)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_what_is_there_is_counted(filled: Engine, tmp_path: Path) -> None:
    found = values(client_of(tmp_path, filled))
    assert found["treegarth_database_up",] == 1
    assert found["treegarth_indexed_studies",] == 1
    assert found["treegarth_indexed_instances",] == 2
    assert found["treegarth_delivery_objects", NAME, "waiting"] == 3
    assert found["treegarth_delivery_objects", NAME, "given up"] == 0
    assert found["treegarth_delivery_waiting_bytes", NAME] == 30
    assert found["treegarth_delivery_oldest_waiting_seconds", NAME] == 60
    assert found["treegarth_destination_up", NAME] == 1
    assert found["treegarth_rule_events", "failed"] == 1
    assert found["treegarth_notifications", "webhook", "waiting"] == 1
    assert found["treegarth_dose_sources", "waiting"] == 0
    assert found["treegarth_tasks", "failed"] == 0
    assert found["treegarth_ingest_lag_seconds", "0.99"] == 0.5
    assert found["treegarth_store_callback_seconds", "0.99"] == 0.0015
    assert found["treegarth_ingest_dropped_headers_total",] == 0


def test_every_metric_is_documented(filled: Engine, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    named = {name for name, *_ in values(client_of(tmp_path, filled))}
    assert set(re.findall(r"^\| `(treegarth_\w+)", text, flags=re.MULTILINE)) == named


def test_what_is_given_again_soon_is_not_counted_again(filled: Engine, tmp_path: Path) -> None:
    client = client_of(tmp_path, filled)
    before = values(client)
    with filled.begin() as connection:
        write_study(connection, 2)
    assert values(client) == before


def test_without_a_database_the_hosts_own_figures_are_answered(tmp_path: Path) -> None:
    found = values(client_of(tmp_path, None))
    assert (found["treegarth_database_up",], found["treegarth_indexer_up",]) == (0, 1)
    assert ("treegarth_indexed_studies",) not in found
