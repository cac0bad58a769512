"""What people see of the audit trail."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.audit_events import KEY, NOON, keyed, viewed
from tests.index_support import write_study
from tests.unit.web.web_support import KnownHost, make_services
from treegarth.audit.model import EventOutcome, Way, What
from treegarth.audit.store import append, take_identity_away
from treegarth.audit.writer import TrailFigures
from treegarth.bootstrap import make_application

ROOT = Path(__file__).resolve().parents[2]
UID = "1.2.840.99999.7.1"


@pytest.fixture
def host() -> KnownHost:
    return KnownHost()


@pytest.fixture
def client(engine: Engine, host: KnownHost) -> FlaskClient:
    events = (
        viewed(1, studies=(UID,), patients=("P1",)),
        viewed(2, actor="ben", roles=("nurse",), what=What.SEARCH, path="/treegarth/studies", query="q=<b>김</b>"),
        viewed(
            3,
            what=What.IMAGES,
            outcome=EventOutcome.PASSED,
            way=Way.ORTHANC,
            studies=(UID,),
            patients=("P1",),
            count=12,
        ),
        viewed(4, actor=None, user_id=None, roles=(), outcome=EventOutcome.REFUSED, studies=(UID,), patients=("P1",)),
        viewed(5, what=What.SEND, patients=("P1", "P2", "P3", "P4", "P5"), studies=(UID, "1.2.9"), detail="send"),
    )
    with engine.begin() as connection:
        append(connection, "a:8042", keyed(*events), KEY, NOON)
    return make_application(make_services(ROOT / "web", engine=lambda: engine, host=host)).test_client()


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text[:500]
    return answer.text


def items(client: FlaskClient, query: str) -> list[dict[str, object]]:
    answer = client.get(f"/treegarth/api/v1/audit/events?{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json["items"]
    return found


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_shows_who_did_what_to_whom(client: FlaskClient, language: str) -> None:
    page = text(client, f"/treegarth/audit?lang={language}")

    for said in ("anna", "ben", "physicist", "P1", UID, f"…{UID[-10:]}", "10.0.0.9", "× 12", "q=&lt;b&gt;김&lt;/b&gt;"):
        assert said in page
    assert "<b>김" not in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 5),
        ("actor=ben", 1),
        ("what=images", 1),
        ("outcome=refused", 1),
        ("way=orthanc", 1),
        ("patient_id=P1", 4),
        ("patient_id=P", 0),
        (f"study_instance_uid={UID}", 4),
        ("address=10.0.0.9&server=a:8042", 5),
        ("server=b", 0),
        ("at_from=2026-11-30&at_to=2026-11-30", 5),
        ("at_from=2026-12-01", 0),
        ("at_to=2026-11-29", 0),
    ],
)
def test_filters_leave_what_they_say(client: FlaskClient, query: str, count: int) -> None:
    assert len(items(client, query)) == count


def test_a_file_has_every_event(client: FlaskClient) -> None:
    rows = list(csv.DictReader(StringIO(text(client, "/treegarth/audit.csv?sort=at").removeprefix("\ufeff"))))

    assert [row["what"] for row in rows] == ["view", "search", "images", "view", "send"]
    assert [row["actor"] for row in rows] == ["anna", "ben", "anna", "", "anna"]


def test_what_was_erased_is_said_to_be(client: FlaskClient, engine: Engine) -> None:
    with engine.begin() as connection:
        take_identity_away(connection, "P1")

    page = text(client, "/treegarth/audit")
    assert "erased" in page
    assert UID not in page
    assert [one["is_erased"] for one in items(client, "sort=at")] == [True, False, True, True, True]


def test_a_studys_page_tells_who_saw_the_patient(client: FlaskClient, engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 7, study_instance_uid=UID, patient_id="P1")

    page = text(client, f"/treegarth/studies/{UID}")
    section = page[page.index('id="audit"') :]

    assert "Who saw this patient?" in page
    assert "anna" in section
    assert "images opened" in section
    assert "someone without a login" not in section  # was refused
    assert "/treegarth/audit?patient_id=P1" in section


def test_the_first_page_tells_what_is_not_written(client: FlaskClient, host: KnownHost, engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 7)
    for lost, in_file, said in (
        (0, 0, "every event is written"),
        (0, 3, "3 events wait in a file"),
        (2, 0, "2 events were lost"),
    ):
        trail = TrailFigures(written=1, waiting=0, in_file=in_file, lost=lost, wrong=None)
        host.status = replace(host.status, trail=trail)
        assert said in text(client, "/treegarth/")
