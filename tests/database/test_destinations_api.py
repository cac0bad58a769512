"""Destinations over HTTP: set, changed, paused, removed, each by whom; whether they answer; what waits there."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from sqlalchemy import Engine, select

from tests.api_document import check_document
from tests.delivery_support import add_destination
from tests.places import places
from tests.unit.web.web_support import NOW, make_services, web_folder
from treegarth.bootstrap import make_application
from treegarth.errors import NotFound
from treegarth.features.deliveries.store.destinations import (
    destination_named,
    list_destinations,
    read_destination,
)
from treegarth.features.deliveries.tables import delivery_batch, delivery_object, destination
from treegarth.places import DestinationPlaces
from treegarth.settings import Settings, SignIn
from treegarth.web.paths import API_PATH

PATH = f"{API_PATH}/destinations"
ALICE = {"Authorization": "Basic YWxpY2U6c2VjcmV0"}


@pytest.fixture
def client(engine: Engine, tmp_path: Path) -> FlaskClient:
    allowed = DestinationPlaces.model_validate(places(tmp_path, SecretEnvironment=["NO_SUCH_TOKEN"]))
    settings = Settings(sign_in=SignIn.ORTHANC, destination_places=allowed)
    services = make_services(web_folder(tmp_path / "web"), engine=lambda: engine, settings=settings)
    app = make_application(services)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = ALICE["Authorization"]
    return client


def folder(path: Path, name: str = "exports", **others: Any) -> dict[str, Any]:
    return {"name": name, "kind": "folder", "address": {"path": str(path)}, **others}


def made(client: FlaskClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(PATH, json={"document": body})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{PATH}/{answer.get_json()['id']}"
    return dict(answer.get_json())


def test_a_destination_is_read_as_it_was_set(client: FlaskClient, tmp_path: Path) -> None:
    night = {"days": ["fri"], "begin": "22:00", "end": "06:00"}
    found = made(client, folder(tmp_path, windows=[night], max_mbit_per_s=50, proof="find"))
    assert client.get(f"{PATH}/{found['id']}").get_json() == found
    assert client.get(PATH).get_json() == {"items": [found]}
    settings = found["document"]
    assert settings["address"]["layout"].startswith("{PatientID}/")
    assert (found["state"], found["is_on"]) == ("unknown", True)
    assert (settings["windows"], settings["proof"], settings["max_attempts"]) == ([night], "find", 20)
    assert found["is_open"] is False  # Friday 14:05 in Seoul
    assert found["opens_at"] == "2026-11-20T13:00:00Z"


def edit(document: dict[str, Any], version: int = 1) -> dict[str, Any]:
    return {"document": document, "version": version}


def test_every_change_is_kept_with_who_made_it(client: FlaskClient, tmp_path: Path) -> None:
    one = f"{PATH}/{made(client, folder(tmp_path))['id']}"
    assert client.put(one, json=edit(folder(tmp_path, name="other"))).get_json()["name"] == "other"
    assert client.put(f"{one}/state", json={"is_on": False}).get_json()["state"] == "paused"
    assert client.put(f"{one}/state", json={"is_on": True}).get_json()["state"] == "unknown"
    assert client.delete(one).status_code == 200
    assert client.get(one).status_code == 404
    assert [item["state"] for item in client.get(f"{PATH}?removed=true").get_json()["items"]] == ["removed"]
    changes = client.get(f"{one}/versions").get_json()["items"]
    assert [item["change"] for item in changes] == ["removed", "switched on", "switched off", "edited", "created"]
    assert {item["changed_by"] for item in changes} == {"alice"}
    assert [item["document"]["name"] for item in changes][-2:] == ["other", "exports"]


def test_a_name_is_taken_once_and_free_again_when_it_was_removed(client: FlaskClient, tmp_path: Path) -> None:
    first = made(client, folder(tmp_path))
    taken = client.post(PATH, json={"document": folder(tmp_path)})
    assert (taken.status_code, taken.get_json()["detail"]) == (409, "There is a destination named “exports” already.")
    second = made(client, folder(tmp_path, name="second", alternate="exports"))
    assert client.put(f"{PATH}/{second['id']}", json=edit(folder(tmp_path))).status_code == 409
    nowhere = client.post(PATH, json={"document": folder(tmp_path, name="third", alternate="nobody")})
    assert nowhere.status_code == 409
    assert nowhere.get_json()["detail"] == "There is no destination named “nobody” to be the alternate."
    client.put(f"{PATH}/{first['id']}", json=edit(folder(tmp_path, name="renamed")))
    assert client.get(f"{PATH}/{second['id']}").get_json()["document"]["alternate"] == "renamed"
    last = client.get(f"{PATH}/{second['id']}/versions").get_json()["items"][0]
    assert (last["change"], last["document"]["alternate"]) == ("edited", "renamed")
    client.delete(f"{PATH}/{first['id']}")
    made(client, folder(tmp_path, name="renamed"))
    assert len(client.get(PATH).get_json()["items"]) == 2
    assert len(client.get(f"{PATH}?removed=true").get_json()["items"]) == 3
    assert client.put(f"{PATH}/{first['id']}/state", json={"is_on": False}).status_code == 404


def test_a_mistake_is_answered_at_its_place(client: FlaskClient) -> None:
    wrong = {"name": "A", "kind": "dicom", "address": {"ae_title": "A", "host": "h", "port": 0}}
    text = client.put(f"{PATH}/text", json={"text": json.dumps([wrong, {"name": "B"}])})
    for answer, wanted in (
        (client.post(PATH, json={"document": wrong}), ["document.address.port"]),
        (text, ["destinations[0].address.port", "destinations[1].kind", "destinations[1].address"]),
    ):
        assert answer.status_code == 400
        assert [error["field"] for error in answer.get_json()["errors"]] == wanted


def test_what_the_settings_do_not_list_is_not_saved(client: FlaskClient, tmp_path: Path) -> None:
    made(client, folder(tmp_path))
    peer = {"url": "http://pacs/", "user": "u", "password": {"file": "/etc/shadow"}}
    refused = {
        ("folder", "address.path", "Folders"): {"path": "/usr/lib/python3", "layout": "x.pth"},
        ("peer", "address.password", "SecretFiles"): peer,
        ("peer", "address.url", "LocalAddresses"): {"url": "http://169.254.169.254"},
        ("s3", "address.access_key_id", "MachineLogin"): {"bucket": "images"},
    }
    for (kind, field, setting), address in refused.items():
        body = {"name": "A", "kind": kind, "address": address}
        put = client.put(f"{PATH}/1", json=edit(body))
        text = client.put(f"{PATH}/text", json={"text": json.dumps([body])})
        post = client.post(PATH, json={"document": body})
        for answer, place in ((post, "document"), (put, "document"), (text, "destinations[0]")):
            assert answer.status_code == 400
            [error] = answer.get_json()["errors"]
            assert error["field"] == f"{place}.{field}"
            assert f"Treegarth.DestinationPlaces.{setting}" in error["detail"]
    assert [one["name"] for one in client.get(PATH).get_json()["items"]] == ["exports"]


def test_one_that_was_there_before_the_setting_is_shown_with_the_reason_and_can_be_removed(
    client: FlaskClient, engine: Engine
) -> None:
    with engine.begin() as connection:
        number = add_destination(connection, folder(Path("/usr/lib/python3")))
    [refused] = client.get(f"{PATH}/{number}").get_json()["refused"]
    assert "/usr/lib/python3" in refused
    assert "Treegarth.DestinationPlaces.Folders" in refused
    tried = client.post(f"{PATH}/{number}/echo").get_json()
    assert (tried["answers"], tried["reason"]) == (False, refused)
    assert client.put(f"{PATH}/{number}/state", json={"is_on": False}).status_code == 200
    assert client.delete(f"{PATH}/{number}").status_code == 200
    assert not Path("/usr/lib/python3/.treegarth-incoming").exists()


def test_an_echo_says_what_answers_or_why_nothing_does(client: FlaskClient, engine: Engine, tmp_path: Path) -> None:
    there = made(client, folder(tmp_path / "out"))
    answer = client.post(f"{PATH}/{there['id']}/echo").get_json()
    assert (answer["answers"], answer["can_find"], answer["reason"]) == (True, True, None)
    with engine.begin() as connection:
        assert read_destination(connection, there["id"]).can_find is True
    web = {"name": "web", "kind": "dicomweb", "address": {"url": "http://127.0.0.1:9"}}
    silent = client.post(f"{PATH}/{made(client, web)['id']}/echo").get_json()
    assert (silent["answers"], silent["reason"]) == (False, "It could not be reached, or the connection broke.")
    guarded = {**web, "name": "guarded", "address": {**web["address"], "token": {"environment": "NO_SUCH_TOKEN"}}}
    unset = client.post(f"{PATH}/{made(client, guarded)['id']}/echo").get_json()
    assert "NO_SUCH_TOKEN" in unset["reason"]


def test_what_waits_is_counted_and_given_up_with_its_destination(
    client: FlaskClient, engine: Engine, tmp_path: Path
) -> None:
    number = made(client, folder(tmp_path))["id"]
    states = [("waiting", 0), ("waiting", 0), ("waiting", 3), ("sending", 1), ("sent", 1), ("given up", 20)]
    with engine.begin() as connection:
        for place, (state, attempts) in enumerate([*states, ("confirmed", 1), ("gone", 0)]):
            connection.execute(
                delivery_object.insert().values(
                    destination_id=number,
                    orthanc_instance_id=f"instance-{place}",
                    sop_instance_uid=f"1.2.{place}",
                    size_bytes=1000,
                    state=state,
                    attempts=attempts,
                    proof_wanted="best",
                    queued_at=NOW,
                    **dict.fromkeys(
                        ("orthanc_series_id", "orthanc_study_id", "study_instance_uid", "series_instance_uid"), "x"
                    ),
                )
            )
        connection.execute(
            delivery_batch.insert().values(
                batch="b",
                destination_id=number,
                started_at=NOW - timedelta(seconds=30),
                lease_until=NOW,
                ended_at=NOW - timedelta(seconds=28),
                object_count=2,
                size_bytes=10_000_000,
                outcome="arrived",
                orthanc_instance_ids=["a", "b"],
            )
        )
    found = client.get(f"{PATH}/{number}").get_json()
    assert found["objects"] == {"waiting": 3, "sending": 2, "arrived": 1, "unproved": 0, "given up": 2}
    assert (found["tried"], found["waiting_bytes"]) == (1, 3000)
    assert (found["sends_last_hour"], found["mbit_per_s"]) == (1, 40.0)
    assert client.delete(f"{PATH}/{number}").get_json()["objects"]["given up"] == 5


def test_a_new_address_forgets_what_was_learnt_of_the_old(client: FlaskClient, engine: Engine, tmp_path: Path) -> None:
    number = made(client, folder(tmp_path))["id"]
    with engine.begin() as connection:
        connection.execute(destination.update().values(can_find=True, down_since=NOW, failures=4, next_attempt_at=NOW))
    kept = client.put(f"{PATH}/{number}", json=edit(folder(tmp_path, max_attempts=5))).get_json()
    assert (kept["state"], kept["can_find"]) == ("down", True)
    moved = client.put(f"{PATH}/{number}", json=edit(folder(tmp_path / "elsewhere"), 2)).get_json()
    assert (moved["state"], moved["can_find"], moved["failures"], moved["next_attempt_at"]) == (
        "unknown",
        None,
        0,
        None,
    )


def test_destinations_go_to_another_site_as_text_with_secrets_by_their_place(
    client: FlaskClient, tmp_path: Path
) -> None:
    token = {"url": "http://pacs.test/", "token": {"environment": "NO_SUCH_TOKEN"}}
    first = {"name": "first", "kind": "dicomweb", "address": token, "alternate": "second"}
    documents = [first, folder(tmp_path, name="second")]
    put = {"text": json.dumps(documents), "dry_run": True}
    foreseen = client.put(f"{PATH}/text", json=put)
    assert foreseen.status_code == 200, foreseen.text
    assert [(one["outcome"], one["is_on"], one["id"]) for one in foreseen.get_json()["items"]] == [
        ("created", True, None),
        ("created", True, None),
    ]
    assert client.get(PATH).get_json() == {"items": []}
    client.put(f"{PATH}/text", json=put | {"dry_run": False})
    text = client.get(f"{PATH}/text").get_json()["text"]
    assert text.startswith("- name: first\n  kind: dicomweb\n  address:\n")
    assert "environment: NO_SUCH_TOKEN" in text
    again = client.put(f"{PATH}/text", json={"text": text.replace("max_attempts: 20", "max_attempts: 3")})
    assert [one["outcome"] for one in again.get_json()["items"]] == ["changed", "changed"]
    assert [one["document"]["max_attempts"] for one in client.get(PATH).get_json()["items"]] == [3, 3]


def test_always_open_is_kept_as_no_windows(client: FlaskClient, engine: Engine, tmp_path: Path) -> None:
    made(client, folder(tmp_path, windows=[]))
    with engine.begin() as connection:
        assert connection.execute(select(destination.c.id).where(destination.c.windows.is_(None))).scalar() is not None
        assert [one.windows for one in list_destinations(connection)] == [None]
        assert destination_named(connection, "exports")
        assert destination_named(connection, "nobody") is None
        with pytest.raises(NotFound):
            read_destination(connection, 999)


def test_the_document_is_valid_and_the_answers_fit_it(client: FlaskClient, tmp_path: Path) -> None:
    document = client.get(f"{API_PATH}/openapi.json").get_json()
    check_document(document)
    found = made(client, folder(tmp_path))
    schema = {"$ref": "#/components/schemas/DestinationItem", "components": document["components"]}
    assert [error.message for error in Draft202012Validator(schema).iter_errors(found)] == []
