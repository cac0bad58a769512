"""What ARCHITECTURE.md shows of a kind of documents does all that it says, as it stands there."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from tests.api_document import check_document
from tests.unit.web.web_support import make_services
from treegarth.assembly import house
from treegarth.web.app import create_app

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1/levels"
PAGES = "/treegarth/levels"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
HEAD = {"name": "CT head", "why": "the national survey", "dlp_mgy_cm": 950.0}
TEXT = "- name: CT head\n  why: the national survey\n  dlp_mgy_cm: 950.0\n"


def example() -> dict[str, Any]:
    """What ARCHITECTURE.md shows, as it stands there."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## Documents, from their tables")[1]
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code
    assert len([line for line in code[1].splitlines() if line.strip()]) <= 60
    made: dict[str, Any] = {"__name__": "levels"}
    exec(compile(code[1], "ARCHITECTURE.md", "exec", dont_inherit=True), made)
    return made


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    made = example()
    made["level"].metadata.create_all(engine)
    services = make_services(ROOT / "web", engine=lambda: engine)
    whole = house(services.settings)
    whole = replace(whole, features=[*whole.features, made["FEATURE"]])
    return create_app(whole.routes(), services, parts=whole.parts()).test_client()


def ask(client: FlaskClient, method: str, path: str = "", body: Any = None, *, status: int = 200) -> Any:
    answer = client.open(f"{API}{path}", method=method, json=body)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def page(client: FlaskClient, path: str = "", language: str = "en") -> str:
    answer = client.get(f"{PAGES}{path}", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.text


def press(client: FlaskClient, path: str, status: int = 303, **fields: str) -> TestResponse:
    kind = "application/x-www-form-urlencoded"
    answer = client.post(f"{PAGES}{path}", data=fields, content_type=kind, headers=SAME_ORIGIN)
    assert answer.status_code == status, answer.text
    return answer


def test_a_program_writes_edits_switches_and_removes_one(client: FlaskClient) -> None:
    made = ask(client, "POST", "", {"document": HEAD}, status=201)
    assert (made["id"], made["version"], made["is_on"], made["document"]) == (1, 1, False, HEAD)
    assert ask(client, "GET", "/1") == made
    assert ask(client, "GET") == {"items": [made]}
    assert "already" in ask(client, "POST", "", {"document": HEAD}, status=409)["detail"]
    edited = ask(client, "PUT", "/1", {"document": HEAD | {"why": "ours"}, "version": 1})
    assert (edited["version"], edited["document"]["why"]) == (2, "ours")
    late = ask(client, "PUT", "/1", {"document": HEAD | {"why": "late"}, "version": 1}, status=409)
    assert late["detail"] == "It was edited after version 1: it is version 2 now. Nothing was saved."
    assert ask(client, "PUT", "/1/state", {"is_on": True})["is_on"]
    assert ask(client, "PUT", "/1", {"document": HEAD, "version": 3})["is_on"]
    ask(client, "DELETE", "/1")
    ask(client, "GET", "/1", status=404)
    assert ask(client, "GET") == {"items": []}
    (gone,) = ask(client, "GET", "?removed=true")["items"]
    assert gone["removed_at"] is not None
    changes = [one["change"] for one in ask(client, "GET", "/1/versions")["items"]]
    assert changes == ["removed", "edited", "switched on", "edited", "created"]


def test_they_are_one_text_that_is_read_back(client: FlaskClient) -> None:
    foreseen = ask(client, "PUT", "/text", {"text": TEXT, "dry_run": True})
    assert foreseen == {
        "dry_run": True,
        "items": [{"name": "CT head", "outcome": "created", "is_on": False, "id": None}],
    }
    assert ask(client, "GET") == {"items": []}
    assert ask(client, "PUT", "/text", {"text": TEXT})["items"][0]["id"] == 1
    assert ask(client, "GET", "/text") == {"text": TEXT}
    assert ask(client, "PUT", "/text", {"text": TEXT})["items"][0]["outcome"] == "same"
    wrong = TEXT.replace("950.0", "-1") + "- name: ''\n  why: x\n"
    refused = ask(client, "PUT", "/text", {"text": wrong}, status=400)
    places = ["levels[0].dlp_mgy_cm", "levels[1].name", "levels[1].dlp_mgy_cm"]
    assert [one["field"] for one in refused["errors"]] == places
    twice = ask(client, "PUT", "/text", {"text": TEXT + TEXT}, status=400)
    assert [one["field"] for one in twice["errors"]] == ["levels[1].name"]


def test_what_it_takes_and_answers_stands_in_the_document(client: FlaskClient) -> None:
    document = client.get("/treegarth/api/v1/openapi.json").get_json()
    check_document(document)
    body = document["paths"][API]["post"]["requestBody"]["content"]["application/json"]["schema"]
    taken = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]
    assert taken["properties"]["document"]["$ref"].endswith("/Level")
    refused = ask(client, "POST", "", {"document": HEAD | {"dlp_mgy_cm": 0}}, status=400)
    assert [one["field"] for one in refused["errors"]] == ["document.dlp_mgy_cm"]


def test_a_person_writes_switches_and_removes_one_by_its_pages(client: FlaskClient) -> None:
    assert "Nothing is written here yet" in page(client)
    assert "아직 작성된 것이 없습니다" in page(client, language="ko")
    text = TEXT[2:].replace("\n  ", "\n")
    wrong = press(client, "/new", 200, text=text.replace("950.0", "-1"), act="save").text
    assert "<b>dlp_mgy_cm</b> (line 3)" in wrong
    assert press(client, "/new", text=text, act="save").headers["Location"] == f"{PAGES}/1"
    one = page(client, "/1")
    assert "CT head" in one
    assert html.escape("dlp_mgy_cm: 950.0") in one
    form = page(client, "/1/edit")
    assert 'name="version" value="1"' in form
    press(client, "/1/edit", text=text.replace("national survey", "next survey"), version="1", act="save")
    late = press(client, "/1/edit", 200, text=text.replace("950.0", "900.0"), version="1", act="save").text
    assert "Somebody else changed this meanwhile" in late
    assert all(line in html.unescape(late) for line in ("− why: the next survey", "+ why: the national survey"))
    (over,) = re.findall(r'value="(save over \d+)"', late)
    press(client, "/1/edit", text=text.replace("950.0", "900.0"), version="1", act=over)
    assert "Show the difference" in page(client, "/1")
    press(client, "/1/switch", on="true")
    assert ask(client, "GET", "/1")["is_on"]
    assert "CT head" in page(client)
    press(client, "/1/remove")
    assert "removed" in page(client, "/1")
    assert "CT head" not in page(client)


def test_a_person_imports_and_exports_a_text(client: FlaskClient) -> None:
    assert "YAML" in page(client, "/import")
    planned = press(client, "/import", 200, text=TEXT, act="look").text
    assert "new" in planned
    assert ask(client, "GET") == {"items": []}
    press(client, "/import", text=TEXT, act="import")
    export = client.get(f"{PAGES}.yaml")
    assert (export.text, export.headers["Content-Disposition"]) == (TEXT, 'attachment; filename="levels.yaml"')
    refused = press(client, "/import", 200, text="- name: x\n", act="import").text
    assert "levels[0].why (line 1)" in refused
    late = press(client, "/import", 200, text=TEXT + "- name: x\n  why: y\n  dlp_mgy_cm: -1\n", act="look").text
    line = TEXT.count("\n") + 3
    assert f"levels[1].dlp_mgy_cm (line {line})" in late
