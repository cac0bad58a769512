"""Pages of retention against a real database: previews, the form's problems, rescue, holds, the ledger, storage."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, insert
from werkzeug.test import TestResponse

from tests.index_support import write_study
from tests.retention_support import add_up_ledger, table
from tests.unit.web.web_support import NOW, make_services
from treegarth.bootstrap import make_application
from treegarth.features.retention.tables import prune_ledger, prune_mark

ROOT = Path(__file__).resolve().parents[2]
PAGES = "/treegarth"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
UID = "1.2.840.99999.1.1"
POLICY = "name: old\nwhy: space\nkeep: nothing\nafter: 90 days since received\nproof: none\n"
AS_TEXT = {"tab": "text", "act": "save", "only_copy": "true"}
IDENTIFIERS = {
    "orthanc_instance_id": "instance-00001-1",
    "orthanc_series_id": "series-00001",
    "orthanc_study_id": "study-00001",
    "study_instance_uid": UID,
    "sop_instance_uid": "1.2.840.99999.3.1.1",
    "size_bytes": 500,
}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    with engine.begin() as connection:
        write_study(connection, 1, last_received_at=NOW - timedelta(days=200))
        write_study(connection, 2, last_received_at=NOW - timedelta(days=70))
        write_study(connection, 3, last_received_at=NOW)
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def get(client: FlaskClient, path: str, language: str = "en") -> str:
    answer = client.get(f"{PAGES}/{path}", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text[:2000]
    return answer.text


def post(client: FlaskClient, path: str, status: int = 303, **fields: Any) -> TestResponse:
    kind = "application/x-www-form-urlencoded"
    answer = client.post(f"{PAGES}/{path}", data=fields, content_type=kind, headers=SAME_ORIGIN)
    assert answer.status_code == status, answer.text[:2000]
    return answer


def add_policy(client: FlaskClient, text: str = POLICY) -> str:
    return post(client, "retention/policies/new", **AS_TEXT, text=text).headers["Location"].removeprefix(f"{PAGES}/")


def mark(connection: Connection, number: int = 1) -> None:
    for position in (1, 2):
        connection.execute(
            insert(prune_mark).values(
                orthanc_instance_id=f"instance-{number:05}-{position}",
                orthanc_series_id=f"series-{number:05}",
                orthanc_study_id=f"study-{number:05}",
                study_instance_uid=f"1.2.840.99999.1.{number}",
                sop_instance_uid=f"1.2.840.99999.3.{number}.{position}",
                modality="CT",
                size_bytes=500,
                policy_id=1,
                policy_version=1,
                marked_at=NOW,
                due_at=NOW + timedelta(days=number),
                last_words="its study is on hold (legal); nothing proves that FAR has it",
            )
        )


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_page_says_what_to_do_while_there_is_nothing(client: FlaskClient, language: str) -> None:
    for path in (
        "",
        "/policies/new",
        "/marked",
        "/holds",
        "/ledger",
        "/storage",
        "/ledger?study=1.2.3",
        "/ledger/objects",
    ):
        assert "<h1>" in get(client, f"retention{path}", language)


def test_a_policy_is_previewed_and_switched_on_with_its_number_typed(client: FlaskClient) -> None:
    assert "2 objects" in post(client, "retention/policies/new", 200, tab="text", text=POLICY, act="look").text
    policy = add_policy(client)
    assert "without proof: the only copy may go" in get(client, policy)
    assert "2 objects" in get(client, f"{policy}/frees")
    preview = get(client, f"{policy}/preview")
    assert "type how many objects may go today: 2" in preview
    assert "Doe, Jane" in preview
    post(client, f"{policy}/switch", on="true", count="2")
    assert "Confirm that the only copy may go" in get(client, policy)
    post(client, f"{policy}/switch", on="true", count="30", only_copy_may_go="true")
    assert "more than its share of the archive" in get(client, policy)
    assert "more than its share of the archive" not in get(client, policy)  # it is said once
    post(client, f"{policy}/switch", on="true", count="2", only_copy_may_go="true")
    assert "Switch off" in get(client, policy)
    post(client, f"{policy}/edit", **AS_TEXT, text=POLICY.replace("why: space", "why: much space"))
    page = get(client, policy)
    for said in ("created", "switched on", "edited", "+ why: much space", "− why: space"):
        assert said in page
    assert "name: old" in get(client, "retention/policies.yaml")
    post(client, f"{policy}/remove")
    assert "Everything is kept" in get(client, "retention")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (POLICY.replace("90 days since received", "soon"), "after (line 4): "),
        (POLICY + 'if:\n  all:\n    - "Modality = CT"\n    - "Modalty = CT"\n', "if.all[1] (line 9): "),
        ("name: x", "keep: "),
        ("- [", "1"),
        (POLICY + "---\n" + POLICY, "a second document begins"),
        ("", "Write one here; several are imported from their list."),
        ("a\x00b", "The text has a character that cannot be stored."),
        ("just words", "This is no policy."),
    ],
)
def test_what_is_wrong_stands_at_its_line_and_what_was_typed_stays(client: FlaskClient, text: str, said: str) -> None:
    for act in ("save", "look"):
        page = post(client, "retention/policies/new", 200, **{**AS_TEXT, "act": act}, text=text).text
        assert said in page
        assert ("not right yet" in page) == (act == "save")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (POLICY, "“old” 보존 정책이 이미 있습니다."),
        (POLICY.replace("90 days since received", "soon"), "올바른 형식: 90 days since received와 같은 기간"),
        (POLICY + 'if: "Modalty = CT"\n', "“Modalty” 필드가 없습니다."),
        (POLICY + "rate: many\n", "&#39;many&#39;: 읽을 수 없는 값입니다."),
        ("keep: [", "1행 8열: "),
        ("", "여기에는 하나만 작성하십시오."),
    ],
)
def test_a_korean_form_says_in_korean_what_is_wrong(client: FlaskClient, text: str, said: str) -> None:
    add_policy(client)
    client.set_cookie("treegarth_language", "ko")
    assert said in post(client, "retention/policies/new", 200, **AS_TEXT, text=text).text


def test_each_object_of_a_study_has_its_reasons_in_the_readers_language(client: FlaskClient) -> None:
    policy = add_policy(client)
    post(client, "retention/holds", study_instance_uid=UID, kind="legal", reason="a court")
    page = get(client, f"{policy}/explain?study_instance_uid={UID}")
    assert "its study is on hold (legal)" in page
    assert "검사가 보존 지정됨(법적)" in get(client, f"{policy}/explain?study_instance_uid={UID}", "ko")
    assert "No object of this study is here" in get(client, f"{policy}/explain?study_instance_uid=1")


def test_marked_studies_and_objects_are_rescued(client: FlaskClient, engine: Engine) -> None:
    add_policy(client)
    with engine.begin() as connection:
        mark(connection, 1)
        mark(connection, 2)
    page = get(client, "retention/marked")
    assert "not yet: its study is on hold (legal); nothing proves that FAR has it" in page
    assert page.index("…" if "…" in page else UID) > 0
    assert "2 studies · 4 objects · 2 kB" in page
    one = get(client, f"retention/marked?study_instance_uid={UID}&policy_id=1&sort=-size_bytes")
    assert "1 study · 2 objects · 1 kB" in one
    assert "1.2.840.99999.3.2.2" in get(client, "retention/marked/objects?policy_id=1&sort=-sop_instance_uid")
    assert "FAR에 있다는 증명이 없음" in get(client, "retention/marked", "ko")
    assert "marked for deletion" in get(client, f"studies/{UID}")
    some = post(
        client, "retention/marked/objects/act", here="policy_id=1", action="rescue", chosen=["instance-00001-1", "gone"]
    )
    assert some.headers["Location"].endswith("/marked/objects?policy_id=1")
    said = get(client, "retention/marked/objects?policy_id=1")
    assert "1 object was rescued." in said
    assert "1 is not marked any more." in said
    assert "1.2.840.99999.3.1.2" in get(client, f"retention/marked/objects?study_instance_uid={UID}")
    chosen = post(client, "retention/marked/act", action="rescue", chosen=["study-00001", "study-00002"])
    assert chosen.headers["Location"].endswith("/retention/marked")
    assert "30일 동안" in get(client, "retention/marked", "ko")
    assert "Policies look at" in get(client, "retention/marked") or "No policy is on" in get(client, "retention/marked")


def test_a_hold_is_set_and_released_and_says_what_is_missing(client: FlaskClient) -> None:
    missing = post(client, "retention/holds", 200, study_instance_uid="1.2", kind="no", reason="", until="soon").text
    for field in ("wrong-kind", "wrong-reason", "wrong-until"):
        assert f'id="{field}"' in missing
    unknown = post(client, "retention/holds", 200, study="1.2", kind="legal", reason="a court").text
    assert "No study of the archive has all of this." in unknown
    past = post(client, "retention/holds", 200, study_instance_uid=UID, kind="legal", reason="r", until="2020-01-01")
    assert "This day is over." in past.text
    last = (NOW + timedelta(days=9)).date().isoformat()
    own = {"study_instance_uid": UID, "kind": "project", "reason": "trial 7", "until": last, "back": "study"}
    assert post(client, "retention/holds", **own).headers["Location"].endswith(f"{UID}#retention")
    for path in (f"studies/{UID}", "retention/holds", f"retention/holds?study_instance_uid={UID}&kind=project"):
        assert "trial 7" in get(client, path)
    post(client, "retention/holds/1/release", study=UID)
    assert "trial 7" not in get(client, "retention/holds")
    assert "released by" in get(client, "retention/holds?all=true")
    assert "until it is released" not in get(client, "retention/holds?all=true")


def test_the_ledger_says_where_an_object_is_and_brings_it_back(client: FlaskClient, engine: Engine) -> None:
    add_policy(client)
    gone = {**IDENTIFIERS, "orthanc_instance_id": "gone", "series_instance_uid": "1.2.840.99999.2.1"}
    proof = [{"destination": "FAR", "kind": "find", "at": NOW.isoformat()}]
    with engine.begin() as connection:
        connection.execute(
            insert(table("destination")).values(id=1, name="FAR", kind="folder", address={"path": "/kept"})
        )
        done = {"destination_id": 1, "state": "confirmed", "proof": "find", "confirmed_at": NOW, "proof_wanted": "find"}
        connection.execute(insert(table("delivery_object")).values(**gone, **done))
        added = {"received_at": NOW, "policy_id": 1, "policy_version": 1, "proof": proof, "modality": "CT"}
        connection.execute(insert(prune_ledger).values(**gone, **added, state="deleted", deleted_at=NOW))
        kept = {**gone, **added, "orthanc_instance_id": "kept", "sop_instance_uid": "1.9"}
        words = "its study was put on hold (legal)"
        connection.execute(insert(prune_ledger).values(**kept, state="kept", intended_at=NOW, kept_because=words))
        add_up_ledger(connection)
    key = f"study_instance_uid={UID}&orthanc_study_id={gone['orthanc_study_id']}"
    for path in ("", f"?study={UID}", f"?study={gone['sop_instance_uid']}", "?study=doe", f"/objects?{key}"):
        page = get(client, f"retention/ledger{path}")
        assert "FAR" in page
        assert "Doe, Jane" in page
    entry = get(client, "retention/ledger/1")
    assert "found by C-FIND" in entry
    assert "Bring the object back" in entry
    assert "its study was put on hold (legal)" in get(client, "retention/ledger/2")
    assert "검사가 보존 지정됨(법적)" in get(client, "retention/ledger/2", "ko")
    assert "Bring all of it back" in get(client, f"studies/{UID}")
    post(client, f"retention/ledger/studies/{gone['orthanc_study_id']}/bring-back", back="study")
    for path in (
        "retention/ledger/1",
        "retention/ledger",
        f"retention/ledger/objects?{key}",
        "work/1",
        f"studies/{UID}",
    ):
        assert "0 of 1 object" in get(client, path)
    assert "Bringing a study back" in get(client, "work?kind=retention.bring_back")


def test_storage_says_when_a_policys_high_mark_is_reached(client: FlaskClient) -> None:
    space = POLICY.replace("after: 90 days since received", "space: {high: 0.002 MB, low: 0.001 MB}")
    add_policy(client, space)
    page = get(client, "retention/storage")
    assert "high mark" in page
    assert "reached" in page
    assert "As chart" in get(client, "retention/storage?growth=table")
