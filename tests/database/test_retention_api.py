"""Retention over HTTP against a real database: write a policy, see what it would do, switch it on, rescue, ask back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, insert

from tests.index_support import NOON, write_study
from tests.retention_support import add_up_ledger, table, write_destinations
from tests.unit.web.web_support import NOW, make_services, web_folder
from treegarth.bootstrap import make_application
from treegarth.features.retention.tables import prune_ledger, prune_mark, retention_policy
from treegarth.features.retention.uses import study_opened
from treegarth.web.paths import API_PATH
from treegarth.web.services import Services

UID = "1.2.840.99999.1.1"
OLD = NOW - timedelta(days=200)
POLICY = {"name": "old", "why": "space", "keep": "nothing", "after": "90 days since received", "proof": "none"}
ON = {"is_on": True, "typed_count": 2, "only_copy_may_go": True}


@pytest.fixture
def services(engine: Engine, tmp_path: Path) -> Services:
    return make_services(web_folder(tmp_path), engine=lambda: engine)


@pytest.fixture
def client(services: Services, engine: Engine) -> FlaskClient:
    with engine.begin() as connection:
        write_study(connection, 1, last_received_at=OLD)
        write_study(connection, 2, last_received_at=NOW - timedelta(days=70))
        write_study(connection, 3, last_received_at=NOW)
    return make_application(services).test_client()


def get(client: FlaskClient, path: str, status: int = 200) -> Any:
    answer = client.get(f"{API_PATH}/retention/{path}")
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def post(client: FlaskClient, path: str, body: dict[str, Any], status: int = 200, method: str = "POST") -> Any:
    answer = client.open(f"{API_PATH}/retention/{path}", method=method, json=body)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def test_a_policy_is_written_foreseen_and_switched_on_with_its_number_typed(client: FlaskClient) -> None:
    made = post(client, "policies", {"document": POLICY}, 201)
    assert (made["name"], made["version"], made["is_on"]) == ("old", 1, False)
    seen = get(client, f"preview?policy_id={made['id']}")
    assert (seen["today"]["instance_count"], seen["in_30_days"]["instance_count"]) == (2, 4)
    assert seen["today"]["shares"] == [{"modality": "CT", "source": "", "instance_count": 2, "size_bytes": 1000}]
    assert [one["study_instance_uid"] for one in seen["studies"]] == [UID]
    assert seen["asks_twice"]
    refused = post(client, f"policies/{made['id']}/state", {"is_on": True, "typed_count": 2}, 409, method="PUT")
    assert "(`only_copy_may_go`)" in refused["detail"]
    refused = post(client, f"policies/{made['id']}/state", {"is_on": True, "only_copy_may_go": True}, 409, method="PUT")
    assert "2 objects" in refused["detail"]
    switched = post(client, f"policies/{made['id']}/state", ON, method="PUT")
    assert switched["is_on"]
    history = get(client, f"policies/{made['id']}/versions")["items"]
    assert [one["change"] for one in history] == ["switched on", "created"]


def test_a_bad_policy_is_refused_with_what_would_be_right(client: FlaskClient) -> None:
    refused = post(client, "policies", {"document": {**POLICY, "after": "soon", "if": "Modalty = CT"}}, 400)
    assert [one["field"] for one in refused["errors"]] == ["document.if", "document.after"]


def test_a_proof_at_a_destination_that_is_not_there_is_refused_with_those_that_are(
    client: FlaskClient, engine: Engine
) -> None:
    proved = {**POLICY, "proof": {"at": "LONGTREM", "within": "1 day"}}
    said = "document.proof.at: there is no destination LONGTREM. Make it, or correct the name."
    assert post(client, "policies", {"document": proved}, 400)["detail"] == said
    with engine.begin() as connection:
        write_destinations(connection)
        connection.execute(retention_policy.delete())
    near = said.replace("correct the name", "write one of LONGTERM")
    assert post(client, "policies", {"document": proved}, 400)["detail"] == near
    text = "- {name: x, why: y, keep: nothing, proof: [{at: LONGTERM, within: 1 day}, {at: 3rd, within: 1 day}]}"
    refused = post(client, "policies/text", {"text": text, "dry_run": True}, 400, method="PUT")["detail"]
    assert refused == (
        "policies[0].proof[1].at: there is no destination 3rd. Make it, or write one of LONGTERM, OTHER."
    )
    proved["proof"] = {"at": "LONGTERM", "within": "1 day"}
    made = post(client, "policies", {"document": proved}, 201)
    body = {"document": {**proved, "proof": {"at": "REMOVED", "within": "1 day"}}, "version": 1}
    assert "no destination REMOVED" in post(client, f"policies/{made['id']}", body, 400, method="PUT")["detail"]


def test_a_policy_need_not_be_saved_to_be_foreseen(client: FlaskClient) -> None:
    seen = post(client, "preview", {"document": {**POLICY, "if": "Modality = MR"}})
    assert seen["today"]["instance_count"] == 0
    by_space = {key: value for key, value in POLICY.items() if key != "after"}
    seen = post(client, "preview", {"document": {**by_space, "space": {"high": "0.002 MB", "low": "0.001 MB"}}})
    assert (seen["archive_bytes"], seen["space_wanted_bytes"]) == (3000, 2000)


def test_an_edited_policy_is_off_and_a_removed_one_is_gone_but_remembered(client: FlaskClient) -> None:
    made = post(client, "policies", {"document": POLICY}, 201)
    post(client, f"policies/{made['id']}/state", ON, method="PUT")
    body = {"document": {**POLICY, "why": "more space"}, "version": 1}
    changed = post(client, f"policies/{made['id']}", body, method="PUT")
    assert (changed["version"], changed["is_on"], changed["document"]["why"]) == (3, False, "more space")
    post(client, "policies", {"document": POLICY}, 409)
    removed = client.delete(f"{API_PATH}/retention/policies/{made['id']}").get_json()
    assert (removed["id"], removed["version"]) == (made["id"], 3)
    assert get(client, "policies")["items"] == []
    get(client, f"policies/{made['id']}", 404)
    assert len(get(client, f"policies/{made['id']}/versions")["items"]) == 4
    get(client, "policies/999/versions", 404)


def test_the_second_of_two_edits_is_refused_and_nothing_is_lost(client: FlaskClient) -> None:
    made = post(client, "policies", {"document": POLICY}, 201)
    place = f"policies/{made['id']}"
    first = post(client, place, {"document": {**POLICY, "why": "first"}, "version": 1}, method="PUT")
    assert (first["version"], first["edited_version"]) == (2, 2)
    refused = post(client, place, {"document": {**POLICY, "why": "second"}, "version": 1}, 409, method="PUT")
    assert refused["detail"] == "It was edited after version 1: it is version 2 now. Nothing was saved."
    assert get(client, place)["document"]["why"] == "first"
    same = post(client, place, {"document": {**POLICY, "why": "first"}, "version": 1}, method="PUT")
    assert same["version"] == 2  # the same wording is no change, and no conflict
    post(client, f"{place}/state", ON, method="PUT")
    third = post(client, place, {"document": {**POLICY, "why": "third"}, "version": 2}, method="PUT")
    assert (third["version"], third["is_on"]) == (4, False)  # that it was switched meanwhile is no other wording
    missing = post(client, place, {"document": POLICY}, 400, method="PUT")
    assert [one["field"] for one in missing["errors"]] == ["version"]


def test_policies_go_out_and_come_in_as_yaml(client: FlaskClient) -> None:
    post(client, "policies", {"document": {**POLICY, "if": "StudyDescription like '*old*'"}}, 201)
    text = get(client, "policies/text")["text"]
    assert "after: 90 days since received" in text
    changed = text.replace("why: space", "why: much space") + text.replace("name: old", "name: older")
    expected = [("old", "changed"), ("older", "created")]
    foreseen = post(client, "policies/text", {"text": changed, "dry_run": True}, method="PUT")["items"]
    assert [(one["name"], one["outcome"]) for one in foreseen] == expected
    assert [one["version"] for one in get(client, "policies")["items"]] == [1]
    items = post(client, "policies/text", {"text": changed}, method="PUT")["items"]
    assert [(one["name"], one["outcome"]) for one in items] == expected
    assert [(one["name"], one["version"]) for one in get(client, "policies")["items"]] == [("old", 2), ("older", 1)]
    again = post(client, "policies/text", {"text": changed}, method="PUT")["items"]
    assert {one["outcome"] for one in again} == {"same"}
    refused = post(client, "policies/text", {"text": "- name: x"}, 400, method="PUT")
    assert "policies[0].why" in refused["detail"]


def test_each_object_of_a_study_says_why_it_goes_or_stays(client: FlaskClient, engine: Engine) -> None:
    made = post(client, "policies", {"document": {**POLICY, "keep": "dose and one image per series"}}, 201)
    post(client, "holds", {"study_instance_uid": UID, "kind": "legal", "reason": "a court"}, 201)
    items = get(client, f"reasons/{UID}?policy_id={made['id']}")["items"]
    assert [[one["cause"] for one in item["against"]] for item in items] == [["kept", "held"], ["held"]]
    assert items[1]["against"][0]["sentence"] == "its study is on hold (legal)"
    assert not any(item["prune"] for item in items)


def test_holds_are_set_listed_and_released(client: FlaskClient) -> None:
    body = {"study_instance_uid": UID, "kind": "teaching", "reason": "rare", "until": "2027-01-01T00:00:00+09:00"}
    (held,) = post(client, "holds", body, 201)["items"]
    assert (held["kind"], held["reason"], held["until"]) == ("teaching", "rare", "2026-12-31T15:00:00Z")
    assert client.delete(f"{API_PATH}/retention/holds/{held['id']}").get_json() == {"released": True}
    assert client.delete(f"{API_PATH}/retention/holds/{held['id']}").status_code == 404
    assert get(client, "holds")["items"] == []
    assert len(get(client, f"holds?all=true&study_instance_uid={UID}&kind=teaching")["items"]) == 1
    post(client, "holds", {**body, "study_instance_uid": "1.2.3"}, 404)


def write_mark(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(retention_policy).values(id=9, name="p", version=1))
        connection.execute(
            insert(prune_mark).values(
                orthanc_instance_id="instance-00001-1",
                orthanc_series_id="series-00001",
                orthanc_study_id="study-00001",
                study_instance_uid=UID,
                sop_instance_uid="1.2.840.99999.3.1.1",
                size_bytes=500,
                policy_id=9,
                policy_version=1,
                marked_at=NOW,
                due_at=NOW,
            )
        )


def test_what_is_marked_is_listed_and_rescued(client: FlaskClient, engine: Engine) -> None:
    write_mark(engine)
    (mark,) = get(client, f"marked?study_instance_uid={UID}&policy_id=9")["items"]
    assert (mark["sop_instance_uid"], mark["policy_id"]) == ("1.2.840.99999.3.1.1", 9)
    (study,) = get(client, f"marked-studies?study_instance_uid={UID}&sort=-instance_count")["items"]
    assert (study["policy"], study["instance_count"], study["size_bytes"], study["modalities"]) == ("p", 1, 500, [])
    rescued = post(client, "marked/rescue", {"study_instance_uid": UID})
    assert rescued == {"rescued_count": 1}
    assert get(client, "marked")["items"] == []


def write_departed(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(retention_policy).values(id=9, name="p", version=1))
        connection.execute(insert(table("destination")).values(id=1, name="LONGTERM", kind="dicom", address={}))
        identifiers = {
            "orthanc_instance_id": "gone",
            "orthanc_series_id": "series-00001",
            "orthanc_study_id": "study-00001",
            "study_instance_uid": UID,
            "series_instance_uid": "1.2.840.99999.2.1",
            "sop_instance_uid": "1.2.840.99999.3.1.9",
            "size_bytes": 500,
        }
        connection.execute(
            insert(table("delivery_object")).values(
                destination_id=1, proof_wanted="find", state="confirmed", proof="find", confirmed_at=NOON, **identifiers
            )
        )
        connection.execute(
            insert(prune_ledger).values(
                received_at=NOON, state="deleted", deleted_at=NOW, policy_id=9, policy_version=1, **identifiers
            )
        )
        add_up_ledger(connection)


def test_where_an_object_is_now_and_asking_it_back(client: FlaskClient, engine: Engine) -> None:
    write_departed(engine)
    (entry,) = get(client, "ledger/objects?sop_instance_uid=1.2.840.99999.3.1.9&state=deleted")["items"]
    assert (entry["policy"], entry["policy_version"], entry["size_bytes"]) == ("p", 1, 500)
    (study,) = get(client, "ledger")["items"]
    assert (study["instance_count"], study["size_bytes"], study["policies"], study["state"]) == (
        1,
        500,
        ["p"],
        "deleted",
    )
    for uid in (UID, entry["sop_instance_uid"], study["patient_id"]):
        assert get(client, f"ledger?study={uid}&sort=size_bytes")["items"] == [study]
    assert get(client, "ledger?study=1.2.3.4")["items"] == []
    found = get(client, f"ledger/studies/{study['orthanc_study_id']}")
    assert found["study"] == study
    assert found["holders"] == [{"destination": "LONGTERM", "kind": "dicom", "instance_count": 1}]
    get(client, "ledger/studies/nothing", 404)
    places = get(client, f"ledger/{entry['id']}")["places"]
    assert [(one["destination"], one["kind"], one["proof"]) for one in places] == [("LONGTERM", "dicom", "find")]
    wish = post(client, f"ledger/{entry['id']}/bring-back", {"scope": "study"}, 202)
    assert (wish["kind"], wish["state"], wish["total"], wish["done"]) == ("retention.bring_back", "running", 1, 0)
    assert wish["subject"] == entry["orthanc_study_id"]
    get(client, "ledger/999", 404)


def test_the_space_and_its_growth(client: FlaskClient, engine: Engine) -> None:
    write_departed(engine)
    found = get(client, "storage")
    assert found["archive_bytes"] == 3000
    assert found["shares"] == [{"modality": "CT", "source": "", "instance_count": 6, "size_bytes": 3000}]
    assert [(one["policy"], one["size_bytes"]) for one in found["freed"]] == [("p", 500)]
    assert found["in_30_days_bytes"] > found["archive_bytes"]
    assert sum(month["freed_bytes"] for month in found["months"]) == 500


def test_opening_a_study_is_a_use_noted_once_an_hour(client: FlaskClient, services: Services, engine: Engine) -> None:
    for way in ("dashboard", "viewer"):
        study_opened(services, UID, way)
    with engine.connect() as connection:
        rows = connection.execute(table("study_use").select()).all()
    assert [(row.orthanc_study_id, row.way, row.last_used_at) for row in rows] == [("study-00001", "dashboard", NOW)]
