"""Roles: their form, who has them, and that somebody always administers, whoever takes it from whom at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from tests.accounts_support import NOW, OWN_PAGE, AccountsSite, Browser, accounts_site
from treegarth.access.store import count_administrators, set_roles, switch_user
from treegarth.errors import RequestConflict

API = "/treegarth/api/v1/access/roles"


@pytest.fixture
def site(engine: Engine) -> AccountsSite:
    return accounts_site(engine)


@pytest.fixture
def root(site: AccountsSite) -> Browser:
    return site.browser(site.add("root", "administrator"))


def numbers(root: Browser) -> dict[str, int]:
    return {one["name"]: one["id"] for one in root.client.get(API).get_json()["items"]}


def test_a_role_is_made_by_its_form_and_allows_what_is_ticked(site: AccountsSite, root: Browser) -> None:
    assert root.page("access/roles/new").count('name="permissions"') == 15
    root.send("access/roles/new", name="student", permissions=["see dose", "see studies"], act="save")
    number = numbers(root)["student"]
    anna = site.add("anna", "student")
    browser = site.browser(anna)
    browser.page("dose")
    page = root.page(f"access/roles/{number}")
    assert "see radiation dose and its statistics" in page
    assert f"/treegarth/access/users/{anna}" in page
    form = {"name": "student", "permissions": ["see studies"], "act": "save", "version": "1"}
    root.send(f"access/roles/{number}/edit", **form)
    browser.page("dose", 403)
    late = {**form, "permissions": ["see dose"]}
    assert "Somebody else changed this meanwhile" in root.send(f"access/roles/{number}/edit", 200, **late)
    assert "is missing" in root.send("access/roles/new", 200, permissions=["see dose"], act="save")
    root.send(f"access/roles/{number}/remove")
    site.known.refresh()
    browser.page("studies", 403)
    assert "student" in root.page(f"access/users/{anna}")


def test_the_administrators_role_cannot_be_lost(site: AccountsSite, root: Browser) -> None:
    number = numbers(root)["administrator"]
    wordings = (
        {"name": "administrator", "permissions": ["see studies"]},
        {"name": "king", "permissions": ["administer"]},
        {"name": "administrator", "permissions": []},
    )
    for document in wordings:
        answer = root.client.put(f"{API}/{number}", json={"document": document, "version": 1}, headers=OWN_PAGE)
        assert answer.status_code == 409
    assert root.client.put(f"{API}/{number}/state", json={"is_on": False}, headers=OWN_PAGE).status_code == 409
    assert root.client.delete(f"{API}/{number}", headers=OWN_PAGE).status_code == 409
    text = {"text": "- {name: administrator, permissions: [see dose]}"}
    assert root.client.put(f"{API}/text", json=text, headers=OWN_PAGE).status_code == 409
    page = root.send(f"access/roles/{number}/edit", 200, name="administrator", permissions=["erase"], act="save")
    assert "keeps administering" in page
    root.page("access/users")


@pytest.mark.parametrize("how", ["roles", "state"])
def test_two_who_take_it_from_each_other_at_once_leave_one(site: AccountsSite, how: str) -> None:
    one, other = site.add("one", "administrator"), site.add("other", "administrator")

    def take(number: int) -> bool:
        try:
            with site.engine.begin() as connection:
                if how == "roles":
                    set_roles(connection, number, ["nurse"])
                else:
                    switch_user(connection, number, NOW, is_on=False, by=None)
        except RequestConflict:
            return False
        return True

    done: list[bool] = at_once(take, [one, other])
    assert sorted(done) == [False, True]
    with site.engine.connect() as connection:
        assert count_administrators(connection) == 1


def at_once(act: Callable[[int], bool], numbers: list[int]) -> list[bool]:
    with ThreadPoolExecutor(len(numbers)) as pool:
        return list(pool.map(act, numbers))
