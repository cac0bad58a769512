"""Static files: right types, caching by hash and ETag, nothing outside the folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.unit.web.web_support import make_site, web_folder
from treegarth.reach import Reach
from treegarth.web.templates import FileAddress


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = web_folder(tmp_path / "web")
    (tmp_path / "web" / "secret.txt").write_text("secret")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "static/base.css").write_text("body{}")
    (folder / "static/link").symlink_to(tmp_path / "secret.txt")
    for name in ("a.js", "a.mjs", "a.wasm", "a.svg", "a.woff2", "a.json", "a.unknown-kind"):
        (folder / "vendor" / name).write_bytes(b"x")
    return folder


@pytest.fixture
def client(folder: Path) -> FlaskClient:
    return make_site(folder, []).test_client()


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.js", "text/javascript"),
        ("a.mjs", "text/javascript"),
        ("a.wasm", "application/wasm"),
        ("a.svg", "image/svg+xml"),
        ("a.woff2", "font/woff2"),
        ("a.json", "application/json"),
        ("a.unknown-kind", "application/octet-stream"),
    ],
)
def test_files_have_the_media_type_that_a_browser_insists_on(client: FlaskClient, name: str, media_type: str) -> None:
    assert client.get(f"/treegarth/vendor/{name}").mimetype == media_type


def test_a_file_named_with_its_hash_is_kept_and_another_asked_for_again(client: FlaskClient, folder: Path) -> None:
    address = FileAddress(folder, Reach())("static/base.css")
    assert address.startswith("/treegarth/static/base.css?v=")
    assert "immutable" in client.get(address).headers["Cache-Control"]
    plain = client.get("/treegarth/static/base.css")
    assert "no-cache" in plain.headers["Cache-Control"]
    again = client.get("/treegarth/static/base.css", headers={"If-None-Match": plain.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_changed_file_has_another_address(folder: Path) -> None:
    address = FileAddress(folder, Reach())
    before = address("static/base.css")
    (folder / "static/base.css").write_text("body{color:red}")
    os.utime(folder / "static/base.css", (1, 1))
    assert address("static/base.css") != before
    with pytest.raises(FileNotFoundError):
        address("static/nothing.css")


def test_a_part_of_a_file_is_answered_with_the_whole(client: FlaskClient) -> None:
    answer = client.get("/treegarth/static/base.css", headers={"Range": "bytes=0-1"})
    assert (answer.status_code, answer.data) == (200, b"body{}")


@pytest.mark.parametrize(
    "path",
    [
        "static/../secret.txt",
        "static/%2e%2e/secret.txt",
        "static/..%2fsecret.txt",
        "static//etc/passwd",
        "static/%2fetc/passwd",
        "static/..\\secret.txt",
        "static/%00",
        "static/link",
        "static/",
        "static/.",
        "vendor/ohif",
    ],
)
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/treegarth/{path}", follow_redirects=True)
    assert answer.status_code == (400 if path.endswith("%00") else 404)
    assert "secret" not in answer.text
