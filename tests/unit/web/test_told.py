"""What a form did is told once on the page that follows. A cookie that is not of ours tells nothing."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response

from tests.unit.web.web_support import make_site, web_folder
from treegarth.access.actors import Permission
from treegarth.phrases import P_
from treegarth.web.call import AnyCall
from treegarth.web.routes import Route
from treegarth.web.templates import render_page
from treegarth.web.told import COOKIE, Counted, Undo, see_other

PAGE = "{% if told %}{{ told.kind }}: {{ told.said|join(' | ') }}{% else %}nothing{% endif %}"


def site(folder: Path, *said: Any) -> Flask:
    def page(call: AnyCall) -> Response:
        return render_page(call, "page.html")

    def act(call: AnyCall) -> Response:
        return see_other(call, call.site.url("test.page"), *said, kind="failed")

    given = {"permission": Permission.SIGNED_IN, "summary": "A test."}
    return make_site(
        web_folder(folder, page=PAGE),
        [
            Route(name="test.page", path="/treegarth/page", handler=page, **given),
            Route(name="test.act", path="/treegarth/act", method="POST", handler=act, **given),
        ],
    )


def test_it_is_said_once_and_not_by_a_part_of_a_page(tmp_path: Path) -> None:
    counted = Counted(forms=("%(num)s study", "%(num)s studies"), count=1200)
    client = site(tmp_path, P_("There is no list of this name."), counted, "<b>from elsewhere</b>").test_client()
    answer = client.post("/treegarth/act", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.headers["Location"] == "/treegarth/page"
    assert {"HttpOnly", "SameSite=Strict", "Path=/treegarth/"} <= set(answer.headers["Set-Cookie"].split("; "))
    assert client.get("/treegarth/page", headers={"HX-Request": "true"}).text == "nothing"
    said = client.get("/treegarth/page").text
    assert said == "failed: There is no list of this name. | 1,200 studies | &lt;b&gt;from elsewhere&lt;/b&gt;"
    assert client.get("/treegarth/page").text == "nothing"


def test_what_somebody_else_said_fits_into_a_cookie(tmp_path: Path) -> None:
    client = site(tmp_path, P_("It answers."), "말" * 100_000).test_client()
    answer = client.post("/treegarth/act", headers={"Sec-Fetch-Site": "same-origin"})
    assert len(answer.headers["Set-Cookie"]) < 4096
    assert "말말" in client.get("/treegarth/page").text


@pytest.mark.parametrize(
    "kept",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"null",
        b"7",
        b'["ok", 7]',
        b'["ok", [7]]',
        b'["ok", [null]]',
        b'["ok", [{"message": "%(a)s %(b)d", "values": {"a": 1}}]]',
        b'["ok", [{"message": "a", "values": 7}]]',
        b'["ok", [{"forms": ["a"], "count": 1}]]',
        b'["ok", [{"forms": ["%d", "%d"], "count": "x"}]]',
        b"[" * 3000,
    ],
)
def test_a_cookie_that_is_not_of_ours_tells_nothing(tmp_path: Path, kept: bytes) -> None:
    client = site(tmp_path).test_client()
    client.set_cookie(COOKIE, urlsafe_b64encode(kept).decode(), path="/treegarth/")
    assert client.get("/treegarth/page").text == "nothing"
    client.set_cookie(COOKIE, "%%%", path="/treegarth/")
    assert client.get("/treegarth/page").text == "nothing"


def test_a_cookie_with_a_strange_kind_is_told_as_a_text(tmp_path: Path) -> None:
    client = site(tmp_path).test_client()
    kept = json.dumps(["<script>", ["x"]]).encode()
    client.set_cookie(COOKIE, urlsafe_b64encode(kept).decode(), path="/treegarth/")
    assert client.get("/treegarth/page").text in ("nothing", "&lt;script&gt;: x")


def test_an_undo_is_offered_beside_what_was_done_and_only_where_there_is_such_a_form(tmp_path: Path) -> None:
    undo = "{% if told.undo %} {{ told.undo.url }} {{ told.undo.fields.a }}{% endif %}"
    page = f"{{% if told %}}{{{{ told.said[0] }}}}{undo}{{% endif %}}"

    def show(call: AnyCall) -> Response:
        return render_page(call, "page.html")

    def act(call: AnyCall) -> Response:
        route, a = call.http.form["route"], call.http.form["a"]
        undo = Undo(route=route, fields={"a": a})
        return see_other(call, call.site.url("test.page"), P_("It answers."), undo=undo)

    given: Any = {"permission": Permission.SEE_STUDIES, "summary": "A test."}
    site = make_site(
        web_folder(tmp_path, page=page),
        [
            Route(name="test.page", path="/treegarth/page", handler=show, **given),
            Route(name="test.act", path="/treegarth/act", method="POST", handler=act, **given),
        ],
    )
    client = site.test_client()
    here = {"Sec-Fetch-Site": "same-origin"}
    client.post("/treegarth/act", data={"route": "test.act", "a": "<b>"}, headers=here)
    assert client.get("/treegarth/page").text == "It answers. /treegarth/act &lt;b&gt;"
    client.post(
        "/treegarth/act", data={"route": "test.act", "a": "말" * 2000}, headers=here
    )  # more than a cookie holds
    assert client.get("/treegarth/page").text == "It answers."
    for route in ("test.page", "elsewhere"):
        client.post("/treegarth/act", data={"route": route, "a": "1"}, headers=here)
        assert client.get("/treegarth/page").text == ""
