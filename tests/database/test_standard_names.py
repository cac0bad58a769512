"""Standard names: rules, their order, what is interned later, tables in and out, undo, suggestions, the pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import ColumnElement, Engine, event, select, update

from tests.database.test_dose_values import NOW
from tests.dose_builder import as_file, ct_acquisition, ct_dose_report
from tests.dose_registry_support import Archive, Instance, note
from tests.forms import fields_of
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.documents.store import Author
from treegarth.features.dose.analysis.names.store.name_documents import STANDARD_NAMES
from treegarth.features.dose.analysis.store.values import refresh_values
from treegarth.features.dose.analysis.tables import exam_name, protocol_name, standard_name
from treegarth.features.dose.registry.condition_terms import condition_terms
from treegarth.features.dose.registry.service import read_waiting
from treegarth.features.dose.registry.tables import dose_study

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1/dose"
PAGES = "/treegarth/dose"


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    for number, description in enumerate(("CT Thorax nativ", "Schädel", "흉부 CT", "Thorax nativ"), 1):
        scan(engine, number, description)
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def scan(engine: Engine, number: int, description: str) -> None:
    uid = f"1.2.{number}"
    written = ct_dose_report(ct_acquisition(f"{uid}.7"), study_instance_uid=uid)
    written.SpecificCharacterSet, written.StudyDescription = "ISO_IR 192", description
    note(engine, Instance(f"r{number}", f"{uid}.1", study_instance_uid=uid))
    read_waiting(engine, Archive(**{f"r{number}": as_file(written)}), limit=10, clock=lambda: NOW)


def make(client: FlaskClient, name: str, *rules: dict[str, str], **more: Any) -> dict[str, Any]:
    document = {"name": name, "modality": "CT", "rules": list(rules), **more}
    answer = client.post(f"{API}/standard-names", json={"document": document})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def called(engine: Engine) -> dict[str, str | None]:
    """By study description, which standard name its exams have."""
    query = select(exam_name.c.study_description, standard_name.c.name).outerjoin(
        standard_name, standard_name.c.id == exam_name.c.standard_name_id
    )
    with connect(engine) as connection:
        return {row.study_description: row.name for row in connection.execute(query)}


def names(client: FlaskClient) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in client.get(f"{API}/standard-names").get_json()["items"]}


def test_a_rule_holds_at_once_and_the_first_in_the_order_is_given(client: FlaskClient, engine: Engine) -> None:
    make(client, "native", {"study_description": "*nativ"})
    chest = make(client, "chest", {"study_description": "*thorax*"}, {"study_description": "흉부CT"})
    make(client, "head", {"study_description": "SCHADEL"})
    assert called(engine) == {
        "CT Thorax nativ": "native",
        "Schädel": "head",
        "흉부 CT": "chest",
        "Thorax nativ": "native",
    }
    native = names(client)["native"]["id"]
    listed = client.get(f"{API}/studies", query_string={"standard_name": native}).get_json()["items"]
    assert sorted(one["study_instance_uid"] for one in listed) == ["1.2.1", "1.2.4"]
    assert "native (CT)" in client.get(f"{PAGES}?standard_name={native}").text
    assert {name: one["exam_count"] for name, one in names(client).items()} == {"native": 2, "chest": 1, "head": 1}
    first = client.put(f"{API}/standard-names/{chest['id']}/state", json={"place": 1})
    assert first.status_code == 200
    assert called(engine)["Thorax nativ"] == "chest"
    assert [one["place"] for one in (names(client)["chest"], names(client)["native"])] == [1, 2]
    client.put(f"{API}/standard-names/{chest['id']}/state", json={"is_on": False})
    assert (called(engine)["Thorax nativ"], called(engine)["흉부 CT"]) == ("native", None)
    assert client.delete(f"{API}/standard-names/{names(client)['native']['id']}").status_code == 200
    assert called(engine)["Thorax nativ"] is None


def test_what_is_interned_later_has_its_name_in_the_same_transaction(client: FlaskClient, engine: Engine) -> None:
    make(client, "knee", {"study_description": "knie*"}, {"protocol": "*", "only": "events"})
    scan(engine, 9, "Knie links")
    assert called(engine)["Knie links"] == "knee"
    with connect(engine) as connection:
        given = connection.execute(select(protocol_name.c.standard_name_id).distinct()).scalars().all()
    assert given == [names(client)["knee"]["id"]]


def test_one_modality_has_a_name_once_and_another_modality_its_own(client: FlaskClient) -> None:
    make(client, "chest")
    make(client, "chest", modality="DX")
    again = {"document": {"name": "chest", "modality": "CT", "rules": []}}
    assert client.post(f"{API}/standard-names", json=again).status_code == 409


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"modality": "MR"}, "modality"),
        ({"rules": [{}]}, "at least one pattern"),
        ({"rules": [{"study_description": "  "}]}, "at least one pattern"),
        ({"rules": [{"study_description": "x", "only": "events"}]}, "a protocol alone"),
        ({"code_value": "RPID16"}, "designator"),
        ({"code_meaning": "x"}, "meaning"),
        ({"name": " "}, "name"),
        ({"rules": [{"protocol": "x" * 201}]}, "protocol"),
    ],
)
def test_what_is_wrong_with_a_standard_name_is_said(client: FlaskClient, document: dict[str, Any], said: str) -> None:
    whole = {"name": "x", "modality": "CT", "rules": [], **document}
    refused = client.post(f"{API}/standard-names", json={"document": whole})
    assert (refused.status_code, said in refused.text) == (400, True), refused.text


def test_a_changed_rule_is_tried_out_before_it_holds(client: FlaskClient, engine: Engine) -> None:
    made = make(client, "chest", {"study_description": "*thorax*"})
    document = {
        "name": "chest",
        "modality": "CT",
        "rules": [{"study_description": "CT*"}, {"study_description": "흉부*"}],
    }
    asked = {"document": document, "standard_name_id": made["id"]}
    found = client.post(f"{API}/standard-names/preview", json=asked).get_json()
    assert [one["study_description"] for one in found["gained"]] == ["흉부 CT"]
    assert [one["study_description"] for one in found["lost"]] == ["Thorax nativ"]
    assert found["kept_count"] == 1
    assert called(engine)["흉부 CT"] is None
    edited = client.put(f"{API}/standard-names/{made['id']}", json={"document": document, "version": made["version"]})
    assert edited.status_code == 200
    assert called(engine)["흉부 CT"] == "chest"


TABLE = "\ufeff" + "\r\n".join(
    (
        "modality;standard_name;study_description;protocol;only;code_value;coding_scheme_designator;code_meaning",
        'CT;chest;*thorax*;;;RPID16;RADLEX;"CT, chest ""routine"""',
        "CT;chest;흉부*;;;;;",
        "CT;scout;;*;events;;;",
        ";;;;;;;",
        "CT;empty;;;;;;",
    )
)
"""As a spreadsheet in Europe writes it."""


