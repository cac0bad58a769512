"""Rules for phantoms, QA and service by page and API, and reading again by the API."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from tests.database.test_dose_pages import write_report
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1/dose"
PAGE = "/treegarth/dose/not-patients"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def add(client: FlaskClient, document: dict[str, str]) -> TestResponse:
    return client.post(f"{API}/not-patients", json={"document": document})


def test_a_rule_is_tried_out_added_and_removed_by_its_page(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1, patient_id="PHANTOM-1")
    write_report(engine, 2, patient_id="P2")
    tried = client.get(f"{PAGE}?patient_id=phantom*&meaning=qa&note=daily").text
    assert "The rule would mark 1 study" in tried
    assert 'data-row="1.2.840.99999.1.1"' in tried
    assert 'data-row="1.2.840.99999.1.2"' not in tried
    assert client.get(f"{API}/studies?not_patient=true").get_json()["items"] == []  # trying out changes nothing
    form = {"meaning": "qa", "patient_id": "phantom*", "patient_name": "", "study_description": "", "equipment": ""}
    answer = client.post(PAGE, data={**form, "note": "daily"}, headers=SAME_ORIGIN)
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    page = client.get(PAGE).text
    assert "<code>phantom*</code>" in page
    assert ">phantom*</a>" in page  # nobody named it
    assert "patient_id: phantom*" in client.get(f"{PAGE}/1").text
    assert 'href="/treegarth/dose?not_patient_rule=1"' in page
    assert 'data-row="1.2.840.99999.1.1"' in client.get("/treegarth/dose?not_patient_rule=1").text
    assert client.post(f"{PAGE}/1/remove", headers=SAME_ORIGIN).status_code == 303
    assert client.post(f"{PAGE}/1/remove", headers=SAME_ORIGIN).status_code == 404
    assert "phantom*" not in client.get(PAGE).text
    assert "phantom*" in client.get(f"{PAGE}?removed=true").text


def test_studies_that_a_rule_marks_already_are_told_apart_in_the_preview(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1, patient_id="PHANTOM-1")
    write_report(engine, 2, patient_id="P2")
    add(client, {"name": "p", "meaning": "phantom", "patient_id": "PHANTOM*"})
    preview = client.get(f"{API}/not-patients/preview?patient_id=p*").get_json()
    assert (preview["study_count"], preview["marked_count"]) == (2, 1)
    assert {study["patient_id"]: study["not_patient"] for study in preview["studies"]} == {
        "PHANTOM-1": "phantom",
        "P2": None,
    }
    page = client.get(f"{PAGE}?patient_id=p*").text
    assert "The rule would mark 1 study" in page
    assert "1 more fits and is marked already" in page


def test_a_rule_that_says_nothing_is_refused_on_the_page_and_by_the_api(client: FlaskClient) -> None:
    assert "A rule needs a pattern that says something" in client.get(f"{PAGE}?patient_id=*").text
    for body in ({"meaning": "phantom"}, {"meaning": "phantom", "patient_id": "  "}, {"meaning": "toy"}):
        assert add(client, {"name": "x", **body}).status_code == 400
    assert client.get(f"{API}/not-patients/preview").status_code == 400
    assert client.get(f"{API}/not-patients").get_json() == {"items": []}


def test_a_program_adds_lists_and_removes_rules(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1, manufacturer_model_name="Ent 1")
    rule = {"name": "moved", "meaning": "service", "equipment": "ent*", "note": "to another room"}
    added = add(client, rule)
    assert added.status_code == 201
    made = added.get_json()
    assert (made["document"], made["is_on"], made["study_count"]) == (rule, True, 1)
    removed = client.delete(f"{API}/not-patients/{made['id']}").get_json()
    assert removed["study_count"] == 0
    assert client.delete(f"{API}/not-patients/{made['id']}").status_code == 404
    assert client.get(f"{API}/not-patients").get_json()["items"] == []
    assert [one["id"] for one in client.get(f"{API}/not-patients?removed=true").get_json()["items"]] == [1]


def test_another_sites_page_changes_no_rule(client: FlaskClient) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert client.post(PAGE, data={"meaning": "qa", "patient_id": "P*"}, headers=foreign).status_code == 403
    assert client.post(f"{API}/reread", headers=foreign).status_code == 403


def test_reading_again_is_started_and_followed_by_a_program(client: FlaskClient) -> None:
    started = client.post(f"{API}/reread")
    assert started.status_code == 202
    again = client.post(f"{API}/reread").get_json()
    assert again == started.get_json() == client.get("/treegarth/api/v1/work/1").get_json()
    assert (again["id"], again["kind"], again["state"], again["done"]) == (1, "dose.reread", "running", 0)
