"""One's own account: what one may do, the browsers that are signed in, tokens that are made, shown once and revoked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from tests.accounts_support import OWN_PAGE, AccountsSite, accounts_site
from tests.unit.web.web_support import NOW
from treegarth.access.actors import Permission
from treegarth.settings import SignIn

API = "/treegarth/api/v1/access/me"


@pytest.fixture
def site(engine: Engine) -> AccountsSite:
    return accounts_site(engine)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_the_page_says_what_one_may_and_which_browsers_are_signed_in(site: AccountsSite) -> None:
    number = site.add("anna", "nurse")
    here, other = site.browser(number, address="192.0.2.5"), site.browser(number, address="192.0.2.6")
    page = here.page("account")
    assert "see patients, studies and images" in page
    assert "see radiation dose" not in page
    assert page.count("this one") == 1
    assert f"account/sessions/{other.session_id}/end" in page
    assert f"account/sessions/{here.session_id}/end" not in page
    here.send("account/sessions/end")
    assert other.client.get("/treegarth/studies").status_code == 303
    assert "192.0.2.6" not in here.page("account")


def test_a_session_of_somebody_else_is_not_ended(site: AccountsSite) -> None:
    anna, berta = (site.browser(site.add(name, "nurse")) for name in ("anna", "berta"))
    anna.send(f"account/sessions/{berta.session_id}/end", 404)
    assert anna.client.delete(f"{API}/sessions/{berta.session_id}", headers=OWN_PAGE).status_code == 404
    berta.page("studies")


def test_a_token_is_shown_once_does_what_was_ticked_and_is_revoked(site: AccountsSite) -> None:
    anna = site.browser(site.add("anna", "physicist"))
    form = {"name": "statistics", "kind": "chosen", "permissions": ["see dose"], "last_day": "2026-12-24"}
    page = anna.send("account/tokens", 200, **form)
    secret = next(iter(re.findall(r'data-copy="(tg_[\w-]+)"', page)))
    assert "curl -H" in page
    assert secret not in anna.page("account")
    program = site.app.test_client()
    assert program.get(API, headers=bearer(secret)).get_json()["permissions"] == ["see dose"]
    assert program.get("/treegarth/api/v1/dose/limits", headers=bearer(secret)).status_code == 200
    assert program.get("/treegarth/api/v1/studies", headers=bearer(secret)).status_code == 403
    (token,) = anna.client.get(f"{API}/tokens").get_json()["items"]
    assert token["ends_at"] == "2026-12-24T15:00:00Z"  # the day is over in Seoul
    anna.send(f"account/tokens/{token['id']}/revoke")
    assert program.get(API, headers=bearer(secret)).get_json()["name"] is None


def test_upload_only_is_a_ready_choice_of_who_may_upload(site: AccountsSite) -> None:
    anna, berta = site.browser(site.add("anna", "radiographer")), site.browser(site.add("berta", "nurse"))
    assert "Upload only" in anna.page("account")
    assert "Upload only" not in berta.page("account")
    form = {"name": "gateway", "kind": "upload", "last_day": "2027-11-20"}
    assert "/instances" in anna.send("account/tokens", 200, **form)
    assert anna.client.get(f"{API}/tokens").get_json()["items"][0]["permissions"] == ["upload"]
    assert "You may not do this yourself" in berta.send("account/tokens", 400, **form)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "", "permissions": ["see dose"]}, "Say in at most 100 letters"),
        ({"permissions": []}, "Choose what the program may do"),
        ({"permissions": ["administer"]}, "You may not do this yourself"),
        ({"last_day": "2027-11-22"}, "within a year"),
        ({"last_day": "2026-11-01"}, "not in the past"),
        ({"last_day": "soon"}, "Write a day such as"),
    ],
)
def test_what_is_wrong_with_a_token_is_said_at_its_field(
    site: AccountsSite, form: dict[str, str | list[str]], said: str
) -> None:
    anna = site.browser(site.add("anna", "physicist"))
    usual: dict[str, str | list[str]] = {"name": "x", "permissions": ["see dose"], "last_day": "2026-12-24"}
    assert said in anna.send("account/tokens", 400, **{**usual, **form})
    assert anna.client.get(f"{API}/tokens").get_json() == {"items": []}


def test_a_token_makes_no_tokens_and_grants_nothing_that_was_taken_away(site: AccountsSite) -> None:
    number = site.add("anna", "physicist")
    program, headers = site.app.test_client(), site.token(number, [Permission.SEE_DOSE, Permission.SEE_STUDIES])
    ends_at = (NOW + timedelta(days=1)).isoformat()
    body = {"name": "another", "permissions": ["see dose"], "ends_at": ends_at}
    assert program.post(f"{API}/tokens", json=body, headers=headers).status_code == 403
    made = site.browser(number).client.post(f"{API}/tokens", json=body, headers=OWN_PAGE)
    assert made.status_code == 201
    root = site.browser(site.add("root", "administrator"))
    root.send(f"access/users/{number}/roles", roles=["nurse"])
    assert program.get(API, headers=headers).get_json()["permissions"] == ["see studies"]
    assert program.get(API, headers=bearer(made.get_json()["secret"])).get_json()["permissions"] == []


def test_who_is_nobody_is_told_so(site: AccountsSite) -> None:
    asked = site.app.test_client()
    told = asked.get(API).get_json()
    assert (told["name"], told["permissions"], told["sign_in"]) == (None, [], "treegarth")
    assert asked.get(f"{API}/tokens").status_code == 403


def test_orthancs_users_see_what_they_may_and_have_no_tokens(engine: Engine) -> None:
    site = accounts_site(engine, SignIn.ORTHANC)
    site.add("root", "administrator")
    site.add("alice", "nurse")
    client = site.app.test_client()
    page = client.get("/treegarth/account", auth=("alice", "x"), headers=OWN_PAGE).text
    assert "see patients, studies and images" in page
    assert "New token" not in page
    body = {"name": "x", "permissions": ["see studies"], "ends_at": (NOW + timedelta(days=1)).isoformat()}
    assert client.post(f"{API}/tokens", json=body, auth=("alice", "x"), headers=OWN_PAGE).status_code == 409
    assert "gives you a role" in client.get("/treegarth/account", auth=("bob", "x"), headers=OWN_PAGE).text


def test_the_line_that_shows_a_new_token_at_work_begins_where_people_reach_the_server(engine: Engine) -> None:
    site = accounts_site(engine, public_url="https://www.example.org/pacs")
    anna = site.browser(site.add("anna", "radiographer"))
    for kind, address in (("upload", "/instances"), ("chosen", API)):
        form = {"name": kind, "kind": kind, "permissions": ["see studies"], "last_day": "2026-12-24"}
        page = anna.send("account/tokens", 200, **form)
        assert f"https://www.example.org/pacs{address}" in page
        assert "/pacs/pacs" not in page


def test_a_token_ends_no_sessions_and_no_tokens_of_its_user(site: AccountsSite) -> None:
    """A gateway's token that leaked must not keep an administrator out."""
    number = site.add("root", "administrator")
    root, program = site.browser(number), site.app.test_client()
    headers = site.token(number, [Permission.UPLOAD])
    (token,) = root.client.get(f"{API}/tokens").get_json()["items"]
    for path in ("sessions", f"sessions/{root.session_id}", f"tokens/{token['id']}"):
        assert program.delete(f"{API}/{path}", headers=headers).status_code == 403
    for path in ("sessions/end", f"sessions/{root.session_id}/end", f"tokens/{token['id']}/revoke"):
        assert program.post(f"/treegarth/account/{path}", headers=headers).status_code == 403
    assert root.page("account").count("this one") == 1


def test_who_may_not_export_gets_no_file_by_a_long_work_either(site: AccountsSite) -> None:
    nurse, number = site.browser(site.add("anna", "nurse")), site.add("kim", "physicist")
    for path in ("studies/export/csv", "dose/report", "dose/analysis/workbook"):
        body = {"year": 2025} if path == "dose/report" else {}
        assert nurse.client.post(f"/treegarth/api/v1/{path}", json=body, headers=OWN_PAGE).status_code == 403
    made = site.browser(number).client.post("/treegarth/api/v1/studies/export/csv", json={}, headers=OWN_PAGE)
    assert made.status_code == 202
    upload_only = site.token(number, [Permission.UPLOAD])
    for place in ("/treegarth/api/v1/work", "/treegarth/work"):
        file = f"{place}/{made.get_json()['id']}/file"
        assert site.app.test_client().get(file, headers=upload_only).status_code == 403
