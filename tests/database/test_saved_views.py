"""Saved views: of every list, one's own and shared ones, replaced by name, removed, and wrong ones refused."""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.unit.web.web_support import make_services
from treegarth.assembly import house
from treegarth.bootstrap import make_application
from treegarth.settings import Settings, SignIn
from treegarth.web.listing import Listing

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1/views"
LISTINGS = [one for one in house(Settings()).listings() if one.has_views]
VIEW = {"list": "archive.studies", "name": "CT of today", "query": {"modality": "CT", "sort": "-study_date"}}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    services = make_services(ROOT / "web", engine=lambda: engine, settings=Settings(sign_in=SignIn.ORTHANC))
    made: FlaskClient = make_application(services).test_client()
    return made


def who(name: str) -> dict[str, str]:
    """As Orthanc hands on a user that it has let in."""
    return {"Authorization": "Basic " + b64encode(f"{name}:x".encode()).decode(), "Sec-Fetch-Site": "same-origin"}


def names(client: FlaskClient, person: str, **asked: Any) -> list[str]:
    return [one["name"] for one in client.get(API, query_string=asked, headers=who(person)).get_json()["items"]]


def test_every_list_has_views(client: FlaskClient) -> None:
    assert len(LISTINGS) > 10
    for listing in LISTINGS:
        check_views(client, listing)


def check_views(client: FlaskClient, listing: Listing[Any, Any]) -> None:
    query = {"sort": listing.sorts[-1]}
    saved = client.post(
        API, json={"document": {"list": listing.name, "name": "올해", "query": query}}, headers=who("anna")
    )
    assert saved.status_code == 201, saved.text
    page = client.get(f"/treegarth/{listing.path}", headers=who("anna")).text
    assert "올해</a>" in page
    assert "올해</a>" not in client.get(f"/treegarth/{listing.path}", headers=who("berta")).text
    shown = client.get(f"/treegarth/{listing.path}", query_string=query, headers=who("anna")).text
    assert re.search(r'aria-current="true"[^>]*>올해', shown)


def test_a_view_is_ones_own_until_it_is_shared(client: FlaskClient) -> None:
    client.post(API, json={"document": VIEW}, headers=who("anna"))
    client.post(API, json={"document": {**VIEW, "name": "for all", "shared": True}}, headers=who("anna"))
    client.post(API, json={"document": {**VIEW, "list": "dose.doses", "query": {}}}, headers=who("berta"))
    assert names(client, "anna") == ["CT of today", "for all"]
    assert names(client, "berta") == ["CT of today", "for all"]
    assert names(client, "berta", list="archive.studies") == ["for all"]
    assert names(client, "anna", shared="false") == ["CT of today"]


def test_one_name_is_one_view_of_one_person(client: FlaskClient) -> None:
    made = client.post(API, json={"document": VIEW}, headers=who("anna")).get_json()
    assert client.post(API, json={"document": VIEW}, headers=who("anna")).status_code == 409
    assert client.post(API, json={"document": VIEW}, headers=who("berta")).status_code == 201
    mr, pt = ({**VIEW, "query": {"modality": modality}} for modality in ("MR", "PT"))
    one = f"{API}/{made['id']}"
    assert client.put(one, json={"document": mr, "version": 1}, headers=who("berta")).status_code == 404
    assert client.put(one, json={"document": mr, "version": 1}, headers=who("anna")).status_code == 200
    assert client.put(one, json={"document": pt, "version": 1}, headers=who("anna")).status_code == 409
    form = {"list": VIEW["list"], "name": VIEW["name"], "query": "modality=PT"}
    kind = "application/x-www-form-urlencoded"
    assert client.post("/treegarth/views", data=form, content_type=kind, headers=who("anna")).status_code == 303
    (kept,) = client.get(API, headers=who("anna")).get_json()["items"]
    assert (kept["id"], kept["query"], kept["saved_by"]) == (made["id"], {"modality": "PT"}, "anna")
    versions = client.get(f"{one}/versions", headers=who("anna")).get_json()["items"]
    assert [one["document"]["query"].get("modality") for one in versions] == ["PT", "MR", "CT"]
    assert client.get(f"{one}/versions", headers=who("berta")).status_code == 404


def test_a_view_that_is_off_is_not_offered_above_its_list(client: FlaskClient) -> None:
    made = client.post(API, json={"document": VIEW}, headers=who("anna")).get_json()
    assert client.put(f"{API}/{made['id']}/state", json={"is_on": False}, headers=who("anna")).status_code == 200
    assert f"{VIEW['name']}</a>" not in client.get("/treegarth/studies", headers=who("anna")).text
    assert names(client, "anna") == [VIEW["name"]]


