"""The pages and endpoints of alerts: a level is set in a form, an alert is acknowledged once, each act is kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from tests.dose_alerts import DLP, MISSING, OUTLIER, REPEAT, SUM, arrive, ct, found, level
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.features.dose.alerts.store.levels import LEVELS
from treegarth.features.rules.tables import notification

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1/dose"
PAGES = "/treegarth/dose"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
SAID = {"name": "high", "kind": "exam", "quantity": "dlp_mgy_cm", "above": "1000", "exams_from": "2026-01-01"}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


def post(client: FlaskClient, path: str, **sent: str) -> Any:
    return client.post(f"{PAGES}/{path}", data=sent, headers=SAME_ORIGIN)


def act(client: FlaskClient, number: int, **body: Any) -> Any:
    return client.post(f"{API}/alerts/{number}/acts", json=body)


def test_an_empty_list_says_what_to_do(client: FlaskClient) -> None:
    assert "Set a level" in client.get(f"{PAGES}/alerts").text
    assert "No level yet" in client.get(f"{PAGES}/alert-levels").text


def test_a_level_is_looked_at_and_set_in_a_form(client: FlaskClient, engine: Engine) -> None:
    arrive(engine, ct(2000), ct(500))
    looked = post(client, "alert-levels/new", **SAID, act="look")
    assert re.search(r"<b>1 alert</b>", looked.text), looked.text[:4000]
    assert "2 exams were looked at" in looked.text
    saved = post(client, "alert-levels/new", **SAID, act="save")
    assert saved.status_code == 303, saved.text[:4000]
    page = client.get(saved.headers["Location"]).text
    assert "DLP above 1000 mGy·cm" in page
    with engine.connect() as connection:
        (stored,) = LEVELS.all(connection)
    kept = {"name": "high", "kind": "exam", "quantity": "dlp_mgy_cm", "above": 1000.0, "exams_from": "2026-01-01"}
    assert stored.document == kept
    assert stored.is_on
    assert "looked at" not in page  # that takes a while: by a button
    assert "2 exams were looked at" in client.get(f"{saved.headers['Location']}?look=true").text
    refused = post(client, f"alert-levels/{stored.id}/edit", **{**SAID, "quantity": "ctdi_vol_max_mgy"}, act="save")
    assert "Set another level" in refused.text
    edited = client.get(f"{PAGES}/alert-levels/{stored.id}/edit").text
    assert 'value="1000.0"' in edited


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"above": ""}, "says its quantity and above what it fires"),
        ({"above": "much"}, "number"),
        ({"kind": "cumulative", "window_days": "30"}, "does not add up"),
        ({"kind": "outlier"}, "say one"),
        ({"email": "nobody"}, "nobody is no address"),
        ({"exams_from": "tomorrow"}, "2026-11-20"),
        ({"age_from": "20", "age_to": "10"}, "not below"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(client: FlaskClient, sent: dict[str, str], said: str) -> None:
    refused = post(client, "alert-levels/new", **{**SAID, **sent}, act="save")
    assert refused.status_code == 200
    assert said in refused.text, re.findall(r'class="said">.*?</ul>', refused.text, re.DOTALL)


@pytest.mark.parametrize("told", [{"email": ["nobody"]}, {"webhook": ["none"]}])
def test_a_preview_refuses_whom_saving_refuses(client: FlaskClient, told: dict[str, Any]) -> None:
    document = {"document": {"name": "x", **DLP, **told}}
    saved, previewed = (client.post(f"{API}/alert-levels{end}", json=document) for end in ("", "/preview"))
    assert saved.status_code == previewed.status_code, previewed.text
    assert saved.status_code >= 400
    assert saved.get_json()["detail"] == previewed.get_json()["detail"]


@pytest.mark.parametrize("said", [DLP, SUM, REPEAT, OUTLIER, MISSING], ids=lambda one: str(one["kind"]))
def test_each_kind_has_its_pages(client: FlaskClient, engine: Engine, said: dict[str, Any]) -> None:
    number = level(engine, said)
    for path in ("alert-levels", f"alert-levels/{number}", f"alert-levels/{number}/edit", f"alerts?level_id={number}"):
        answer = client.get(f"{PAGES}/{path}")
        assert answer.status_code == 200, answer.text[:2000]
    previewed = client.post(f"{API}/alert-levels/preview", json={"document": {"name": "x", **said}})
    assert previewed.status_code == 200, previewed.text
    assert previewed.get_json()["alerts"] == 0


def test_a_preview_counts_patients_of_sums_and_repeats(client: FlaskClient, engine: Engine) -> None:
    arrive(engine, *(ct(600, patient_id="P") for _ in range(2)), ct(600, patient_id="Q"))
    for said in (SUM, REPEAT):
        answer = client.post(f"{API}/alert-levels/preview", json={"document": {"name": "x", **said}}).get_json()
        assert (answer["alerts"], answer["of"], answer["looked_at"]) == (1, "patients", 1)


def test_an_alert_is_acknowledged_once_with_a_reason_and_opened_again(client: FlaskClient, engine: Engine) -> None:
    level(engine, DLP)
    arrive(engine, ct(2000))
    (alert,) = found(engine)
    assert act(client, alert.id, act="acknowledge").status_code == 400
    done = act(client, alert.id, act="acknowledge", reason="a large patient")
    assert (done.status_code, done.get_json()["state"]) == (201, "acknowledged")
    again = act(client, alert.id, act="acknowledge", reason="me too")
    assert again.status_code == 409
    assert "acknowledged already" in again.get_json()["detail"]
    with engine.connect() as connection:
        assert connection.execute(select(notification.c.state)).scalar_one() == "sent"  # seen at the bell
    assert act(client, alert.id, act="assign", assignee="Kim").get_json()["assignee"] == "Kim"
    assert act(client, alert.id, act="assign", assignee="Kim").status_code == 409
    assert act(client, alert.id, act="comment", reason="asked").status_code == 201
    assert act(client, alert.id, act="assign").get_json()["assignee"] is None
    assert act(client, alert.id, act="reopen", reason="it was another one").get_json()["state"] == "open"
    assert act(client, alert.id, act="reopen", reason="again").status_code == 409
    history = client.get(f"{API}/alerts/{alert.id}").get_json()["history"]
    assert [one["act"] for one in history] == ["reopen", "assign", "comment", "assign", "acknowledge", "fired"]
    assert [one["assignee"] for one in history[:4]] == [None, None, "Kim", "Kim"]
    assert history[4]["reason"] == "a large patient"
    assert act(client, 999, act="comment", reason="x").status_code == 404


def test_the_page_of_an_alert_shows_and_does_the_same(client: FlaskClient, engine: Engine) -> None:
    level(engine, SUM)
    arrive(engine, ct(600, patient_id="P"), ct(700, patient_id="P"))
    (alert,) = found(engine)
    page = client.get(f"{PAGES}/alerts/{alert.id}").text
    assert "2 exams within 30 days" in page
    assert "1,300" in page or "1300" in page
    refused = post(client, f"alerts/{alert.id}", act="acknowledge", reason="")
    assert "Say why" in client.get(refused.headers["Location"]).text
    done = post(client, f"alerts/{alert.id}", act="acknowledge", reason="known patient")
    page = client.get(done.headers["Location"]).text
    assert "The alert is acknowledged." in page
    assert "known patient" in page
    assert "acknowledged" in page
    done = post(client, f"alerts/{alert.id}", act="assign", assignee="Lee")
    assert "The alert is assigned to Lee." in client.get(done.headers["Location"]).text
    done = post(client, f"alerts/{alert.id}", act="reopen", reason="again")
    assert "The alert is open again." in client.get(done.headers["Location"]).text
    assert "Lee" in client.get(f"{PAGES}/alerts?assignee=Lee").text


def test_alerts_are_listed_by_state_kind_modality_and_study(client: FlaskClient, engine: Engine) -> None:
    level(engine, DLP)
    level(engine, SUM)
    exams = [ct(1200, patient_id="P"), ct(300, patient_id="P")]
    arrive(engine, *exams)

    def listed(**asked: str) -> list[str]:
        answer = client.get(f"{API}/alerts", query_string=asked).get_json()
        return sorted(one["kind"] for one in answer["items"])

    assert listed() == ["cumulative", "exam"]
    assert listed(kind="exam") == ["exam"]
    assert listed(state="open", modality="CT") == ["cumulative", "exam"]
    assert listed(state="acknowledged") == []
    second = {"study_instance_uid": f"1.2.{exams[1].orthanc_study_id.removeprefix('exam')}"}
    assert listed(**second) == ["cumulative"]
    assert listed(made_from="2026-11-20", made_to="2026-11-20") == ["cumulative", "exam"]
    assert listed(made_to="2026-11-19") == []


def test_a_notice_at_the_bell_leads_to_the_alert(client: FlaskClient, engine: Engine) -> None:
    level(engine, DLP, name="high DLP")
    arrive(engine, ct(2000))
    (alert,) = found(engine)
    page = client.get("/treegarth/notifications").text
    assert f"/treegarth/dose/alerts/{alert.id}" in page
    assert "high DLP" in page
    assert 'class="badge"' in client.get("/treegarth/notifications/bell").text
