"""Documents whose names are an attack, or look like one: every page that shows them stands, and shows them as text."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.edited_kinds import KINDS
from tests.unit.web.web_support import make_services
from treegarth.assembly import house
from treegarth.bootstrap import make_application
from treegarth.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1"
MARK = "walked-by-a-test"
NAMES = (
    f"<img src=x onerror={MARK}>",
    f'" onfocus="{MARK}',
    f"100 % %s %(num)d {{{{ 7 * 7 }}}} {MARK}",
    f"\u202egnol {MARK} 가나다",
    f"{MARK} " + "long " * 30,
)
MOST_PAGES = 120
RAW = (f"<img src=x onerror={MARK}", f'" onfocus="{MARK}', f"49 {MARK}")


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    for kind in KINDS:
        for name in NAMES:
            answer = made.post(f"{API}/{kind.path}", json={"document": {**kind.document, "name": name}})
            assert answer.status_code in (201, 400, 409), (kind.path, name, answer.text)
            if answer.status_code == 400:  # some kinds take no such name: then they say so, of the name
                assert "name" in answer.get_json()["detail"], (kind.path, answer.text)
            if answer.status_code == 409:  # one document of a meaning is enough there
                assert name != NAMES[0], (kind.path, answer.text)
    return made


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_page_shows_a_hostile_name_as_text(client: FlaskClient, language: str) -> None:
    first = [one.path for one in house(Settings()).routes() if one.is_html and "{" not in one.path]
    seen: set[str] = set()
    showing, waiting = 0, list(first)
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = client.get(path, headers={"Accept-Language": language})
        if answer.mimetype != "text/html":
            continue
        assert answer.status_code < 500, (path, answer.text[:300])
        assert not [one for one in RAW if one in answer.text], path
        if MARK in answer.text:
            showing += 1
            waiting += [unescape(one) for one in re.findall(r'href="(/treegarth/[^"#]+)', answer.text)]
    assert showing > 20