def put_table(client: FlaskClient, text: str, *, dry_run: bool = False) -> Any:
    return client.put(f"{API}/standard-names/csv", json={"text": text, "dry_run": dry_run})


def test_a_table_comes_in_and_goes_out_the_same(client: FlaskClient, engine: Engine) -> None:
    looked = put_table(client, TABLE, dry_run=True).get_json()
    assert [(one["name"], one["outcome"]) for one in looked["items"]] == [
        ("chest", "created"),
        ("scout", "created"),
        ("empty", "created"),
    ]
    assert looked["renamed_count"] == 4  # three exams, one protocol
    assert names(client) == {}
    done = put_table(client, TABLE).get_json()
    assert (done["renamed_count"], called(engine)["흉부 CT"]) == (4, "chest")
    chest = names(client)["chest"]
    assert (chest["code_value"], chest["code_meaning"]) == ("RPID16", 'CT, chest "routine"')
    written = client.get(f"{API}/standard-names/csv").get_json()["text"]
    again = put_table(client, written).get_json()
    assert {one["outcome"] for one in again["items"]} == {"same"}
    file = client.get(f"{PAGES}/standard-names/rules.csv").data
    assert file.decode("utf-8-sig") == written
    assert "흉부*" in written
    assert {one["outcome"] for one in put_table(client, file.decode()).get_json()["items"]} == {"same"}


def test_a_table_without_codes_leaves_them_as_they_are(client: FlaskClient) -> None:
    make(client, "chest", code_value="RPID16", coding_scheme_designator="RADLEX")
    put_table(client, "modality,standard_name,study_description\nCT,chest,*thorax*\n")
    assert (names(client)["chest"]["code_value"], names(client)["chest"]["rule_count"]) == ("RPID16", 1)
    put_table(client, "modality,standard_name,study_description,code_value\nCT,chest,*thorax*,\n")
    assert names(client)["chest"]["code_value"] is None


