"""Rules over HTTP against a real database: keep, check, import, try, apply, what failed, labels."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.rule_support import SETTINGS, book, handle_all, index_study, study_id, study_uid
from tests.unit.web.web_support import NOW, make_services, web_folder
from tests.unit.web.web_support import NOW as ASKED_AT
from tests.works import rules_runner
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.features.rules.model import Trigger
from treegarth.features.rules.store import events
from treegarth.phrases import P_
from treegarth.settings import SignIn
from treegarth.web.paths import API_PATH

CT = {"name": "label CT", "when": "study stable", "if": "Modality = CT", "do": [{"label": "seen"}], "on": True}


@pytest.fixture
def app(engine: Engine, tmp_path: Path) -> Flask:
    settings = SETTINGS.model_copy(update={"sign_in": SignIn.NONE})
    services = make_services(web_folder(tmp_path), engine=lambda: engine, settings=settings)
    return make_application(services)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def ask(client: FlaskClient, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
    answer = client.open(f"{API_PATH}/{path}", method=method, json=body)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def silent() -> dict[str, Any]:
    return {key: value for key, value in CT.items() if key != "on"}


def test_a_new_rule_that_does_not_say_is_off_and_one_of_a_text_is_on(client: FlaskClient) -> None:
    text = "- name: of a text\n  when: study stable\n  do: [{label: seen}]\n"
    for said, is_on in ((text, True), (text + "  on: false\n", False)):
        assert ask(client, "PUT", "rules/text", {"text": said, "dry_run": True})["items"][0]["is_on"] is is_on
    made = ask(client, "POST", "rules", {"document": silent()}, status=201)
    assert not made["is_on"]
    again = {"document": silent() | {"why": "still off"}, "version": 1}
    assert not ask(client, "PUT", f"rules/{made['id']}", again)["is_on"]
    assert ask(client, "POST", "rules", {"document": CT | {"name": "said"}}, status=201)["is_on"]
    assert [one["is_on"] for one in ask(client, "PUT", "rules/text", {"text": text})["items"]] == [True]
    assert {one["name"]: one["is_on"] for one in ask(client, "GET", "rules")["items"]} == {
        "label CT": False,
        "said": True,
        "of a text": True,
    }


def test_a_rule_is_added_worded_anew_switched_and_removed(client: FlaskClient) -> None:
    made = ask(client, "POST", "rules", {"document": CT}, status=201)
    assert (made["version"], made["is_on"], made["does"]) == (1, True, ["labels the study seen"])
    assert ask(client, "POST", "rules", {"document": CT}, status=409)
    path = f"rules/{made['id']}"
    assert ask(client, "PUT", path, {"document": CT | {"why": "그냥"}, "version": 1})["why"] == "그냥"
    assert not ask(client, "PUT", f"{path}/state", {"is_on": False})["is_on"]
    changes = [one["change"] for one in ask(client, "GET", f"{path}/versions")["items"]]
    assert changes == ["switched off", "edited", "created"]
    assert [one["name"] for one in ask(client, "GET", "rules")["items"]] == ["label CT"]
    ask(client, "DELETE", path)
    ask(client, "GET", path, status=404)
    assert ask(client, "GET", "rules")["items"] == []


def test_a_rule_that_was_worded_anew_since_the_version_that_was_read_is_not_changed(client: FlaskClient) -> None:
    path = f"rules/{ask(client, 'POST', 'rules', {'document': CT}, status=201)['id']}"
    ask(client, "PUT", f"{path}/state", {"is_on": False})  # a version, but no other wording
    first, second = ({"document": CT | {"why": why}} for why in ("first", "second"))
    assert ask(client, "PUT", path, {**first, "version": 1})["version"] == 3
    said = ask(client, "PUT", path, {**second, "version": 2}, status=409)["detail"]
    assert said == "It was edited after version 2: it is version 3 now. Nothing was saved."
    ask(client, "PUT", path, {**second, "version": 4}, status=409)
    assert ask(client, "PUT", path, {**second, "version": 3})["version"] == 4


def test_a_rule_that_is_wrong_is_refused_with_every_place(client: FlaskClient) -> None:
    wrong = {"name": "x", "when": "never", "if": "Modalty = CT", "do": [{"notify": {"webhook": "nobody"}}]}
    problem = ask(client, "POST", "rules", {"document": wrong}, status=400)
    places = ["when", "if", "do[0].notify.webhook"]
    assert [one["field"] for one in problem["errors"]] == [f"document.{place}" for place in places]
    checked = ask(client, "PUT", "rules/text", {"text": json.dumps(wrong), "dry_run": True}, status=400)
    assert [one["field"] for one in checked["errors"]] == [f"rules[0].{place}" for place in places]
    assert "line 1" in ask(client, "PUT", "rules/text", {"text": "- [a"}, status=400)["detail"]
    assert ask(client, "POST", "rules", {"document": CT}, status=201)["document"] == silent()


@pytest.mark.parametrize("name", ["a\x00b", "\ud800"])
def test_what_the_database_cannot_hold_is_refused(client: FlaskClient, name: str) -> None:
    for document in (CT | {"name": name}, CT | {"if": f"StudyDescription = '{name}'"}, CT | {"do": [{"label": name}]}):
        ask(client, "POST", "rules", {"document": document}, status=400)
    ask(client, "GET", f"rule-outcomes?study_instance_uid={'%00'}", status=400)


def test_rules_are_imported_and_exported_as_text(client: FlaskClient) -> None:
    text = "# 왜\n- name: one\n  when: by hand\n  do: [label: x]\n"
    assert ask(client, "PUT", "rules/text", {"text": text, "dry_run": True})["items"][0]["id"] is None
    assert ask(client, "PUT", "rules/text", {"text": text})["items"][0]["outcome"] == "created"
    assert ask(client, "GET", "rules/text") == {"text": text}
    ask(client, "PUT", "rules/text", {"text": "- name: one"}, status=400)
    ask(client, "PUT", "rules/text", {"text": "- &a b"}, status=400)


def test_a_rule_is_tried_before_it_acts(client: FlaskClient, engine: Engine) -> None:
    for number in range(1, 5):
        index_study(engine, number, "CT", size_bytes=10)
    index_study(engine, 5, "MR")
    unkept = ask(client, "POST", "rules/preview?limit=1", {"document": CT})
    made = ask(client, "POST", "rules", {"document": CT}, status=201)
    kept = ask(client, "GET", f"rules/{made['id']}/preview?limit=3")
    assert (unkept["study_count"], kept["study_count"], kept["size_bytes"]) == (4, 4, 40)
    rest = ask(client, "GET", f"rules/{made['id']}/preview?limit=3&cursor={kept['next']}")
    assert [one["study_instance_uid"] for one in rest["items"]] == [study_uid(1)]
    why = ask(client, "GET", f"rules/{made['id']}/explain/{study_uid(5)}")
    assert (why["holds"], why["explanation"]["seen"], why["actions"]) == (False, ["MR"], [])
    ask(client, "GET", f"rules/{made['id']}/explain/1.2.404", status=404)
    ask(client, "GET", f"rules/{made['id']}/preview?cursor=x", status=400)


def test_a_rule_is_applied_and_says_what_it_did(client: FlaskClient, engine: Engine) -> None:
    index_study(engine, 1, "CT")
    made = ask(client, "POST", "rules", {"document": CT | {"on": False}}, status=201)
    path = f"rules/{made['id']}/apply"
    ask(client, "POST", path, status=409)
    ask(client, "PUT", f"rules/{made['id']}/state", {"is_on": True})
    started = ask(client, "POST", path, status=202)
    assert (started["total"], started["is_running"], started["subject"]) == (1, True, str(made["id"]))
    for minutes in (1, 2):
        later = ASKED_AT + timedelta(minutes=minutes)
        rules_runner(engine, book(), lambda at=later: at).block()  # type: ignore[misc]
        handle_all(engine, at=later)
    assert ask(client, "GET", f"work/{started['id']}")["state"] == "done"
    look = f"rules/{made['id']}/look"
    noted = ask(client, "POST", look, {"study_instance_uid": study_uid(1)}, status=202)
    assert noted == {"study_instance_uid": study_uid(1), "orthanc_study_id": study_id(1)}
    ask(client, "POST", look, {"study_instance_uid": "1.2.404"}, status=404)
    handle_all(engine, at=NOW)
    done = ask(client, "GET", f"rule-outcomes?rule_id={made['id']}&limit=1")
    assert done["items"][0]["actions"] == [{"action": "label", "done": "every label was as it should be"}]
    more = ask(client, "GET", f"rule-outcomes?study_instance_uid={study_uid(1)}&sort=id&limit=1")
    assert more["items"][0]["actions"] == [{"action": "label", "done": "labelled seen"}]
    again = ask(client, "POST", path, status=202)
    assert again["id"] != started["id"]
    assert ask(client, "POST", f"work/{again['id']}/stop")["state"] == "stopped"


def test_what_failed_is_shown_and_tried_again(client: FlaskClient, engine: Engine) -> None:
    with transaction(engine) as connection:
        events.note_events(connection, Trigger.STUDY_STABLE, [(study_id(1), "")], NOW)
        (claimed,) = events.claim_events(connection, NOW, timedelta(seconds=60), limit=1)
        events.record_failure(connection, claimed, P_("made up: %(what)s", what="why"), None)
    found = ask(client, "GET", "rule-events?state=failed")
    assert [(one["state"], one["last_error"]) for one in found["items"]] == [("failed", "made up: why")]
    assert ask(client, "GET", "rule-events?state=waiting")["items"] == []
    assert ask(client, "POST", f"rule-events/{found['items'][0]['id']}/retry") == {"retried": 1}
    ask(client, "POST", f"rule-events/{found['items'][0]['id']}/retry", status=404)
    assert ask(client, "POST", "rule-events/retry") == {"retried": 0}
    assert [one["state"] for one in ask(client, "GET", "rule-events")["items"]] == ["waiting"]


def test_labels_are_set_and_taken_off_by_hand(client: FlaskClient, engine: Engine) -> None:
    index_study(engine, 1, "CT")
    path = f"studies/{study_uid(1)}/labels"
    ask(client, "PUT", f"{path}/urgent")
    found = ask(client, "PUT", f"{path}/%EA%B8%B4%EA%B8%89")
    assert [one["label"] for one in found["items"]] == ["urgent", "긴급"]
    assert ask(client, "GET", "labels")["items"] == ["urgent", "긴급"]
    assert [one["label"] for one in ask(client, "DELETE", f"{path}/urgent")["items"]] == ["긴급"]
    ask(client, "PUT", f"{path}/{'x' * 65}", status=400)
    ask(client, "PUT", "studies/1.2.404/labels/x", status=404)
