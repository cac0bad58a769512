"""A long work and its file are for who asked for it, and for who may operate."""

from __future__ import annotations

from sqlalchemy import Engine

from tests.accounts_support import OWN_PAGE, accounts_site

API = "/treegarth/api/v1"


def test_a_work_is_for_who_asked_for_it_and_for_who_may_operate(engine: Engine) -> None:
    site = accounts_site(engine)
    anna, berta = (site.browser(site.add(name, "physicist")) for name in ("anna", "berta"))
    root = site.browser(site.add("root", "administrator"))
    made = anna.client.post(f"{API}/studies/export/csv", json={}, headers=OWN_PAGE)
    assert made.status_code < 300, made.text
    number = made.get_json()["id"]
    for browser, status in ((anna, 200), (root, 200), (berta, 404)):
        browser.page(f"work/{number}", status)
        assert browser.client.get(f"{API}/work/{number}").status_code == status
        listed = [one["id"] for one in browser.client.get(f"{API}/work").get_json()["items"]]
        assert (number in listed) is (status == 200)
    berta_file = berta.client.get(f"{API}/work/{number}/file")
    assert berta_file.status_code == 404
    assert berta_file.get_json()["detail"] == berta.client.get(f"{API}/work/999999").get_json()["detail"]