def test_every_wrong_line_of_a_table_is_said_by_its_number(client: FlaskClient) -> None:
    table = (
        "modality,standard_name,study_description,protocol,only,code_value,coding_scheme_designator,is_on\n"
        'CT,chest,"two\nlines",,,,,\n'
        "MR,chest,x,,,,,\n"
        "CT,head,x,y,events,,,\n"
        "CT,knee,x,,,RPID1,RADLEX,\n"
        "CT,knee,y,,,RPID2,RADLEX,maybe\n"
        "CT,hip,x,,,,,,,,x\n"
    )
    refused = put_table(client, table)
    assert refused.status_code == 400
    lines = refused.get_json()["detail"].split("\n")
    assert [one.split(":")[0] for one in lines] == [
        "line 4.modality",
        "line 5",
        "line 6.is_on",
        "line 7.code_value",
        "line 8",
    ]
    assert names(client) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1"),
        ("name,study_description\nx,y\n", "line 1"),
        ("modality,standard_name,colour\nCT,x,red\n", "colour"),
        ("modality,standard_name,protocol,protocol\nCT,x,a,b\n", "twice"),
        ('modality,standard_name,protocol\nCT,x,"a\n', "line 2"),
        ("modality,standard_name,protocol\n", "nothing"),
    ],
)
def test_what_is_no_table_of_standard_names_is_refused(client: FlaskClient, text: str, said: str) -> None:
    refused = put_table(client, text)
    assert (refused.status_code, said in refused.text) == (400, True), refused.text


def test_an_import_is_undone_as_a_whole(client: FlaskClient, engine: Engine) -> None:
    make(client, "head", {"study_description": "Schädel"})
    make(client, "chest", {"study_description": "*thorax*"})
    before, said = called(engine), client.get(f"{API}/standard-names/csv").get_json()["text"]
    table = "modality,standard_name,study_description\nCT,chest,흉부*\nCT,knee,*nativ\nCT,head,*\n"
    put_table(client, table)
    assert called(engine) == {
        "CT Thorax nativ": "knee",
        "Schädel": "head",
        "흉부 CT": "chest",
        "Thorax nativ": "knee",
    }
    (done,) = client.get(f"{API}/standard-names/imports").get_json()["items"]
    assert (done["created_count"], done["changed_count"], done["undone_at"]) == (1, 2, None)
    undone = client.post(f"{API}/standard-names/imports/{done['id']}/undo")
    assert undone.status_code == 200, undone.text
    assert called(engine) == before
    assert client.get(f"{API}/standard-names/csv").get_json()["text"] == said
    assert client.post(f"{API}/standard-names/imports/{done['id']}/undo").status_code == 409


def test_an_import_is_not_undone_where_somebody_changed_since_what_it_brought(
    client: FlaskClient, engine: Engine
) -> None:
    put_table(client, "modality,standard_name,study_description\nCT,chest,*thorax*\nCT,head,Schädel\n")
    (done,) = client.get(f"{API}/standard-names/imports").get_json()["items"]
    chest = names(client)["chest"]
    document = {"name": "chest", "modality": "CT", "rules": []}
    client.put(f"{API}/standard-names/{chest['id']}", json={"document": document, "version": chest["version"]})
    before = called(engine)
    refused = client.post(f"{API}/standard-names/imports/{done['id']}/undo")
    assert (refused.status_code, "chest" in refused.text) == (409, True)
    assert called(engine) == before
    assert client.post(f"{API}/standard-names/imports/999/undo").status_code == 404


def test_an_import_of_yaml_is_undone_too(client: FlaskClient, engine: Engine) -> None:
    text = "- name: chest\n  modality: CT\n  rules:\n    - study_description: '*thorax*'\n"
    assert client.put(f"{API}/standard-names/text", json={"text": text}).status_code == 200
    assert called(engine)["Thorax nativ"] == "chest"
    (done,) = client.get(f"{API}/standard-names/imports").get_json()["items"]
    assert client.post(f"{API}/standard-names/imports/{done['id']}/undo").status_code == 200
    assert called(engine)["Thorax nativ"] is None


