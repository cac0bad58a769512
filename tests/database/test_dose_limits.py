"""What a site says of the limits of plausibility holds at once for what is decided, and has every dose decided anew."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from tests.database.test_dose_acts import ct_report, dlp_of, key
from tests.database.test_dose_exams import NOW, arrive, stored
from tests.database.test_dose_pages import API
from tests.unit.web.web_support import make_services
from tests.works import dose_runner
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.registry import acts
from treegarth.features.dose.registry.acts import Person
from treegarth.features.dose.registry.store.redecision import is_to_redecide
from treegarth.features.dose.registry.tables import dose_study

ROOT = Path(__file__).resolve().parents[2]
LIMIT = {"name": "our scanners", "quantity": "dlp_mgy_cm", "greatest": 90.0, "reason": "head scans alone"}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    arrive(engine, stored([ct_report("r", {"1.9.1": 100.0})], 1, "P"), Random(1))
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def doubts(engine: Engine) -> list[str]:
    with connect(engine) as connection:
        return list(connection.execute(select(dose_study.c.doubts)).scalars().one())


def decide_anew(engine: Engine) -> None:
    with connect(engine) as connection:
        assert is_to_redecide(connection, NOW)
    dose_runner(engine, lambda: datetime.now(UTC)).work()
    with connect(engine) as connection:
        assert not is_to_redecide(connection, NOW)


def test_a_limit_is_set_changed_and_removed_and_every_dose_follows(client: FlaskClient, engine: Engine) -> None:
    made = client.post(f"{API}/limits", json={"document": LIMIT})
    assert made.status_code == 201
    decide_anew(engine)
    assert doubts(engine) == ["dlp_body_mgy_cm:implausible", "dlp_mgy_cm:implausible"]
    changed = client.get(f"{API}/redeciding/changes").get_json()["items"]
    assert {(one["quantity"], one["before"], one["after"]) for one in changed} == {
        ("dlp_mgy_cm", 100.0, 100.0),
        ("dlp_body_mgy_cm", 100.0, 100.0),
    }
    held = {one["quantity"]: one for one in client.get(f"{API}/limits/held").get_json()["items"]}
    assert (held["dlp_mgy_cm"]["greatest"], held["dlp_mgy_cm"]["is_built_in"]) == (90.0, False)
    number, version = made.get_json()["id"], made.get_json()["version"]
    wider = {"document": LIMIT | {"greatest": 110.0}, "version": version}
    assert client.put(f"{API}/limits/{number}", json=wider).status_code == 200
    decide_anew(engine)
    assert doubts(engine) == []
    assert client.delete(f"{API}/limits/{number}").status_code in (200, 204)
    decide_anew(engine)
    assert doubts(engine) == []


def test_one_quantity_has_one_limit_that_is_on(client: FlaskClient) -> None:
    assert client.post(f"{API}/limits", json={"document": LIMIT}).status_code == 201
    other = client.post(f"{API}/limits", json={"document": LIMIT | {"name": "others"}})
    assert (other.status_code, "our scanners" in other.get_json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"quantity": "dose"}, "quantity"),
        ({"greatest": None}, "limit"),
        ({"least": 100.0}, "least"),
        ({"greatest": "much"}, "greatest"),
    ],
)
def test_what_is_wrong_with_a_limit_is_said_at_its_place(client: FlaskClient, wrong: object, place: str) -> None:
    document = {name: value for name, value in (LIMIT | wrong).items() if value is not None}  # type: ignore[operator]
    refused = client.post(f"{API}/limits", json={"document": document})
    assert refused.status_code == 400
    assert place in refused.text


def test_the_page_sets_a_limit_in_the_unit_that_it_shows(client: FlaskClient, engine: Engine) -> None:
    form = {"quantity": "dose_rp_gy", "greatest": "9000", "reason": "a test"}
    assert client.post("/treegarth/dose/limits", data=form).status_code == 303
    page = client.get("/treegarth/dose/limits").text
    assert "9,000" in page
    assert "as this site says" in page
    wrong = client.post("/treegarth/dose/limits", data={"quantity": "dlp_mgy_cm", "greatest": "many"})
    assert (wrong.status_code, "many" in client.get(wrong.headers["Location"]).text) == (303, True)


def test_a_person_decides_on_the_page_of_an_exam_and_takes_it_back(client: FlaskClient, engine: Engine) -> None:
    page = "/treegarth/dose/studies/1.2.1"
    assert "Nobody decided anything about this exam." in client.get(page).text
    sent = client.post(f"{page}/acts", data={"act": "void", "reason": "of a phantom"})
    assert sent.status_code == 303
    told = client.get(page).text
    assert "It is decided; every sum follows." in told
    assert "of a phantom" in told
    assert dlp_of(engine, "P 1") is None
    (done,) = client.get(f"{API}/studies/1.2.1/acts").get_json()["items"]
    assert client.post(f"/treegarth/dose/acts/{done['id']}/undo", data={"reason": ""}).status_code == 303
    assert dlp_of(engine, "P 1") == 100.0
    assert [one["undone_by"] is None for one in client.get(f"{API}/acts").get_json()["items"]] == [True, False]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"act": "void"}, 400),
        ({"act": "void", "reason": ""}, 400),
        ({"act": "void", "reason": "   "}, 400),
        ({"act": "burn", "reason": "x"}, 400),
        ({"act": "move", "reason": "x"}, 400),
        ({"act": "move", "reason": "x", "into_study_instance_uid": "1.2.99"}, 404),
        ({"act": "move", "reason": "x", "into_study_instance_uid": "1.2.1"}, 409),
        ({"act": "move_to_patient", "reason": "x"}, 400),
        ({"act": "move_to_patient", "reason": "x", "patient_id": "nobody"}, 404),
        ({"act": "count", "reason": "x"}, 400),
        ({"act": "count", "reason": "x", "orthanc_instance_id": "none"}, 404),
        ({"act": "count", "reason": "x", "orthanc_instance_id": "P 1 r"}, 201),
    ],
)
def test_what_is_wrong_with_a_decision_is_said_and_nothing_is_kept(
    client: FlaskClient, body: dict[str, str], status: int
) -> None:
    assert client.post(f"{API}/studies/1.2.1/acts", json=body).status_code == status
    assert len(client.get(f"{API}/acts").get_json()["items"]) == (status == 201)
    typed = {"study" if name == "into_study_instance_uid" else name: value for name, value in body.items()}
    page = client.post("/treegarth/dose/studies/1.2.1/acts", data=typed)
    is_asked_back = body.get("act") == "move" and status in (400, 404)  # which study: in the form itself
    assert page.status_code == (200 if is_asked_back else 303)  # else the exam's page says what is wrong
    assert len(client.get(f"{API}/acts").get_json()["items"]) == (status == 201)


def test_a_device_counts_a_doubted_dose_only_where_it_is_asked_for(client: FlaskClient, engine: Engine) -> None:
    arrive(engine, stored([ct_report("s", {"1.9.2": 2e6})], 2, "Q"), Random(1))
    for asked, count in (("", 1), ("?with_doubted=true", 2)):
        (device,) = client.get(f"{API}/equipment{asked}").get_json()["items"]
        assert [one["count"] for one in device["figures"]] == [count]
    (total,) = client.get(f"{API}/patient?patient_id=Q").get_json()["cumulative"]
    assert (total["study_count"], total["implausible_count"], total["value"]) == (0, 1, 0.0)
    person = Person(name="p", now=NOW, reason="x")
    with transaction(engine) as connection:
        acts.void(connection, key(stored([ct_report("s", {})], 2, "Q")), None, person)
    (device,) = client.get(f"{API}/equipment?with_doubted=true").get_json()["items"]
    assert [one["count"] for one in device["figures"]] == [1]
