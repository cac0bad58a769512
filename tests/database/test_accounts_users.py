"""Users by page and by API: made, given roles, switched off, given passwords; their sessions and tokens taken away."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine

from tests.accounts_support import OWN_PAGE, AccountsSite, Browser, accounts_site
from treegarth.access.passwords import Argon2id
from treegarth.access.store import find_user, password_of
from treegarth.settings import SignIn

API = "/treegarth/api/v1/access/users"


@pytest.fixture
def site(engine: Engine) -> AccountsSite:
    return accounts_site(engine)


@pytest.fixture
def root(site: AccountsSite) -> Browser:
    return site.browser(site.add("root", "administrator"))


def number_of(site: AccountsSite, name: str) -> int:
    with site.engine.connect() as connection:
        found = find_user(connection, name)
    assert found is not None
    return found.id


def test_a_user_is_made_by_the_page_with_a_password_that_is_shown_once(site: AccountsSite, root: Browser) -> None:
    assert "physicist" in root.page("access/users/new")
    page = root.send("access/users/new", 200, name=" Anna ", full_name="Anna Kim", roles=["physicist", "nurse"])
    (password,) = re.findall(r'data-copy="([a-z0-9]{4}(?:-[a-z0-9]{4}){3})"', page)
    number = number_of(site, "anna")
    with site.engine.connect() as connection:
        kept = password_of(connection, "Anna")
    assert kept is not None
    assert kept.must_change
    assert Argon2id().fits(password, kept.password_hash)
    assert password not in root.page(f"access/users/{number}")
    listed = root.page("access/users?role=nurse&name=KIM")
    assert ">Anna</a>" in listed
    assert "nurse, physicist" in listed
    assert ">root</a>" not in listed.split("<main")[1]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": ""}, "is missing"),
        ({"name": "a:b"}, "no colon"),
        ({"name": "ROOT"}, "Another user has the name"),
        ({"name": "eva", "roles": ["king"]}, "There is no role"),
        ({"name": "eva", "password": "short"}, "at least 10 characters"),
    ],
)
def test_what_is_wrong_with_a_new_user_is_said_at_its_field(
    site: AccountsSite, root: Browser, form: dict[str, str], said: str
) -> None:
    page = root.send("access/users/new", 400, **form)
    assert said in page
    assert form.get("password", "never typed") not in page
    with site.engine.connect() as connection:
        assert find_user(connection, "eva") is None


def test_roles_and_state_hold_at_once(site: AccountsSite, root: Browser) -> None:
    number = site.add("anna", "physicist")
    anna = site.browser(number)
    anna.page("dose")
    root.send(f"access/users/{number}/roles", roles=["nurse"])
    anna.page("dose", 403)
    anna.page("studies")
    root.send(f"access/users/{number}/switch", on="false")
    assert anna.client.get("/treegarth/studies").status_code == 303
    root.send(f"access/users/{number}/switch", on="true")
    assert anna.client.get("/treegarth/studies").status_code == 303  # that session has ended
    site.browser(number).page("studies")


def test_somebody_always_remains_an_administrator(site: AccountsSite, root: Browser) -> None:
    number = number_of(site, "root")
    for path, form in ((f"access/users/{number}/roles", {}), (f"access/users/{number}/switch", {"on": "false"})):
        root.send(path, **form)
        assert "Somebody must remain an administrator" in root.page(f"access/users/{number}")
    other = site.add("other", "administrator")
    root.send(f"access/users/{number}/roles", roles=["nurse"])
    root.page("access/users", 403)
    site.browser(other).page("access/users")


def test_a_password_of_the_administrator_ends_sessions_and_is_changed(site: AccountsSite, root: Browser) -> None:
    number = site.add("anna", "physicist", password="what anna knew")
    anna = site.browser(number)
    assert "The password must not contain" in root.send(f"access/users/{number}/password", 400, password="annaannaanna")
    root.send(f"access/users/{number}/password", password="quite another one")
    assert anna.client.get("/treegarth/studies").status_code == 303
    site.browser(number).page("studies", 403)  # until it is changed


def test_sessions_and_tokens_are_seen_and_ended(site: AccountsSite, root: Browser) -> None:
    number = site.add("anna", "physicist")
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    first, second = (site.browser(number, address=f"192.0.2.{one}", browser=firefox) for one in (5, 6))
    program = site.token(number)
    page = root.page(f"access/users/{number}")
    assert "Firefox 128 · Linux" in page
    assert "192.0.2.5" in page
    assert "192.0.2.6" in page
    root.send(f"access/users/{number}/sessions/{first.session_id}/end")
    assert first.client.get("/treegarth/studies").status_code == 303
    second.page("studies")
    root.send(f"access/users/{number}/sessions/end")
    assert second.client.get("/treegarth/studies").status_code == 303
    asked = site.app.test_client()
    assert asked.get("/treegarth/api/v1/studies", headers=program).status_code == 200
    tokens = root.client.get(f"{API}/{number}/tokens").get_json()["items"]
    root.send(f"access/users/{number}/tokens/{tokens[0]['id']}/revoke")
    assert asked.get("/treegarth/api/v1/studies", headers=program).status_code == 403
    other = site.add("berta")
    root.send(f"access/users/{other}/tokens/{tokens[0]['id']}/revoke", 404)
    root.send(f"access/users/{other}/sessions/{first.session_id}/end", 404)


def test_the_same_by_the_api(site: AccountsSite, root: Browser) -> None:
    ask = root.client
    made = ask.post(API, json={"name": "anna", "roles": ["nurse"]}, headers=OWN_PAGE)
    assert made.status_code == 201
    assert re.fullmatch("[a-z0-9-]{19}", made.get_json()["password"])
    one = f"{API}/{made.get_json()['user']['id']}"
    assert ask.put(f"{one}/roles", json={"roles": ["king"]}, headers=OWN_PAGE).status_code == 409
    assert ask.put(f"{one}/roles", json={"roles": ["external"]}, headers=OWN_PAGE).get_json()["roles"] == ["external"]
    assert ask.put(f"{one}/name", json={"full_name": "Anna"}, headers=OWN_PAGE).get_json()["full_name"] == "Anna"
    assert ask.put(f"{one}/state", json={"is_on": False}, headers=OWN_PAGE).get_json()["is_on"] is False
    given = ask.put(f"{one}/password", json={"password": "correct horse battery"}, headers=OWN_PAGE).get_json()
    assert given["password"] is None
    assert given["user"]["must_change_password"]
    assert ask.get(f"{one}/sessions").get_json() == {"items": []}
    assert ask.delete(f"{one}/sessions", headers=OWN_PAGE).get_json() == {"ended": 0}
    assert [found["name"] for found in ask.get(API, query_string={"is_on": "false"}).get_json()["items"]] == ["anna"]
    assert ask.get(f"{API}/999999").status_code == 404


def test_who_does_not_administer_sees_none_of_it(site: AccountsSite, root: Browser) -> None:
    number = site.add("anna", "physicist")
    anna = site.browser(number)
    for path in ("access/users", "access/users/new", f"access/users/{number}", "access/roles"):
        anna.page(path, 403)
    assert anna.client.get(API).status_code == 403
    assert "/treegarth/access/" not in anna.page("studies")


def test_where_orthanc_lets_its_users_in_a_user_is_a_name_with_roles(engine: Engine) -> None:
    site = accounts_site(engine, SignIn.ORTHANC)
    client = site.app.test_client()
    told = client.get("/treegarth/access/users", headers=OWN_PAGE, auth=("alice", "x")).text
    assert "until there is a first administrator" in told
    assert "treegarth users add NAME" in told
    asked = {"data": {"name": "alice", "roles": ["administrator"]}, "headers": OWN_PAGE, "auth": ("alice", "x")}
    page = client.post("/treegarth/access/users/new", **asked)
    assert page.status_code == 200
    assert "data-copy" not in page.text.split("<main")[1]
    assert "Sessions" not in page.text
    site.known.refresh()
    assert client.get("/treegarth/access/users", headers=OWN_PAGE, auth=("bob", "x")).status_code == 403
    assert client.get("/treegarth/access/users", headers=OWN_PAGE, auth=("ALICE", "x")).status_code == 200
    with engine.connect() as connection:
        assert password_of(connection, "alice") is None
