"""What is done with many rows of a list: for every list and every action, from its page and by a program."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, insert, select, text

from tests.index_support import write_study
from tests.retention_support import add_up_ledger, table
from tests.unit.web.web_support import NOW, make_services
from treegarth.assembly import house
from treegarth.bootstrap import make_application
from treegarth.settings import Settings
from treegarth.web.listing import Listing

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
FORM = "application/x-www-form-urlencoded"
HOUSE = house(Settings())
OFFERED = [(one, action) for one in HOUSE.listings() for action in HOUSE.row_actions().of(one.name)]
GIVEN = {"send": {"destination": "1"}, "hold": {"kind": "teaching", "reason": "a rare case"}}
GIVEN["label"] = {"way": "set", "label": "seen"}
GIVEN["mark"] = {"meaning": "phantom", "reason": "a water phantom"}
STUDIES = ["study-00001", "study-00002"]
INSTANCE = {
    "orthanc_instance_id": "instance-00001-1",
    "orthanc_series_id": "series-00001",
    "orthanc_study_id": "study-00001",
    "study_instance_uid": "1.2.840.99999.1.1",
    "sop_instance_uid": "1.2.840.99999.3.1.1",
    "size_bytes": 500,
}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    """Of each list two rows at least with which something can be done, and a destination to send to."""
    with engine.begin() as connection:

        def write(rows: str, /, **values: Any) -> None:
            connection.execute(insert(table(rows)).values(**values))

        for number in (1, 2, 3):
            write_study(connection, number)
        write("destination", id=1, name="FAR", kind="folder", address={"path": "/far"})
        write("retention_policy", id=1, name="p", version=1)
        version = {"policy_id": 1, "version": 1, "document": {}, "is_on": True, "change": "created", "changed_at": NOW}
        write("retention_policy_version", **version)
        write("rule", id=1, name="r", version=1, trigger="by hand", position=1)
        for number in (1, 2):
            study = {"orthanc_study_id": f"study-{number:05}", "study_instance_uid": f"1.2.840.99999.1.{number}"}
            one = {**INSTANCE, **study, "orthanc_instance_id": f"instance-{number:05}-1"}
            write("hold", kind="legal", reason="a court", set_at=NOW, **study)
            write("prune_mark", modality="CT", policy_id=1, policy_version=1, marked_at=NOW, due_at=NOW, **one)
            gone = {**one, "orthanc_instance_id": f"gone-{number}", "series_instance_uid": "1.2.3", "received_at": NOW}
            proof = [{"destination": "FAR", "kind": "find", "at": NOW.isoformat()}] if number == 1 else None
            state = {"state": "deleted", "intended_at": NOW, "deleted_at": NOW}
            write("prune_ledger", id=number, modality="CT", proof=proof, **state, **gone)
            event = {"trigger": "stable study", "orthanc_study_id": study["orthanc_study_id"], "state": "failed"}
            write("rule_event", id=number, **event)
            write("notification", id=number, channel="dashboard", title="t", content={}, created_at=NOW)
        add_up_ledger(connection)
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


def test_rows_that_are_gone_are_left_and_said(client: FlaskClient) -> None:
    for listing, action in OFFERED:
        keys = [7001, 7002] if is_number(listing) else ["gone", "gone too"]
        given = {"action": action.name, "chosen": [*keys, keys[0]], **GIVEN.get(action.name, {})}
        answer = client.post(f"{API}/{listing.api_path}/act", json=given)
        assert answer.get_json() == {"done": 0, "left": 2}, answer.text
        form = {**given, "here": "sort=-x&cursor=abc&strange=1"}
        back = client.post(f"/treegarth/{listing.path}/act", data=form, content_type=FORM, headers=SAME_ORIGIN)
        assert back.status_code == 303, back.text[:500]
        assert back.headers["Location"] == f"/treegarth/{listing.path}?sort=-x&cursor=abc"
        page = client.get(f"/treegarth/{listing.path}", headers={"Accept-Language": "ko"}).text
        told = page.split('role="status"')[1].split("</div>")[0]
        assert "2" in re.findall(r"\d+", told)
        assert 'class="notes" role="status"' not in client.get(f"/treegarth/{listing.path}").text  # said once


@pytest.mark.parametrize("chosen", [[], None, "text", [None], [""] * 1001, [{}], ["\0"], [10**30]])
def test_what_cannot_be_chosen_is_refused_by_name(client: FlaskClient, chosen: Any) -> None:
    for listing, action in OFFERED:
        given = {"action": action.name, "chosen": chosen, **GIVEN.get(action.name, {})}
        answer = client.post(f"{API}/{listing.api_path}/act", json=given)
        assert answer.status_code == 400
        assert all(one["field"].startswith("chosen") for one in answer.get_json()["errors"])


def test_what_an_action_needs_is_asked_for(client: FlaskClient) -> None:
    for listing, action in OFFERED:
        key: Any = 1 if is_number(listing) else "study-00001"
        answer = client.post(f"{API}/{listing.api_path}/act", json={"action": action.name, "chosen": [key]})
        if action.given.model_fields:
            assert answer.status_code == 400
            assert {one["field"] for one in answer.get_json()["errors"]} == set(action.given.model_fields)
        else:
            assert answer.status_code == 200
        unknown = client.post(f"{API}/{listing.api_path}/act", json={"action": "no such", "chosen": [key]})
        assert [one["field"] for one in unknown.get_json()["errors"]] == ["action"]


def is_number(listing: Listing[Any, Any]) -> bool:
    return listing.record.model_fields[listing.key].annotation is int


def act(client: FlaskClient, path: str, action: str, *chosen: Any, **given: Any) -> dict[str, int]:
    answer = client.post(f"{API}/{path}/act", json={"action": action, "chosen": list(chosen), **given})
    assert answer.status_code == 200, answer.text
    found: dict[str, int] = answer.get_json()
    return found


def count(engine: Engine, name: str, **values: Any) -> int:
    rows = table(name)
    with engine.connect() as connection:
        where = [rows.c[key] == value for key, value in values.items()]
        return connection.execute(select(func.count()).select_from(rows).where(*where)).scalar_one()


def test_studies_are_sent_and_held(client: FlaskClient, engine: Engine) -> None:
    assert act(client, "studies", "send", *STUDIES, "gone", destination="1") == {"done": 2, "left": 1}
    assert count(engine, "delivery_object", destination_id=1, state="waiting") == 4
    assert act(client, "studies", "hold", *STUDIES, kind="project", reason="trial 7") == {"done": 2, "left": 0}
    assert act(client, "studies", "hold", *STUDIES, kind="project", reason="trial 7") == {"done": 0, "left": 2}
    assert count(engine, "hold", kind="project", reason="trial 7") == 2
    assert act(client, "studies", "send", STUDIES[0], destination=1) == {"done": 1, "left": 0}  # a number is one, too
    nowhere = client.post(f"{API}/studies/act", json={"action": "send", "chosen": STUDIES, "destination": "9"})
    assert nowhere.status_code == 404
    page = client.get("/treegarth/studies").text
    assert '<option value="1">FAR</option>' in page
    assert page.count('name="chosen"') == 3


def test_without_a_destination_there_is_nothing_to_choose_for_sending(client: FlaskClient, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(table("destination").update().values(removed_at=NOW))
    page = client.get("/treegarth/studies").text
    assert 'value="send"' not in page
    removed = client.post(f"{API}/studies/act", json={"action": "send", "chosen": STUDIES, "destination": 1})
    assert removed.status_code == 404
    assert count(engine, "delivery_object") == 0
    assert 'value="hold"' in page


def test_deliveries_are_sent_again(client: FlaskClient, engine: Engine) -> None:
    act(client, "studies", "send", *STUDIES, destination="1")
    with engine.begin() as connection:
        connection.execute(table("delivery_object").update().values(state="given up", attempts=9))
        numbers = list(connection.execute(select(table("delivery").c.id)).scalars())
    assert act(client, "deliveries/studies", "again", *numbers, 99) == {"done": 2, "left": 1}
    assert count(engine, "delivery_object", state="waiting", attempts=0) == 4


def test_studies_are_labelled_and_labels_taken_off(client: FlaskClient, engine: Engine) -> None:
    assert act(client, "studies", "label", *STUDIES, "gone", way="set", label="seen") == {"done": 2, "left": 1}
    assert act(client, "studies", "label", STUDIES[0], way="set", label="seen") == {"done": 0, "left": 1}
    assert act(client, "studies", "label", STUDIES[0], way="take off", label="seen") == {"done": 1, "left": 0}
    assert count(engine, "study_label", label="seen") == 1
    body = {"action": "label", "chosen": STUDIES, "way": "set", "label": "a\nb"}
    assert client.post(f"{API}/studies/act", json=body).status_code == 400


def test_the_dose_of_studies_is_read_again(client: FlaskClient, engine: Engine) -> None:
    with engine.begin() as connection:
        one = table("instance")
        reports = one.update().where(one.c.orthanc_series_id == "series-00001")
        connection.execute(reports.values(sop_class_uid="1.2.840.10008.5.1.4.1.1.88.67"))
    assert act(client, "studies", "read", *STUDIES) == {"done": 1, "left": 1}
    assert count(engine, "dose_report", orthanc_study_id="study-00001", state="unread") >= 1


def is_waited_for(engine: Engine) -> bool:
    """Whether somebody waits for a lock, in this database."""
    waiting = (
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with engine.connect() as connection:
        return bool(connection.execute(text(waiting)).scalar_one())


def test_who_reads_studies_again_waits_for_others_in_no_circle(client: FlaskClient, engine: Engine) -> None:
    """Another process locks the same sources in the order of their own identifiers, against that of their studies."""
    source, report = table("instance").c.orthanc_instance_id, table("dose_report")
    names = {"instance-00001-1": "z", "instance-00002-1": "a"}
    with engine.begin() as connection:
        for old, new in names.items():
            sr = {"orthanc_instance_id": new, "sop_class_uid": "1.2.840.10008.5.1.4.1.1.88.67"}
            connection.execute(table("instance").update().where(source == old).values(**sr))
    assert act(client, "studies", "read", *STUDIES) == {"done": 2, "left": 0}
    with ThreadPoolExecutor() as pool, engine.begin() as other:

        def lock(identifier: str) -> None:
            other.execute(select(report).where(report.c.orthanc_instance_id == identifier).with_for_update())

        lock("a")
        done = pool.submit(act, client, "studies", "read", *STUDIES)
        deadline = time.monotonic() + 60
        while not is_waited_for(engine) and time.monotonic() < deadline:
            time.sleep(0.01)
        lock("z")
        other.commit()
        assert done.result() == {"done": 2, "left": 0}


def test_studies_are_downloaded_together_as_a_long_work(client: FlaskClient, engine: Engine) -> None:
    assert act(client, "studies", "download", *STUDIES, "gone") == {"done": 2, "left": 1}
    (work,) = client.get(f"{API}/work").get_json()["items"]
    assert (work["kind"], work["state"], work["total"]) == ("archive.download", "running", 2)
    body = {"action": "download", "query": {}}
    assert client.post(f"{API}/studies/act-on-all", json=body).status_code == 400


def test_marks_are_taken_back_by_study_and_by_object(client: FlaskClient, engine: Engine) -> None:
    assert act(client, "retention/marked", "rescue", "instance-00001-1", "gone") == {"done": 1, "left": 1}
    assert act(client, "retention/marked-studies", "rescue", *STUDIES) == {"done": 1, "left": 1}
    assert count(engine, "prune_mark") == 0
    assert count(engine, "prune_rescue") == 2


def test_holds_are_released_and_what_is_gone_is_asked_back(client: FlaskClient, engine: Engine) -> None:
    assert act(client, "retention/holds", "release", 1, 2) == {"done": 2, "left": 0}
    assert act(client, "retention/holds", "release", 1) == {"done": 0, "left": 1}
    assert act(client, "retention/ledger/objects", "bring back", 1, 2) == {"done": 1, "left": 1}  # nobody has the other
    assert act(client, "retention/ledger", "bring back", *STUDIES) == {"done": 1, "left": 1}
    assert count(engine, "bring_back_object") == 1


def test_notices_are_seen_or_sent_again_and_events_wait_once_more(client: FlaskClient, engine: Engine) -> None:
    assert act(client, "notifications/studies", "seen", 1, 2) == {"done": 2, "left": 0}
    with engine.begin() as connection:
        connection.execute(table("notification").update().values(channel="mail", state="given up"))
    assert act(client, "notifications", "again", 1, 3) == {"done": 1, "left": 1}
    assert act(client, "rule-events", "retry", 2) == {"done": 1, "left": 0}
    assert count(engine, "rule_event", state="waiting") == 1


def test_sources_that_failed_are_read_again(client: FlaskClient, engine: Engine) -> None:
    with engine.begin() as connection:
        for number in (1, 2):
            connection.execute(
                insert(table("dose_report")).values(
                    orthanc_instance_id=f"instance-{number:05}-1",
                    orthanc_series_id=f"series-{number:05}",
                    orthanc_study_id=f"study-{number:05}",
                    study_instance_uid=f"1.2.840.99999.1.{number}",
                    sop_instance_uid=f"1.2.840.99999.3.{number}.1",
                    state="failed" if number == 1 else "read",
                )
            )
    sources = ("instance-00001-1", "instance-00002-1")
    assert act(client, "dose/reports", "retry", *sources) == {"done": 1, "left": 1}
    assert count(engine, "dose_report", state="unread") == 1
