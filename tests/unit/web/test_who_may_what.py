"""Every route of the table × every role × nobody: who lacks what a route needs gets nothing of it, and who has it does.

The database is away, which is an answer (503) that only they get who may ask.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.unit.web.web_support import NOW, make_services
from treegarth.access.actors import OF_EVERYBODY, PERMISSION_WORDS, Permission
from treegarth.access.roles import BUILT_IN
from treegarth.access.secrets import digest_of
from treegarth.access.snapshot import KnownSession, KnownToken, KnownUser, Snapshot
from treegarth.bootstrap import make_application
from treegarth.settings import Settings, SignIn
from treegarth.web.access import SESSION_COOKIE
from treegarth.web.paths import filled
from treegarth.web.routes import Route

ROOT = Path(__file__).resolve().parents[3]
PUBLIC = {
    *("api.health", "api.openapi", "api.me", "accounts.sign_in_page", "accounts.sign_in"),
    *("accounts.code_page", "accounts.send_code", "accounts.provider_start", "accounts.provider_back"),
}
"""All that is answered without a sign-in, beside files that are the same at every site: how the server is, what the API
is like, that one is nobody, the way in."""
WITHOUT_ROLES = "nobody's friend"


@cache
def client() -> FlaskClient:
    services = make_services(ROOT / "web", settings=Settings(sign_in=SignIn.TREEGARTH))
    roles = {**BUILT_IN, WITHOUT_ROLES: ()}
    users = {
        number: KnownUser(id=number, name=role, permissions=frozenset(may), is_administrator=number == 0)
        for number, (role, may) in enumerate(roles.items())
    }
    ends = NOW + timedelta(hours=1)
    sessions = {
        digest_of(one.name): KnownSession(id=one.id, user_id=one.id, last_used_at=NOW, ends_at=ends)
        for one in users.values()
    }
    upload_only = KnownToken(id=1, user_id=0, permissions=frozenset({Permission.UPLOAD}), ends_at=ends)
    assert services.known is not None
    services.known.learn(Snapshot(version=1, users=users, sessions=sessions, tokens={digest_of("tg_up"): upload_only}))
    return make_application(services).test_client(use_cookies=False)


@cache
def routes() -> tuple[Route, ...]:
    return tuple(client().application.extensions["treegarth"].routes.values())


def status_of(route: Route, headers: dict[str, str]) -> tuple[int, str]:
    path = filled(route.path, dict.fromkeys(route.path_names, "1"))
    body = {"json": {}} if route.is_api and route.body is not None else {}
    answer = client().open(path, method=route.method, headers=headers, **body)
    return answer.status_code, answer.headers.get("Location", "")


def test_nothing_is_public_that_is_not_listed() -> None:
    public = {one.name for one in routes() if one.permission is Permission.PUBLIC}
    assert {name for name in public if not name.startswith("web.")} == PUBLIC
    assert all(not one.path_parameters or one.name.startswith("web.") for one in routes() if one.name in public)


def test_nobody_gets_anything_but_the_way_in() -> None:
    wrong = []
    for one in routes():
        if one.permission is Permission.PUBLIC:
            continue
        status, place = status_of(one, {})
        expected = (303,) if one.method == "GET" and not one.is_api else (403,)
        if status not in expected or (status == 303 and not place.startswith("/treegarth/sign-in?next=")):
            wrong.append(f"{one.name} {one.method} {one.path}: {status} {place}")
    assert wrong == []


@pytest.mark.parametrize("role", [*BUILT_IN, WITHOUT_ROLES])
def test_each_role_gets_what_its_permissions_name_and_nothing_else(role: str) -> None:
    may = {*BUILT_IN.get(role, ()), *OF_EVERYBODY}
    headers = {"Cookie": f"{SESSION_COOKIE}={role}"}
    wrong = []
    for one in routes():
        is_allowed = {one.permission, *one.further} <= may
        status, _ = status_of(one, headers)
        if (status != 403) is not is_allowed:
            wrong.append(f"{one.name} {one.method} {one.path} needs {one.permission}: {status}")
    assert wrong == []


FILES_OF_WORKS = ("works.file", "api.work_result")
"""For whoever asked for the work; a token needs the right to export beside that."""


def test_a_token_is_held_to_its_own_part_of_what_its_user_may() -> None:
    for headers in ({"Authorization": "Bearer tg_up"}, {"Authorization": "Basic eDp0Z191cA=="}):
        wrong = []
        for one in routes():
            is_allowed = {one.permission, *one.further} <= {Permission.UPLOAD, *OF_EVERYBODY}
            is_allowed = is_allowed and one.name not in FILES_OF_WORKS
            if (status_of(one, headers)[0] != 403) is not is_allowed:
                wrong.append(one.name)
        assert wrong == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": f"{SESSION_COOKIE}="},
        {"Cookie": f"{SESSION_COOKIE}=x"},
        {"Cookie": f"{SESSION_COOKIE}=administrator; {SESSION_COOKIE}=nurse"},
        {"Cookie": f"x{SESSION_COOKIE}=administrator"},
        {"Authorization": "Bearer administrator"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic administrator"},
        {"Authorization": "Basic YWRtaW5pc3RyYXRvcjo="},
        {"Authorization": "Bearer x", "Cookie": f"{SESSION_COOKIE}=administrator"},
    ],
)
def test_who_shows_something_else_is_nobody(headers: dict[str, str]) -> None:
    assert client().get("/treegarth/api/v1/studies", headers=headers).status_code == 403


def test_where_the_database_told_nothing_nobody_is_known_and_that_is_said() -> None:
    """Not that it is forbidden: a program that is told so gives up."""
    services = make_services(ROOT / "web", settings=Settings(sign_in=SignIn.ORTHANC))
    assert services.known is not None
    services.known.learn(Snapshot())
    app = make_application(services)
    answer = app.test_client().get("/treegarth/api/v1/studies", headers={"Authorization": "Basic YTpi"})
    assert (answer.status_code, answer.get_json()["detail"][:27]) == (503, "PostgreSQL does not answer.")


def test_what_a_refusal_says_is_in_the_readers_language() -> None:
    """By the page of dose, which a nurse may not see; what she would need is said in the same language."""
    headers = {"Cookie": f"{SESSION_COOKIE}=nurse", "Accept-Language": "ko"}
    page = client().get("/treegarth/dose", headers=headers)
    assert page.status_code == 403
    assert PERMISSION_WORDS[Permission.SEE_DOSE] not in page.text
    assert "방사선 선량과 통계 보기" in page.text
