"""Of two who edit the same document the second is told, and nothing of the first is lost: for every kind of them."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.edited_kinds import KINDS, EditedKind
from tests.unit.web.web_support import make_services
from treegarth.assembly import house
from treegarth.bootstrap import make_application
from treegarth.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
FORM = "application/x-www-form-urlencoded"


each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.path)
each_form = pytest.mark.parametrize("kind", [one for one in KINDS if one.page], ids=lambda one: one.path)


def test_no_kind_of_documents_is_left_out() -> None:
    assert {one.path for one in house(Settings()).documents()} == {one.path for one in KINDS}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


def create(client: FlaskClient, kind: EditedKind) -> dict[str, Any]:
    answer = client.post(f"{API}/{kind.path}", json={"document": kind.document})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def now(client: FlaskClient, kind: EditedKind, number: int) -> Any:
    return client.get(f"{API}/{kind.path}/{number}").get_json()["document"][kind.changed]


@each_kind
def test_the_second_edit_of_a_program_is_refused(client: FlaskClient, kind: EditedKind) -> None:
    made = create(client, kind)
    place = f"{API}/{kind.path}/{made['id']}"
    first, second = ({**kind.document, kind.changed: value} for value in kind.values)
    done = client.put(place, json={"document": first, "version": made["version"]})
    assert done.status_code == 200, done.text
    refused = client.put(place, json={"document": second, "version": made["version"]})
    assert refused.status_code == 409
    assert "Nothing was saved." in refused.get_json()["detail"]
    assert now(client, kind, made["id"]) == kind.values[0]
    unsaid = client.put(place, json={"document": second})
    assert [one["field"] for one in unsaid.get_json()["errors"]] == ["version"]
    later = client.put(place, json={"document": second, "version": done.get_json()["version"]})
    assert later.status_code == 200
    assert now(client, kind, made["id"]) == kind.values[1]


@each_form
def test_the_second_edit_of_a_form_shows_both_and_can_be_saved_over(client: FlaskClient, kind: EditedKind) -> None:
    made = create(client, kind)
    place = f"/treegarth/{kind.page}/{made['id']}/edit"
    forms = [form_of(client.get(place).text, kind, value) for value in kind.values]
    saved = client.post(place, data={**forms[0], "act": "save"}, content_type=FORM, headers=SAME_ORIGIN)
    assert saved.status_code == 303, saved.text[:3000]
    refused = client.post(place, data={**forms[1], "act": "save"}, content_type=FORM, headers=SAME_ORIGIN)
    assert refused.status_code == 200
    difference = re.search(r'<div class="diff">(.*?)</div>\s*<p class="inline">', refused.text, re.DOTALL)
    assert difference is not None, refused.text[:3000]
    lines = re.sub(r"<[^>]*>", "", html.unescape(difference[1]))
    assert all(f"{kind.said or kind.changed}: {value}" in lines for value in kind.values)
    assert (difference[1].count("<del>"), difference[1].count("<ins>")) == (1, 1)  # and nothing that nobody changed
    assert now(client, kind, made["id"]) == kind.values[0]
    again = form_of(refused.text, kind, kind.values[1])
    assert again["version"] == forms[1]["version"]  # pressing Save once more does not save over it
    repeated = client.post(place, data={**again, "act": "save"}, content_type=FORM, headers=SAME_ORIGIN)
    assert 'id="newer"' in repeated.text
    (over,) = re.findall(r'value="(save over \d+)"', refused.text)
    done = client.post(place, data={**again, "act": over}, content_type=FORM, headers=SAME_ORIGIN)
    assert done.status_code == 303
    assert now(client, kind, made["id"]) == kind.values[1]


def form_of(page: str, kind: EditedKind, value: Any) -> dict[str, str]:
    """What the form would send, with another value at the place where the two differ."""
    form = re.search(
        r"<form id=\"(?:rule|policy|destination|document|level|chart|role)-form\".*?</form>", page, re.DOTALL
    )
    assert form is not None
    fields = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in given and (given.get("type") not in ("checkbox", "radio") or " checked" in tag):
            fields[given["name"]] = html.unescape(given.get("value", ""))
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', form[0], re.DOTALL):
        fields[name] = html.unescape(text)
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form[0], re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = html.unescape(chosen[1]) if chosen else ""
    of_text = ("not-patients", "limits", "coefficients", "levels", "standard-names")
    if kind.page in (*(f"dose/{one}" for one in of_text), "character-sets"):
        fields["text"] = re.sub(rf"{kind.changed}: \w+", f"{kind.changed}: {value}", fields["text"])
    else:
        fields[kind.changed] = str(value)
    return {**fields, "only_copy": "true"}