def raw_names(client: FlaskClient, **asked: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{API}/raw-names", query_string=asked).get_json()["items"]
    return found


def test_names_without_a_standard_name_stand_in_an_inbox_with_suggestions(client: FlaskClient, engine: Engine) -> None:
    make(client, "chest native", {"study_description": "CT Thorax nativ"})
    scan(engine, 9, "Schädel")
    waiting = raw_names(client, of="exams")
    assert (waiting[0]["study_description"], waiting[0]["count"]) == ("Schädel", 2)
    assert "CT Thorax nativ" not in [one["study_description"] for one in waiting]
    assert [one["of"] for one in raw_names(client, named="yes")] == ["exams"]
    (thorax,) = raw_names(client, text="thorax n", named="no")
    (found,) = client.get(f"{API}/raw-names/suggestions", query_string={"key": thorax["key"]}).get_json()["items"]
    assert (found["name"], found["likeness"] > 0.8) == ("chest native", True)
    given = {"key": thorax["key"], "standard_name_id": found["standard_name_id"]}
    assert client.post(f"{API}/raw-names/assign", json=given).status_code == 200
    assert called(engine)["Thorax nativ"] == "chest native"
    (head,) = raw_names(client, text="schadel")
    assert client.post(f"{API}/raw-names/assign", json={"key": head["key"], "name": "head"}).status_code == 200
    assert called(engine)["Schädel"] == "head"
    (protocol,) = raw_names(client, of="events")
    client.post(f"{API}/raw-names/assign", json={"key": protocol["key"], "name": "head"})
    assert names(client)["head"]["event_count"] > 0
    assert names(client)["head"]["raw_name_count"] == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"key": "exams-999", "name": "x"}, 404),
        ({"key": "nothing", "name": "x"}, 404),
        ({"key": "exams-1"}, 400),
        ({"key": "exams-1", "name": "x", "standard_name_id": 1}, 400),
        ({"key": "exams-1", "standard_name_id": 999}, 404),
    ],
)
def test_what_cannot_be_assigned_is_refused(client: FlaskClient, body: dict[str, Any], status: int) -> None:
    assert client.post(f"{API}/raw-names/assign", json=body).status_code == status
    assert names(client) == {}


def test_a_rule_is_written_tried_out_changed_and_removed_on_pages(client: FlaskClient, engine: Engine) -> None:
    assert "No standard names yet" in client.get(f"{PAGES}/standard-names").text
    typed = {"modality": "CT", "name": "chest", "study_description": "*thorax*"}
    tried = client.get(f"{PAGES}/standard-names/rule", query_string=typed)
    assert (tried.status_code, "It would take 2 more raw names" in tried.text) == (200, True), tried.text
    assert called(engine)["Thorax nativ"] is None
    kept = client.post(f"{PAGES}/standard-names/rule", data=typed)
    assert kept.status_code == 303
    assert called(engine)["Thorax nativ"] == "chest"
    page = client.get(kept.headers["Location"]).text
    assert "It is the name of 2 raw names" in page
    number = names(client)["chest"]["id"]
    asked = {"standard_name_id": number, "rule": 1, "modality": "CT", "name": "chest"}
    assert "*thorax*" in client.get(f"{PAGES}/standard-names/rule", query_string=asked).text
    changed = client.post(f"{PAGES}/standard-names/rule", data={**asked, "study_description": "흉부*", "version": 1})
    assert changed.status_code == 303
    assert (called(engine)["Thorax nativ"], called(engine)["흉부 CT"]) == (None, "chest")
    old = {"standard_name_id": number, "rule": 1, "version": 1}
    client.post(f"{PAGES}/standard-names/rule/remove", data=old)  # as it was before somebody changed it
    assert called(engine)["흉부 CT"] == "chest"
    client.post(f"{PAGES}/standard-names/rule/remove", data=old | {"version": 2})
    assert called(engine)["흉부 CT"] is None
    client.post(f"{PAGES}/standard-names/restore", data={"standard_name_id": number, "version": 1})
    assert called(engine)["Thorax nativ"] == "chest"
    with transaction(engine) as connection:
        STANDARD_NAMES.switch(connection, number, Author(name=None, now=NOW), is_on=False)
    kept = client.post(f"{PAGES}/standard-names/rule", data=typed)
    assert "“chest” is switched off" in client.get(kept.headers["Location"]).text
    assert called(engine)["Thorax nativ"] is None
    wrong = client.get(f"{PAGES}/standard-names/rule", query_string={**typed, "only": "events"})
    assert "a protocol alone" in wrong.text
    assert client.get(f"{PAGES}/standard-names/rule", query_string={**asked, "rule": 9}).status_code == 404


