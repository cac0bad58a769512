"""The documents of the API's examples are taken: each can be made, and as a text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.unit.web.web_support import make_services
from treegarth.assembly import house
from treegarth.bootstrap import make_application
from treegarth.documents.language import Documents
from treegarth.features.deliveries.tables import destination
from treegarth.settings import Settings
from treegarth.web.paths import API_PATH

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    one for one in house(Settings()).documents() if one.name != "destination"
]  # its folder is a site's to list


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    """With the destination that examples speak of."""
    known = {"name": "long-term archive", "kind": "folder", "address": {"path": "/srv/archive"}}
    with engine.begin() as connection:
        connection.execute(destination.insert().values(id=1, **known))
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


@pytest.mark.parametrize("documents", DOCUMENTS, ids=lambda one: str(one.name))
def test_the_document_of_an_example_is_taken(client: FlaskClient, documents: Documents[Any]) -> None:
    paths = client.get(f"{API_PATH}/openapi.json").get_json()["paths"]
    at = f"{API_PATH}/{documents.path}"
    text, one = (
        paths[path][method]["requestBody"]["content"]["application/json"]["example"]
        for path, method in ((f"{at}/text", "put"), (at, "post"))
    )
    tried = client.put(f"{at}/text", json=text)
    assert tried.status_code == 200, tried.text
    assert [item["outcome"] for item in tried.get_json()["items"]] == ["created"]
    made = client.post(at, json=one)
    assert made.status_code == 201, made.text
