"""What rules tell the dashboard: whose study, by which value, one row a study; seen by whoever opens it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, insert, select, text

from tests.rule_support import NOW, add_rules, handle_all, index_study, study_id, study_uid
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.registry.tables import dose_study
from treegarth.features.rules.messages import Notification, email_message, webhook_request
from treegarth.features.rules.model import Trigger
from treegarth.features.rules.store.events import note_events
from treegarth.features.rules.tables import notification

RULES = """\
- name: high dose
  why: above the national level
  when: dose read
  on: true
  if: {all: ["dose.dlp_total_mgy_cm > 1000", {any: ["Modality = CT", "Modality = PT"]}, {not: "PatientName = Nobody"}]}
  do: [notify: {dashboard: true, email: physics@example.org, title: "Dose is high"}]
- name: any CT of him
  when: dose read
  on: true
  if: {all: ["Modality = CT", "PatientName like 'Hong*'"]}
  do: [notify: {dashboard: true, webhook: ris}]
"""


ROOT = Path(__file__).resolve().parents[2]


def client_on(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    """Two studies of which two rules tell, one by its dose, and a third of which one does."""
    for number, dlp in ((1, 1835.3), (2, 1200.0), (3, 5.0)):
        index_study(engine, number, "CT")
        with transaction(engine) as connection:
            connection.execute(
                insert(dose_study).values(
                    orthanc_study_id=study_id(number),
                    study_instance_uid=study_uid(number),
                    dlp_total_mgy_cm=dlp,
                    report_count=1,
                    counted_report_ids=[],
                    rule="single",
                    irradiation_event_count=1,
                    issue_count=0,
                    protocols=[],
                    kinds=["ct"],
                    changed_at=NOW,
                )
            )
    add_rules(engine, RULES)
    with transaction(engine) as connection:
        note_events(connection, Trigger.DOSE_READ, [(study_id(number), "") for number in (1, 2, 3)], NOW)
    handle_all(engine)
    return client_on(engine)


def page(client: FlaskClient, query: str = "") -> str:
    return client.get(f"/treegarth/notifications?lang=en&{query}").text


def test_a_row_says_whose_study_it_is_and_by_which_value_each_rule_meant_it(client: FlaskClient) -> None:
    said = " ".join(page(client).split())
    assert "3 studies · 3 new" in said
    assert said.count('data-row="') == 3
    assert said.count("<b>Dose is high</b>") == 2
    assert 'Total dose-length product <b class="value">1,835</b> mGy·cm' in said
    assert "Hong, Gildong" in said
    assert "2026-01-02" in said
    assert "Nobody" not in said, "what a rule denies is no value that it matched by"
    [_, _, first] = client.get("/treegarth/api/v1/notifications/studies").get_json()["items"]
    assert (first["titles"], first["rules"]) == (["Dose is high", "any CT of him"], ["any CT of him", "high dose"])
    assert (first["state"], first["notices"], first["unseen"], first["patient_name"]) == ("new", 2, 2, "Hong^Gildong")


def test_what_leaves_the_house_has_no_value_that_a_rule_matched_by(client: FlaskClient, engine: Engine) -> None:
    with connect(engine) as connection:
        rows = connection.execute(select(notification).where(notification.c.channel != "dashboard")).all()
    assert any("Hong^Gildong" in json.dumps(row.matched) for row in rows), "the dashboard may say it"
    for row in rows:
        given = Notification(**{name: getattr(row, name) for name in Notification.__dataclass_fields__})
        if row.channel == "email":
            assert "Hong" not in email_message(given, "treegarth@example.org").as_string()
        else:
            assert b"Hong" not in webhook_request(given, "secret", NOW).body


def test_the_list_is_filtered_by_rule_modality_day_and_whether_it_was_seen(client: FlaskClient) -> None:
    def found(query: str) -> int:
        return page(client, query).count('data-row="')

    assert found("rule_id=1") == 2
    assert (found("modality=CT"), found("modality=MR")) == (3, 0)
    assert (found("told_from=2026-03-02&told_to=2026-03-02"), found("told_from=2026-03-03")) == (3, 0)
    assert (found("state=new"), found("state=seen")) == (3, 0)


def test_whoever_opens_a_study_has_seen_what_was_told_of_it(client: FlaskClient) -> None:
    newest = client.get("/treegarth/api/v1/notifications/studies").get_json()["items"][-1]["id"]
    opened = client.get(f"/treegarth/notifications/open?id={newest}")
    assert (opened.status_code, opened.headers["Location"]) == (303, f"/treegarth/studies/{study_uid(1)}")
    assert "Told of 2 studies" in client.get("/treegarth/notifications/bell?lang=en").text
    seen = client.get("/treegarth/api/v1/notifications/studies?state=seen").get_json()["items"]
    assert [(one["id"], one["unseen"]) for one in seen] == [(newest, 0)]
    assert client.get("/treegarth/notifications/open?id=999").status_code == 404


def test_all_that_the_filters_show_is_marked_as_seen_and_no_more(client: FlaskClient) -> None:
    form = {"content_type": "application/x-www-form-urlencoded", "headers": {"Sec-Fetch-Site": "same-origin"}}
    assert "Mark all that is shown as seen" in page(client, "rule_id=1")
    done = client.post("/treegarth/notifications/seen", data={"rule_id": "1"}, **form)
    assert (done.status_code, done.headers["Location"].split("?")[0]) == (303, "/treegarth/notifications")
    assert page(client, "state=new").count('data-row="') == 1
    client.post("/treegarth/notifications/seen", data={}, **form)
    assert page(client, "state=new").count('data-row="') == 0


@pytest.mark.parametrize(("studies", "said"), [(175, "175"), (10_000, "10,000"), (10_001, "10,000+")])
def test_the_bell_counts_every_study_of_which_something_is_new(engine: Engine, studies: int, said: str) -> None:
    many = (
        "INSERT INTO notification (orthanc_study_id, study_instance_uid, channel, title, content, created_at)"
        " SELECT md5('t' || n % :studies), '1.2.' || n % :studies, 'dashboard', 't', '{}', now()"
        " FROM generate_series(1, :studies * 2) n"
    )
    with transaction(engine) as connection:
        connection.execute(text(many), {"studies": studies})
    assert f">{said}</span>" in client_on(engine).get("/treegarth/notifications/bell?lang=en").text
