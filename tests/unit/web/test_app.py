"""What every endpoint has in common: the table, checks, errors, headers."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.unit.web.web_support import make_site, web_folder
from treegarth.access.actors import Permission
from treegarth.errors import (
    DatabaseUnavailable,
    NotFound,
    OrthancRefused,
    OrthancUnavailable,
    RequestConflict,
    TreegarthError,
)
from treegarth.settings import Settings, SignIn
from treegarth.web.call import Answered, Call
from treegarth.web.paths import API_PATH
from treegarth.web.problems import PROBLEM_TYPE
from treegarth.web.routes import Answer, Navigation, Parameters, Route
from treegarth.web.site import Site
from treegarth.web.templates import render_page

PAGE = "{{ _('Studies') }} {{ lang }} {{ theme }} {{ actor }} {{ here(page=2) }}"
BASIC = {"Authorization": "Basic YWxpY2U6c2VjcmV0"}  # alice:secret, as Orthanc has checked it
PROD = Settings(sign_in=SignIn.ORTHANC)


class Numbers(Parameters):
    count: int = 1
    name: str | None = None


class Place(Parameters):
    number: int


class Word(Parameters):
    word: str


class Echo(Answer):
    text: str


def echo(call: Call[Any, Any, Any]) -> Echo:
    return Echo(text=f"{call.query} {call.body} {call.path} {call.actor}")


def failing(error: Exception) -> Any:
    def handler(call: Call[Any, Any, Any]) -> Echo:
        raise error

    return handler


def api_route(name: str, path: str, **given: Any) -> Route:
    values = {"permission": Permission.SIGNED_IN, "handler": echo, "summary": "A test.", "answer": Echo, **given}
    return Route(name=name, path=f"{API_PATH}/{path}", **values)


ROUTES = [
    api_route("api.echo", "echo", query=Numbers),
    api_route("api.number", "numbers/{number}", path_parameters=Place),
    api_route("api.word", "words/{word}", path_parameters=Word, handler=lambda call: Echo(text=call.path.word)),
    api_route("api.change", "change", method="POST", body=Numbers),
    api_route("api.open", "open", permission=Permission.PUBLIC),
    api_route("api.accepted", "accepted", handler=lambda call: Answered(body=Echo(text="later"), status=202)),
    Route(
        name="page",
        path="/treegarth/page",
        permission=Permission.SIGNED_IN,
        handler=lambda call: render_page(call, "page.html"),
        summary="A page.",
        query=Numbers,
        navigation=Navigation(label="Studies", icon="studies", order=1, key="s"),
    ),
    Route(
        name="page_change",
        path="/treegarth/page/change",
        method="POST",
        permission=Permission.OPERATE,
        handler=echo,
        summary="A form.",
        body=Numbers,
    ),
    Route(
        name="deep",
        path="/treegarth/deep/",
        permission=Permission.SIGNED_IN,
        handler=lambda call: "deep",
        summary="A folder.",
    ),
]


@pytest.fixture
def site(tmp_path: Path) -> Flask:
    return make_site(web_folder(tmp_path, page=PAGE), ROUTES)


@pytest.fixture
def client(site: Flask) -> FlaskClient:
    return site.test_client()


@pytest.mark.parametrize("word", ["1.2.840", "-9e99\\-9", "a/b", "100%", "%5C", "김 ?&#"])
def test_any_value_can_stand_in_an_address_though_orthanc_takes_a_backslash_for_a_slash(
    site: Flask, client: FlaskClient, word: str
) -> None:
    address = site.extensions["treegarth"].url("api.word", word=word)
    as_orthanc_hands_it_on = quote(unquote(address).replace("\\", "/"), safe="/")
    assert client.get(as_orthanc_hands_it_on).get_json() == {"text": word}


@pytest.fixture
def prod_client(tmp_path: Path) -> FlaskClient:
    return make_site(web_folder(tmp_path, page=PAGE), ROUTES, settings=PROD).test_client()


def test_every_rule_of_flask_stands_in_the_table_with_a_permission(site: Flask) -> None:
    table: Site = site.extensions["treegarth"]
    rules = list(site.url_map.iter_rules())
    assert len(rules) == len(table.routes) > len(ROUTES)
    for rule in rules:
        route = table.routes[rule.endpoint]
        assert isinstance(route.permission, Permission)
        assert (rule.methods or set()) - {"HEAD", "OPTIONS"} == {route.method}
        assert rule.rule == route.flask_rule


def test_two_routes_of_one_place_or_name_are_refused(tmp_path: Path) -> None:
    folder = web_folder(tmp_path)
    with pytest.raises(ValueError, match="two routes"):
        make_site(folder, [ROUTES[0], api_route("api.echo", "elsewhere")])
    with pytest.raises(ValueError, match="two routes"):
        make_site(folder, [ROUTES[1], api_route("other", "numbers/{number}", path_parameters=Place)])


def test_a_path_and_its_parameters_must_agree() -> None:
    with pytest.raises(ValueError, match="do not name the same parts"):
        api_route("api.number", "numbers/{other}", path_parameters=Place)
    with pytest.raises(ValueError, match="not under"):
        Route(name="x", path="/elsewhere", permission=Permission.SIGNED_IN, handler=echo, summary="")


def test_a_query_arrives_as_its_model(client: FlaskClient) -> None:
    assert client.get(f"{API_PATH}/echo?count=3").get_json() == {
        "text": "count=3 name=None None None someone without a login"
    }
    assert "number=7" in client.get(f"{API_PATH}/numbers/7").get_json()["text"]
    assert client.get(f"{API_PATH}/accepted").status_code == 202


@pytest.mark.parametrize(
    ("path", "field", "part"),
    [
        ("echo?cuont=3", "cuont", "Known: count, name."),
        ("echo?count=three", "count", "must be a whole number."),
        ("numbers/seven", "number", "must be a whole number."),
        ("accepted?x=1", "x", "Known: –."),
    ],
)
def test_what_is_wrong_is_named_with_what_would_be_right(client: FlaskClient, path: str, field: str, part: str) -> None:
    answer = client.get(f"{API_PATH}/{path}")
    assert (answer.status_code, answer.mimetype) == (400, PROBLEM_TYPE)
    problem = answer.get_json()
    assert problem["status"] == 400
    assert problem["title"] == "Bad Request"
    assert problem["instance"].startswith("urn:treegarth:treegarth-")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert part in problem["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("gone"), 404),
        (RequestConflict("no"), 409),
        (DatabaseUnavailable(), 503),
        (OrthancUnavailable("down"), 503),
        (OrthancRefused("no", status=400), 502),
        (TreegarthError("odd"), 500),
        (RuntimeError("a secret inside"), 500),
    ],
)
def test_an_error_is_answered_with_its_status_and_no_trace(tmp_path: Path, error: Exception, status: int) -> None:
    site = make_site(web_folder(tmp_path), [api_route("api.fails", "fails", handler=failing(error))])
    answer = site.test_client().get(f"{API_PATH}/fails")
    assert (answer.status_code, answer.mimetype) == (status, PROBLEM_TYPE)
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert "Traceback" not in answer.text
    assert "secret" not in answer.text


def test_what_the_log_is_for_is_not_told_to_the_asker(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cause = DatabaseUnavailable("connection to server at db.example failed")
    site = make_site(web_folder(tmp_path), [api_route("api.fails", "fails", handler=failing(cause))])
    answer = site.test_client().get(f"{API_PATH}/fails")
    assert "db.example" not in answer.text
    assert "db.example" in caplog.text


def test_an_unforeseen_failure_is_logged_with_the_reference_that_the_answer_gives(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site(web_folder(tmp_path), [api_route("api.fails", "fails", handler=failing(RuntimeError("inside")))])
    with caplog.at_level(logging.ERROR):
        problem = site.test_client().get(f"{API_PATH}/fails").get_json()
    [record] = caplog.records
    assert problem["instance"].removeprefix("urn:treegarth:") in record.getMessage()
    assert record.exc_info is not None


def test_the_log_has_no_identifier_of_a_patient_that_stood_in_the_address(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="treegarth"):
        client.get(f"{API_PATH}/echo?name=Hong&count=x")
        client.get(f"{API_PATH}/numbers/Hong")
    assert "Hong" not in caplog.text


def test_an_unknown_path_of_the_api_is_a_problem_and_elsewhere_a_page(client: FlaskClient) -> None:
    assert client.get(f"{API_PATH}/nothing").mimetype == PROBLEM_TYPE
    elsewhere = client.get("/treegarth/nothing")
    assert elsewhere.status_code == 404
    assert elsewhere.mimetype == "text/plain"  # this site has no error.html


def test_a_page_of_an_error_is_made_of_its_template(tmp_path: Path) -> None:
    folder = web_folder(tmp_path, error="<p>{{ problem.status }} {{ problem.detail }} {{ here(lang='ko') }}</p>")
    client = make_site(folder, ROUTES).test_client()
    answer = client.get("/treegarth/page?<b>=1")
    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "<b>" not in answer.text
    for address in ("page?self=1", "page?call=1", "page?name=x&path=1", "<nothing>?lang=xx&name=1", "static/x?path=1"):
        assert client.get(f"/treegarth/{address}").mimetype == "text/html", address


def test_other_methods_are_refused_with_those_that_work(client: FlaskClient) -> None:
    answer = client.post(f"{API_PATH}/echo")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert client.head(f"{API_PATH}/echo").status_code == 200
    assert client.options(f"{API_PATH}/echo").headers["Allow"]


def test_a_path_is_answered_without_its_last_slash_too(client: FlaskClient) -> None:
    assert client.get("/treegarth/deep").text == client.get("/treegarth/deep/").text == "deep"
    assert client.get("/treegarth//deep").status_code == 404  # Orthanc hands no such path on


def test_a_body_is_json_of_its_model(client: FlaskClient) -> None:
    place = f"{API_PATH}/change"
    assert "count=4" in client.post(place, json={"count": 4}).get_json()["text"]
    assert client.post(place, json={"cuont": 4}).get_json()["errors"][0]["field"] == "cuont"
    assert client.post(place, data="{", content_type="application/json").status_code == 400
    assert client.post(place, data={"count": "4"}).status_code == 415
    assert client.post(place, data="x", content_type="text/plain").status_code == 415
    assert client.post(place, data=b"[" * (2 << 20), content_type="application/json").status_code == 413
    assert client.post(place, json=[1]).status_code == 400


def test_a_form_of_a_page_is_read_too(client: FlaskClient) -> None:
    assert "count=4" in client.post("/treegarth/page/change", data={"count": "4"}).text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://localhost:80"}, 200),
        ({"Origin": "http://localhost:8042"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Referer": "http://localhost/treegarth/"}, 200),
        ({"Referer": "http://evil.example/"}, 403),
    ],
)
def test_what_a_page_of_another_site_asks_for_is_refused(
    client: FlaskClient, headers: dict[str, str], status: int
) -> None:
    assert client.post(f"{API_PATH}/change", json={}, headers=headers).status_code == status
    assert client.get(f"{API_PATH}/echo", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8042", 200),
        ("127.0.0.1:8042", 200),
        ("127.8.9.10", 200),
        ("[::1]:8042", 200),
        ("treegarth.localhost", 200),
        ("evil.example", 403),
        ("10.0.0.1:8042", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("", 403),
    ],
)
def test_without_a_login_only_names_of_this_machine_are_answered(client: FlaskClient, host: str, status: int) -> None:
    for path in (f"{API_PATH}/echo", f"{API_PATH}/open"):
        assert client.get(path, headers={"Host": host}).status_code == status


def test_the_configured_name_is_answered_too_and_with_users_every_name(tmp_path: Path) -> None:
    for number, settings in enumerate(
        (
            Settings(sign_in=SignIn.NONE, orthanc_url="http://pacs.example:8042"),
            PROD,
        )
    ):
        client = make_site(web_folder(tmp_path / str(number)), ROUTES, settings=settings).test_client()
        assert client.get(f"{API_PATH}/echo", headers={"Host": "pacs.example:8042", **BASIC}).status_code == 200


def test_in_prod_the_user_whom_orthanc_let_in_is_the_actor(prod_client: FlaskClient) -> None:
    assert prod_client.get(f"{API_PATH}/echo", headers=BASIC).get_json()["text"].endswith("alice")


@pytest.mark.parametrize("header", [None, "Bearer x", "Basic !", "Basic ", "0a1b2c", "Basic OnNlY3JldA=="])
def test_in_prod_a_request_without_a_user_is_refused(prod_client: FlaskClient, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    answer = prod_client.get(f"{API_PATH}/echo", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert prod_client.get("/treegarth/page", headers=headers).status_code == 401
    assert prod_client.get(f"{API_PATH}/open", headers=headers).status_code == 200


def test_every_answer_has_the_headers_that_keep_a_browser_safe(client: FlaskClient) -> None:
    for path in (f"{API_PATH}/echo", "/treegarth/page", "/treegarth/nothing"):
        headers = client.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def test_language_and_theme_are_those_asked_for_and_remembered(client: FlaskClient) -> None:
    assert client.get("/treegarth/page?lang=en&theme=dark").text.startswith("Studies en dark")
    assert client.get("/treegarth/page").text.startswith("Studies en dark")
    assert client.get("/treegarth/page?theme=purple").text.startswith("Studies en dark")


def test_an_empty_field_of_a_pages_form_is_not_given(client: FlaskClient) -> None:
    answer = client.get("/treegarth/page?count=&name=x&lang=en")
    assert answer.status_code == 200
    assert answer.text.endswith("/treegarth/page?name=x&amp;page=2")
