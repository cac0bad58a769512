"""Deliveries over HTTP: wished by hand, listed, sent again, canceled, summed."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.delivery_support import Ledger, dicom_settings
from tests.index_support import write_study
from tests.unit.web.web_support import NOW, make_services, web_folder
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.features.deliveries.senders.stow_answers import reason_in_words
from treegarth.features.deliveries.store import leases, send_results
from treegarth.features.deliveries.store.destinations import read_destination
from treegarth.features.deliveries.transitions import failed
from treegarth.settings import Settings, SignIn
from treegarth.web.paths import API_PATH

PATH = f"{API_PATH}/deliveries"
STUDY = "1.2.840.99999.1.1"
ALICE = "Basic YWxpY2U6c2VjcmV0"


@pytest.fixture
def client(engine: Engine, tmp_path: Path) -> FlaskClient:
    services = make_services(
        web_folder(tmp_path / "web"), engine=lambda: engine, settings=Settings(sign_in=SignIn.ORTHANC)
    )
    client = make_application(services).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = ALICE
    with transaction(engine) as connection:
        write_study(connection, 1)
    return client


@pytest.fixture
def node(engine: Engine) -> int:
    return Ledger(engine).add(dicom_settings("node", 104, proof="find"))


def test_a_study_is_wished_once_and_its_objects_are_shown(client: FlaskClient, node: int) -> None:
    wish = {"study_instance_uid": STUDY, "destination": "node"}
    first = client.post(PATH, json=wish)
    assert (first.status_code, first.get_json()) == (202, {"objects": 2, "new": 2})
    assert client.post(PATH, json=wish).get_json() == {"objects": 2, "new": 0}
    answer = client.get(PATH, query_string={"state": "waiting", "destination": "node", "limit": 1}).get_json()
    (item,) = answer["items"]
    assert answer["next"] is not None
    shown = ("destination", "sop_instance_uid", "state", "proof", "proof_wanted", "attempts", "last_error", "sent_at")
    assert [item[name] for name in shown] == ["node", "1.2.840.99999.3.1.1", "waiting", None, "find", 0, None, None]


def test_a_wish_that_cannot_be_is_refused(client: FlaskClient, node: int) -> None:
    assert client.post(PATH, json={"study_instance_uid": STUDY, "destination": "nowhere"}).status_code == 400
    assert client.post(PATH, json={"study_instance_uid": "1.9", "destination": "node"}).status_code == 404
    objects = {"study_instance_uid": STUDY, "destination": "node", "objects": "some"}
    assert client.post(PATH, json=objects).status_code in (400, 422)


def test_an_object_is_canceled_and_sent_again(client: FlaskClient, node: int) -> None:
    client.post(PATH, json={"study_instance_uid": STUDY, "destination": "node"})
    one = f"{PATH}/{node}/instance-00001-1"
    canceled = client.post(f"{one}/cancel").get_json()
    assert (canceled["state"], canceled["last_error"]) == ("given up", "Canceled by alice.")
    again = client.post(f"{one}/cancel")
    assert (again.status_code, again.get_json()["detail"]) == (409, "It is given up: there is nothing to cancel.")
    again = client.post(f"{one}/resend")
    assert (again.status_code, again.get_json()["state"]) == (202, "waiting")
    assert client.post(f"{PATH}/{node}/nothing/resend").status_code == 404


def test_why_an_object_failed_is_a_text_in_english(client: FlaskClient, engine: Engine, node: int) -> None:
    client.post(PATH, json={"study_instance_uid": STUDY, "destination": "node"})
    with transaction(engine) as connection:
        claim = leases.claim_to_send(connection, node, "one", NOW, most_open=1, most_objects=1)
        assert isinstance(claim, leases.Claim)
        destination = read_destination(connection, node)
        changes = [failed(one, reason_in_words(0xA700), destination, NOW, 0.5) for one in claim.objects]
        assert send_results.record_changes(connection, node, "one", changes) == 1
    items = client.get(PATH, query_string={"state": "waiting"}).get_json()["items"]
    tried = [(item["attempts"], item["last_error"]) for item in items if item["attempts"]]
    assert tried == [(1, "It refused the object: out of resources (A700).")]
    wrong = client.get(PATH, query_string={"state": "failed"})
    assert wrong.status_code == 400
    said = str(wrong.get_json()["errors"])
    assert all(f"'{one}'" in said for one in ("waiting", "sending", "arrived", "unproved", "given up"))


def test_the_summary_counts_by_destination_and_state(client: FlaskClient, node: int) -> None:
    client.post(PATH, json={"study_instance_uid": STUDY, "destination": "node"})
    (item,) = client.get(f"{PATH}/summary").get_json()["items"]
    nothing = dict.fromkeys(("sending", "arrived", "unproved", "given up"), 0)
    assert (item["destination"], item["objects"]) == ("node", {"waiting": 2, **nothing})
    assert item["size_bytes"] == {"waiting": 1000, **nothing}
