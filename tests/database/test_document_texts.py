"""What is said of a text of documents that cannot be read in, for every kind of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.edited_kinds import KINDS, EditedKind
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.documents.importing import MOST_DOCUMENTS

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1"
DEEPER: dict[str, dict[str, Any]] = {
    "dose/standard-names": {"rules": [{"study_description": "*", "only": "exams"}]},
    "dose/levels": {"rows": [{"modality": "CT", "quantity": "dlp_total_mgy_cm", "standard_name": "c", "level": 1.0}]},
}
"""What the document of a kind has beside, so that every depth is there."""
FREE = {"rules": "do", "views": "query"}
"""The part of a kind's document that is no record: an action's own name with what it needs, a list's filters."""
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.path)


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


@each_kind
def test_a_text_of_too_many_documents_is_refused_with_their_number(client: FlaskClient, kind: EditedKind) -> None:
    text = "".join(f"- name: n{number}\n" for number in range(MOST_DOCUMENTS + 1))
    refused = client.put(f"{API}/{kind.path}/text", json={"text": text})
    assert refused.status_code == 400
    assert "there are 2001, and a text brings at most 2000. Send them in parts." in refused.text


@each_kind
def test_an_unknown_field_is_answered_with_those_of_its_depth(client: FlaskClient, kind: EditedKind) -> None:
    for wrong, known in with_one_more({**kind.document, **DEEPER.get(kind.path, {})}, FREE.get(kind.path)):
        refused = client.put(f"{API}/{kind.path}/text", json={"text": json.dumps([wrong]), "dry_run": True})
        assert refused.status_code == 400, wrong
        said = refused.get_json()["detail"]
        assert "never_known" in said, (wrong, said)
        assert all(name in said.split("never_known")[1] for name in known), (wrong, said)


def with_one_more(document: dict[str, Any], free: str | None) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """The document with an unknown field at one depth after the other, each with what it has there."""

    def walk(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            yield value
            value = [one for name, one in value.items() if name != free]
        for one in value if isinstance(value, list) else ():
            yield from walk(one)

    for place in range(len(list(walk(document)))):
        changed = deepcopy(document)
        at = list(walk(changed))[place]
        known = list(at)
        at["never_known"] = 1
        yield changed, known