def undo_of(client: FlaskClient, done: Any) -> tuple[str, dict[str, str]]:
    """What a page offers after what was done: where its form goes, and what it sends."""
    page = client.get(done.headers["Location"]).text
    (form,) = [one for one in re.findall("<form.*?</form>", page, re.DOTALL) if 'id="undo"' in one]
    (action,) = re.findall('action="([^"]+)"', form)
    return action, dict(fields_of(form))


def press_undo(client: FlaskClient, done: Any) -> Any:
    action, fields = undo_of(client, done)
    return client.post(action, data=fields)


def test_what_was_done_with_a_name_is_undone_where_it_is_said(client: FlaskClient, engine: Engine) -> None:
    (thorax,) = [one for one in raw_names(client) if one["study_description"] == "Thorax nativ"]
    made = client.post(f"{PAGES}/raw-names/assign", data={"key": thorax["key"], "name": "lung"})
    assert called(engine)["Thorax nativ"] == "lung"
    press_undo(client, made)  # it was not there before
    assert (names(client), called(engine)["Thorax nativ"]) == ({}, None)
    number = make(client, "chest", {"study_description": "nothing"})["id"]
    rule = {"standard_name_id": number, "modality": "CT", "name": "chest", "study_description": "*nativ*", "version": 1}
    saved = client.post(f"{PAGES}/standard-names/rule", data=rule)
    assert called(engine)["Thorax nativ"] == "chest"
    press_undo(client, saved)
    assert called(engine)["Thorax nativ"] is None
    assigned = client.post(f"{PAGES}/raw-names/assign", data={"key": thorax["key"], "standard_name_id": number})
    action, fields = undo_of(client, assigned)
    more = {"standard_name_id": number, "modality": "CT", "name": "chest", "study_description": "other"}
    client.post(f"{PAGES}/standard-names/rule", data={**more, "version": fields["since"]})
    refused = client.post(action, data=fields)  # somebody else's rule would go with it
    assert "It was edited after version" in client.get(refused.headers["Location"]).text
    assert called(engine)["Thorax nativ"] == "chest"
    # what is assigned again changes nothing, and offers nothing
    again = client.post(f"{PAGES}/raw-names/assign", data={"key": thorax["key"], "standard_name_id": number})
    said = client.get(again.headers["Location"]).text
    assert "“Thorax nativ” is “chest” from now on" in said
    assert 'id="undo"' not in said


def test_the_pages_of_raw_names_and_of_tables_do_what_the_api_does(client: FlaskClient, engine: Engine) -> None:
    make(client, "chest", {"study_description": "CT Thorax nativ"})
    page = client.get(f"{PAGES}/raw-names?of=exams")
    assert page.status_code == 200
    (thorax,) = raw_names(client, text="thorax n")
    form = {"key": thorax["key"], "standard_name_id": names(client)["chest"]["id"], "back": "of=exams"}
    sent = client.post(f"{PAGES}/raw-names/assign", data=form)
    assert (sent.status_code, sent.headers["Location"].endswith("?of=exams")) == (303, True)
    assert called(engine)["Thorax nativ"] == "chest"
    undone = press_undo(client, sent)
    assert undone.headers["Location"].endswith("/raw-names?of=exams")
    assert "“chest” says again what version 1 said." in client.get(undone.headers["Location"]).text
    assert called(engine)["Thorax nativ"] is None
    sent = client.post(f"{PAGES}/raw-names/assign", data=form)
    table = "modality,standard_name,study_description\nCT,head,Sch*\n"
    looked = client.post(f"{PAGES}/standard-names/csv", data={"text": table, "act": "look"})
    assert "1 raw name would have another standard name" in looked.text
    assert called(engine)["Schädel"] is None
    assert client.post(f"{PAGES}/standard-names/csv", data={"text": table, "act": "import"}).status_code == 303
    assert called(engine)["Schädel"] == "head"
    wrong = client.post(f"{PAGES}/standard-names/csv", data={"text": "x", "act": "import"})
    assert "line 1" in wrong.text
    (done,) = client.get(f"{API}/standard-names/imports").get_json()["items"]
    assert client.post(f"{PAGES}/standard-names/imports/{done['id']}/undo").status_code == 303
    assert called(engine)["Schädel"] is None