def test_views_are_taken_along_as_text_and_another_persons_name_is_no_conflict(client: FlaskClient) -> None:
    client.post(API, json={"document": {**VIEW, "shared": True}}, headers=who("anna"))
    client.post(API, json={"document": {**VIEW, "name": "hers alone"}}, headers=who("anna"))
    text = client.get(f"{API}/text", headers=who("berta")).get_json()["text"]
    assert "hers alone" not in text
    put = client.put(f"{API}/text", json={"text": text.replace("shared: true", "shared: false")}, headers=who("berta"))
    assert [one["outcome"] for one in put.get_json()["items"]] == ["created"]
    assert names(client, "berta") == [VIEW["name"], VIEW["name"]]


def test_another_persons_view_is_changed_only_by_who_may_administer(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = client.post(API, json={"document": {**VIEW, "shared": True}}, headers=who("anna")).get_json()
    mine = {"document": {**VIEW, "query": {}, "shared": True}, "version": 1}
    one = f"{API}/{made['id']}"
    with monkeypatch.context() as patch:
        patch.setattr("treegarth.access.actors.Actor.may", lambda self, permission: permission != "administer")
        assert client.put(one, json=mine, headers=who("berta")).status_code == 403
        assert client.delete(one, headers=who("berta")).status_code == 403
    assert client.put(one, json=mine, headers=who("berta")).get_json()["saved_by"] == "anna"


def test_from_a_page_to_the_list_that_it_shows(client: FlaskClient) -> None:
    form = {
        "list": "archive.studies",
        "name": "  CT  ",
        "query": "modality=CT&patient_name=%EA%B9%80",
        "shared": "true",
    }
    kind = "application/x-www-form-urlencoded"
    back = client.post("/treegarth/views", data=form, content_type=kind, headers=who("anna"))
    assert back.status_code == 303
    assert back.headers["Location"] == "/treegarth/studies?modality=CT&patient_name=%EA%B9%80"
    page = client.get("/treegarth/views", headers={**who("berta"), "Accept-Language": "ko"}).text
    assert "CT</a>" in page
    assert "검사" in page  # the list by its title
    assert "김" in page


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"list": "no.such"}, 400, "document.list"),
        ({"query": {"strange": "1"}}, 400, "document.query.strange"),
        ({"query": {"sort": "weight"}}, 400, "document.query.sort"),
        ({"query": {"study_date_from": "soon"}}, 400, "document.query.study_date_from"),
        ({"query": {"cursor": "abc"}}, 400, "document.query.cursor"),
        ({"name": "  "}, 400, "document.name"),
        ({"name": "x" * 101}, 400, "document.name"),
        ({"query": {"modality": "C\0T"}}, 400, None),
    ],
)
def test_a_view_that_cannot_be_is_refused(client: FlaskClient, wrong: Any, status: int, field: str | None) -> None:
    answer = client.post(API, json={"document": {**VIEW, **wrong}}, headers=who("anna"))
    assert answer.status_code == status, answer.text
    assert field is None or [one["field"] for one in answer.get_json()["errors"]] == [field]
    assert names(client, "anna") == []


def test_only_ones_own_is_removed(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for person in ("anna", "berta"):
        client.post(API, json={"document": {**VIEW, "shared": person == "berta"}}, headers=who(person))
    ids = [one["id"] for one in client.get(API, headers=who("anna")).get_json()["items"]]
    monkeypatch.setattr("treegarth.access.actors.Actor.may", lambda self, permission: permission != "administer")
    removed = client.post(f"{API}/act", json={"action": "remove", "chosen": ids}, headers=who("anna"))
    assert removed.get_json() == {"done": 1, "left": 1}
    assert names(client, "anna") == ["CT of today"]
    monkeypatch.undo()
    removed = client.post(f"{API}/act", json={"action": "remove", "chosen": ids}, headers=who("anna"))
    assert removed.get_json() == {"done": 1, "left": 1}
    assert names(client, "berta") == []


def test_who_may_only_look_shares_nothing(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "treegarth.access.actors.Actor.may",
        lambda self, permission: permission in ("public", "signed in", "see studies"),
    )
    assert client.post(API, json={"document": {**VIEW, "shared": True}}, headers=who("anna")).status_code == 403
    assert client.post(API, json={"document": VIEW}, headers=who("anna")).status_code == 201
    page = client.get("/treegarth/studies?modality=MR", headers=who("anna")).text
    assert 'action="/treegarth/views"' in page
    assert 'name="shared"' not in page
