"""One study is said to be of no patient: by a person, by a rule, or by its own objects, and each says which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from tests.database.test_dose_pages import NOON, write_report
from tests.index_support import write_study
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.documents.store import Author
from treegarth.features.dose.registry.store.exams import refresh_study
from treegarth.features.dose.registry.store.not_patients import NOT_PATIENTS
from treegarth.features.dose.registry.tables import dose_study

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1/dose"
UID = "1.2.840.99999.1.1"
STANDING = f"{API}/studies/{UID}/not-patient"
PAGE = f"/treegarth/dose/studies/{UID}"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
CONTROL = {"intent_code": {"code": "113680", "scheme": "DCM", "meaning": "Quality Control Intent"}}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def marks(engine: Engine) -> dict[str, tuple[str | None, str | None]]:
    with engine.connect() as connection:
        rows = connection.execute(
            select(dose_study.c.study_instance_uid, dose_study.c.not_patient, dose_study.c.not_patient_by)
        )
        return {row.study_instance_uid.rsplit(".")[-1]: (row.not_patient, row.not_patient_by) for row in rows}


def add_rule(engine: Engine, meaning: str, **patterns: str) -> int:
    with engine.begin() as connection:
        document = {"name": "a rule", "meaning": meaning, **patterns}
        return NOT_PATIENTS.create(connection, document, Author(name="anna", now=NOON)).id


def say(client: FlaskClient, meaning: str, reason: str = "seen by eye") -> Any:
    return client.post(STANDING, json={"meaning": meaning, "reason": reason})


@pytest.mark.parametrize(
    ("report", "mark"),
    [
        (CONTROL, ("qa", "intent")),
        ({"quality_control_image": "YES"}, ("qa", "image")),
        ({"quality_control_subject": "YES"}, ("phantom", "subject")),
        ({"quality_control_image": "NO"}, (None, None)),
    ],
)
def test_objects_that_are_for_quality_control_mark_their_study(
    client: FlaskClient, engine: Engine, report: dict[str, Any], mark: tuple[str | None, str | None]
) -> None:
    write_report(engine, 1, report=report)
    assert marks(engine) == {"1": mark}
    item = client.get(f"{API}/studies").get_json()["items"][0]
    assert (item["not_patient"], item["not_patient_by"]) == mark
    assert len(client.get(f"{API}/studies?not_patient=true").get_json()["items"]) == (mark[0] is not None)


def test_a_rule_goes_before_the_objects_own_words_and_leaves_them_when_it_goes(engine: Engine) -> None:
    write_report(engine, 1, report=CONTROL)
    rule = add_rule(engine, "service", patient_id="P1")
    assert marks(engine) == {"1": ("service", "rule")}
    with engine.begin() as connection:
        NOT_PATIENTS.remove(connection, rule, Author(name="anna", now=NOON))
    assert marks(engine) == {"1": ("qa", "intent")}


def test_a_rule_of_an_institution_marks_by_the_name_in_the_dose_reports(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1, institution_name="Workshop North")
    write_report(engine, 2, institution_name="Hospital")
    preview = client.get(f"{API}/not-patients/preview?institution_name=work*").get_json()
    assert [one["institution_name"] for one in preview["studies"]] == ["Workshop North"]
    add_rule(engine, "phantom", institution_name="work*", patient_id="p?")
    write_report(engine, 3, institution_name="WORKSHOP SOUTH")
    assert marks(engine) == {"1": ("phantom", "rule"), "2": (None, None), "3": ("phantom", "rule")}
    assert "<code>work*</code>" in client.get("/treegarth/dose/not-patients").text


@pytest.mark.parametrize("meaning", ["phantom", "qa", "service"])
def test_a_person_marks_one_study_whatever_rules_and_objects_say(
    client: FlaskClient, engine: Engine, meaning: str
) -> None:
    write_report(engine, 1, report=CONTROL)
    add_rule(engine, "phantom", patient_id="P*")
    write_report(engine, 2)
    answer = say(client, meaning).get_json()
    assert (answer["not_patient"], answer["by"], answer["rule_id"]) == (meaning, "person", None)
    assert marks(engine) == {"1": (meaning, "person"), "2": ("phantom", "rule")}


def test_a_patient_after_all_counts_again_until_it_is_taken_back(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1, report=CONTROL)
    assert say(client, "patient").get_json()["not_patient"] is None
    rule = add_rule(engine, "phantom", patient_id="P*")
    assert marks(engine) == {"1": (None, "person")}
    with engine.begin() as connection:
        refresh_study(connection, "study-00001", NOON)
    assert marks(engine) == {"1": (None, "person")}
    answer = client.post(f"{STANDING}/take-back", json={"reason": "a mistake"}).get_json()
    assert (answer["not_patient"], answer["by"], answer["rule_id"], answer["rule_name"]) == (
        "phantom", "rule", rule, "a rule",
    )  # fmt: skip
    assert marks(engine) == {"1": ("phantom", "rule")}


def test_who_marked_and_who_took_back_stays_readable(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1)
    say(client, "phantom", "a water phantom")
    say(client, "phantom", "the same again")  # changes nothing
    say(client, "patient", "a patient after all")
    client.post(f"{STANDING}/take-back", json={"reason": "asked the ward"})
    history = client.get(STANDING).get_json()["history"]
    assert [(one["meaning"], one["reason"]) for one in history] == [
        (None, "asked the ward"), ("patient", "a patient after all"), ("phantom", "a water phantom"),
    ]  # fmt: skip
    assert all(one["marked_at"] for one in history)
    assert client.post(f"{STANDING}/take-back", json={"reason": "twice"}).status_code == 409
    page = client.get(PAGE).text
    assert page.index("asked the ward") < page.index("a water phantom")


def test_a_study_without_dose_is_marked_before_its_dose_comes(client: FlaskClient, engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1)
    assert len(client.get(f"{API}/missing").get_json()["items"]) == 1
    assert say(client, "service").get_json()["not_patient"] == "service"
    assert client.get(f"{API}/missing").get_json()["items"] == []
    say(client, "patient")
    assert len(client.get(f"{API}/missing").get_json()["items"]) == 1
    write_report(engine, 1)
    assert marks(engine) == {"1": (None, "person")}


def test_a_mark_needs_a_meaning_and_a_reason_and_a_study(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1)
    assert [say(client, *given).status_code for given in (("toy", "x"), ("phantom", "  "))] == [400, 400]
    assert client.post(f"{API}/studies/1.9/not-patient", json={"meaning": "qa", "reason": "x"}).status_code == 404
    assert client.get(f"{API}/studies/1.9/not-patient").status_code == 404
    assert client.get(STANDING).get_json()["history"] == []


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (CONTROL, "its dose report says so: Quality Control Intent"),
        ({"quality_control_image": "YES"}, "its images say so: Quality Control Image"),
        ({"quality_control_subject": "YES"}, "its objects say so: Quality Control Subject"),
        ({}, "No person, no rule and none of its objects says"),
    ],
)
def test_the_page_of_an_exam_says_by_what_it_is_marked(
    client: FlaskClient, engine: Engine, report: dict[str, Any], said: str
) -> None:
    write_report(engine, 1, report=report)
    assert said in client.get(PAGE).text


def test_the_page_of_an_exam_marks_it_and_takes_it_back(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1)
    rule = add_rule(engine, "phantom", patient_id="P1")
    assert f'href="/treegarth/dose/not-patients/{rule}"' in client.get(PAGE).text
    for meaning, mark in (("service", ("service", "person")), ("take back", ("phantom", "rule"))):
        form = {"meaning": meaning, "reason": "by hand", "orthanc_study_id": "study-00001"}
        answer = client.post(f"{PAGE}/not-patient", data=form, headers=SAME_ORIGIN)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith(PAGE)
        assert marks(engine) == {"1": mark}
    assert "taken back" in client.get(PAGE).text


def test_a_study_without_dose_is_marked_on_its_own_page_and_that_is_shown_again(
    client: FlaskClient, engine: Engine
) -> None:
    with engine.begin() as connection:
        write_study(connection, 1)
    form = {"meaning": "qa", "reason": "by hand", "orthanc_study_id": "study-00001"}
    answer = client.post(f"{PAGE}/not-patient", data=form, headers=SAME_ORIGIN)
    assert answer.headers["Location"].startswith(f"/treegarth/studies/{UID}?")
    assert client.get(answer.headers["Location"]).status_code == 200
    assert client.get(STANDING).get_json()["history"][0]["reason"] == "by hand"
    assert client.get(PAGE).headers["Location"] == f"/treegarth/studies/{UID}"  # where the list of decisions leads


@pytest.mark.parametrize("listing", ["dose/studies", "dose/missing"])
def test_chosen_studies_are_marked_at_once(client: FlaskClient, engine: Engine, listing: str) -> None:
    for number in (1, 2):
        with engine.begin() as connection:
            write_study(connection, number)
        write_report(engine, number)
    asked = {"action": "mark", "chosen": ["study-00001"], "meaning": "qa", "reason": "weekly test"}
    assert client.post(f"/treegarth/api/v1/{listing}/act", json=asked).get_json()["done"] == 1
    assert marks(engine) == {"1": ("qa", "person"), "2": (None, None)}
    assert client.post("/treegarth/api/v1/dose/studies/act", json=asked).get_json() == {"done": 0, "left": 1}