def test_a_rule_waits_for_a_name_that_is_being_interned_and_takes_it(client: FlaskClient, engine: Engine) -> None:
    with connect(engine) as connection:
        (known,) = connection.execute(
            select(dose_study.c.orthanc_study_id).where(dose_study.c.study_description == "Schädel")
        ).scalars()
    with ThreadPoolExecutor(1) as pool:
        with transaction(engine) as connection:
            connection.execute(update(dose_study).values(study_description="Hüfte").where(_is(known)))
            refresh_values(connection, [known])
            made = pool.submit(make, client, "hip", {"study_description": "hufte"})
            assert wait([made], timeout=0.5).not_done
        assert made.result(timeout=120)["name"] == "hip"
    assert called(engine)["Hüfte"] == "hip"


def _is(orthanc_study_id: str) -> ColumnElement[bool]:
    return dose_study.c.orthanc_study_id == orthanc_study_id


def test_a_condition_can_ask_for_a_standard_name(client: FlaskClient, engine: Engine) -> None:
    make(client, "chest", {"study_description": "*thorax*"})
    (term,) = (one for one in condition_terms(dose_study.c.orthanc_study_id) if one.field.name == "dose.standard_name")
    assert term.rows is not None
    assert term.where is not None
    query = select(dose_study.c.study_description, term.expression).select_from(term.rows).where(term.where)
    with connect(engine) as connection:
        found = {tuple(row) for row in connection.execute(query)}
    assert found == {("CT Thorax nativ", "chest"), ("Thorax nativ", "chest")}


def test_an_import_and_its_undo_take_as_many_statements_for_many_names_as_for_few(
    client: FlaskClient, engine: Engine
) -> None:
    def table(first: int, last: int, pattern: str) -> str:
        lines = (f"CT,name {number},{pattern}{number}*" for number in range(first, last))
        return "modality,standard_name,study_description\n" + "\n".join(lines)

    def statements(ask: Callable[[], Any]) -> int:
        counted: list[str] = []

        def note_one(_: Any, __: Any, statement: str, *___: Any) -> None:
            counted.append(statement)

        event.listen(engine, "before_cursor_execute", note_one)
        try:
            assert ask().status_code == 200
        finally:
            event.remove(engine, "before_cursor_execute", note_one)
        return len(counted)

    def take_in(text: str) -> int:
        return statements(lambda: client.put(f"{API}/standard-names/csv", json={"text": text}))

    def undo() -> int:
        latest = client.get(f"{API}/standard-names/imports").get_json()["items"][0]["id"]
        return statements(lambda: client.post(f"{API}/standard-names/imports/{latest}/undo"))

    few = take_in(table(0, 10, "a")), undo(), take_in(table(0, 10, "b")), take_in(table(0, 10, "c")), undo()
    many = take_in(table(100, 400, "a")), undo(), take_in(table(100, 400, "b")), take_in(table(100, 400, "c")), undo()
    assert [after - before < 5 for before, after in zip(few, many, strict=True)] == [True] * 5, (few, many)
    assert names(client)["name 100"]["version"] == 3
    with connect(engine) as connection:
        kept = STANDARD_NAMES.all(connection)
    assert [one.document["rules"][0]["study_description"][0] for one in kept] == ["b"] * 310


def test_the_undo_of_an_import_moves_only_what_the_import_moved(client: FlaskClient, engine: Engine) -> None:
    for name in ("first", "second", "third"):
        make(client, name)
    text = "modality,standard_name\nCT,third\nCT,brought\nCT,first\n"
    assert client.put(f"{API}/standard-names/csv", json={"text": text}).status_code == 200
    with connect(engine) as connection:
        assert [one.name for one in STANDARD_NAMES.all(connection)] == ["third", "second", "brought", "first"]
    latest = client.get(f"{API}/standard-names/imports").get_json()["items"][0]["id"]
    assert client.post(f"{API}/standard-names/imports/{latest}/undo").status_code == 200
    with connect(engine) as connection:
        assert [one.name for one in STANDARD_NAMES.all(connection)] == ["first", "second", "third"]
        assert [one.version for one in STANDARD_NAMES.all(connection) if one.name == "second"] == [1]
