"""Conditions as deep as the documentation allows work on every page and endpoint; deeper ones are refused with the
sentence that names the limit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from tests.forms import fields_of
from tests.index_support import write_study
from tests.places import HERE
from tests.rule_support import handle_all
from tests.unit.web.web_support import NOW, make_services
from treegarth.bootstrap import make_application
from treegarth.conditions.text import DEEPEST
from treegarth.features.rules.model import Trigger
from treegarth.features.rules.store.events import note_events

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1"
PAGES = "/treegarth"
UID = "1.2.840.99999.1.1"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
LIMIT = "At most 1000 parts, 20 deep, are read."


def nots(levels: int, leaf: str = "ModalitiesInStudy = CT") -> Any:
    return {"not": nots(levels - 1, leaf)} if levels else leaf


def lists(levels: int) -> Any:
    """As deep in JSON and YAML as a condition can be: two levels each."""
    if levels == 0:
        return "ModalitiesInStudy = CT"
    return {"all" if levels % 2 else "any": [lists(levels - 1), "PatientID exists"]}


def below(levels: int) -> Any:
    """Of some series, and of some instance of it."""
    return {"series": {"all": ["Modality = CT", {"instance": nots(levels - 3, "InstanceNumber > 2")}]}}


SHAPES = pytest.mark.parametrize("shape", [nots, lists, below])


def rule(condition: Any) -> dict[str, Any]:
    objects = {"to": "NODE", "objects": {"instance": nots(DEEPEST, "InstanceNumber = 1")}}
    do = [{"label": "seen"}, {"deliver": objects}]
    return {"name": "deep", "why": "to see", "when": "study stable", "if": condition, "do": do}


def policy(condition: Any) -> dict[str, Any]:
    keep = {"instance": nots(DEEPEST, "InstanceNumber = 1")}
    return {
        "name": "deep", "why": "space", "if": condition, "keep": keep, "after": "1 day since received", "proof": "none",
    }  # fmt: skip


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    with engine.begin() as connection:
        write_study(connection, 1)
    client = make_application(make_services(ROOT / "web", settings=HERE, engine=lambda: engine)).test_client()  # type: ignore[attr-defined]
    address = {"ae_title": "NODE", "host": "127.0.0.1", "port": 104}
    post(client, f"{API}/destinations", 201, json={"document": {"name": "NODE", "kind": "dicom", "address": address}})
    return client


def get(client: FlaskClient, path: str) -> TestResponse:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
    return answer


def post(client: FlaskClient, path: str, status: int = 200, **given: Any) -> TestResponse:
    answer = client.post(path, headers=SAME_ORIGIN, **given)
    assert answer.status_code == status, (path, answer.status_code, answer.text[:1000])
    return answer


@SHAPES
def test_a_rule_of_the_documented_depth_works_everywhere(client: FlaskClient, engine: Engine, shape: Any) -> None:
    document = rule(shape(DEEPEST))
    assert post(client, f"{API}/rules/preview", json={"document": document}).get_json()["study_count"] == 1
    number = post(client, f"{API}/rules", 201, json={"document": document}).get_json()["id"]
    for path in ("", "/versions", "/preview", f"/explain/{UID}"):
        get(client, f"{API}/rules/{number}{path}")
    for path in ("", "/edit", "/try", f"/explain/{UID}"):
        get(client, f"{PAGES}/rules/{number}{path}")
    text = get(client, f"{PAGES}/rules.yaml").text
    (imported,) = client.put(f"{API}/rules/text", json={"text": text}).get_json()["items"]
    assert (imported["name"], imported["id"]) == ("deep", number)
    client.put(f"{API}/rules/{number}/state", json={"is_on": True})
    with engine.begin() as connection:
        note_events(connection, Trigger.STUDY_STABLE, [("study-00001", "")], NOW)
    assert handle_all(engine, at=NOW) == 1
    assert get(client, f"{API}/rule-events").get_json()["items"] == []
    assert get(client, f"{API}/rule-outcomes").get_json()["items"]


@SHAPES
def test_the_form_gives_a_deep_rule_back_as_it_was(client: FlaskClient, shape: Any) -> None:
    number = post(client, f"{API}/rules", 201, json={"document": rule(shape(DEEPEST))}).get_json()["id"]
    before = get(client, f"{API}/rules/{number}").get_json()["document"]
    fields = fields_of(get(client, f"{PAGES}/rules/{number}/edit").text)
    for act in ("try", "show-text", "add-row c"):
        post(client, f"{PAGES}/rules/{number}/edit", data={**fields.to_dict(flat=False), "act": act})
    post(client, f"{PAGES}/rules/{number}/edit", 303, data={**fields.to_dict(flat=False), "act": "save"})
    after = get(client, f"{API}/rules/{number}").get_json()["document"]
    assert after["do"] == before["do"]
    assert post(client, f"{API}/rules/preview", json={"document": after}).get_json()["study_count"] == 1
    if shape is not below:  # the form writes a list of one where it shows a group of one
        assert after["if"] == before["if"]


@SHAPES
def test_a_policy_of_the_documented_depth_works_everywhere(client: FlaskClient, shape: Any) -> None:
    document = {"document": policy(shape(DEEPEST))}
    post(client, f"{API}/retention/preview", json=document)
    number = post(client, f"{API}/retention/policies", 201, json=document).get_json()["id"]
    for path in ("", "/versions"):
        get(client, f"{API}/retention/policies/{number}{path}")
    for path in (f"preview?policy_id={number}", f"reasons/{UID}?policy_id={number}", "storage"):
        get(client, f"{API}/retention/{path}")
    for path in ("", "/edit", "/preview", "/frees", f"/explain?study_instance_uid={UID}"):
        get(client, f"{PAGES}/retention/policies/{number}{path}")
    get(client, f"{PAGES}/retention")
    text = get(client, f"{PAGES}/retention/policies.yaml").text
    put = client.put(f"{API}/retention/policies/text", json={"text": text})
    assert put.status_code == 200, put.text
    fields = fields_of(get(client, f"{PAGES}/retention/policies/{number}/edit").text)
    for act, status in (("look", 200), ("save", 303)):
        post(
            client,
            f"{PAGES}/retention/policies/{number}/edit",
            status,
            data={**fields, "act": act, "only_copy": "true"},
        )


@SHAPES
def test_what_is_deeper_is_refused_with_the_limit(client: FlaskClient, shape: Any) -> None:
    deeper = shape(DEEPEST + 1)
    for path, body in (
        ("rules", {"document": rule(deeper)}),
        ("rules/preview", {"document": rule(deeper)}),
        ("retention/policies", {"document": policy(deeper)}),
        ("retention/preview", {"document": policy(deeper)}),
    ):
        assert LIMIT in post(client, f"{API}/{path}", 400, json=body).get_json()["detail"]
    body = {"text": json.dumps(rule(deeper)), "dry_run": True}
    (refused,) = client.put(f"{API}/rules/text", json=body).get_json()["errors"]
    assert refused["detail"].endswith(LIMIT)


def test_a_form_with_more_or_deeper_parts_than_are_read_is_refused_with_the_limit(client: FlaskClient) -> None:
    deep = {f"c{'.0' * level}.join": "all" for level in range(600)}
    wide = {f"c.{number}.field": "Modality" for number in range(1500)}
    for fields in (deep, wide):
        for act in ("save", "try", "show-text", "add-row c"):
            page = post(client, f"{PAGES}/rules/new", 400, data={**fields, "act": act}).text
            assert LIMIT in page
    many = {f"a.{number}.kind": "label" for number in range(101)}
    assert "at most 100 actions" in post(client, f"{PAGES}/rules/new", 400, data=many).text


def test_values_of_a_thousand_lists_are_no_more_than_one_statement_takes(client: FlaskClient) -> None:
    lines = [f"InstitutionName in [{', '.join(map(str, range(1000)))}]" for _ in range(100)]
    condition = {"any": ["ModalitiesInStudy = CT", *lines]}
    assert post(client, f"{API}/rules/preview", json={"document": rule(condition)}).get_json()["study_count"] == 1
