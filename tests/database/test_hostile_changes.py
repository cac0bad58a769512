"""Hostile requests that change something, of the whole route table on a real database, and hostile documents of rules
and policies: never status 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.hostile_documents import HostileDocuments
from tests.hostile_requests import FORM, JSON, Request, requests_of
from tests.hostile_site import KNOWN, Site, assert_never_500, ordered
from tests.orthanc.conftest import rounds
from treegarth.web.paths import API_PATH

PAGES = "/treegarth"
SEED = 20261128


pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("no_error_is_logged")]


@pytest.mark.parametrize("is_api", [False, True], ids=["pages", "endpoints"])
def test_no_value_of_a_body_or_a_form_ends_in_500(site: Site, is_api: bool) -> None:
    routes = ordered(site, is_api=is_api, reads=False)
    assert_never_500(site, requests_of(routes, KNOWN), at_least=1000)


def documents(count: int) -> Iterator[Request]:
    """Rules and policies, as JSON to every endpoint and as text to every endpoint and page that takes them."""
    for seed in range(SEED, SEED + count):
        hostile = HostileDocuments(seed)
        rule, policy = hostile.rule(), hostile.policy()
        rule_text, policy_text = hostile.text(rule), hostile.text(policy)
        for path, body in (
            ("rules", {"document": rule}),
            ("rules/preview", {"document": rule}),
            ("rules/text", {"text": rule_text, "dry_run": True}),
            ("retention/policies", {"document": policy}),
            ("retention/preview", {"document": policy}),
            ("retention/policies/text", {"text": policy_text}),
        ):
            yield sent(f"{API_PATH}/{path}", json.dumps(body), JSON, seed)
        for path, form in (
            ("rules/new", {"tab": "text", "text": rule_text, "act": "save"}),
            ("rules/new", {"tab": "text", "text": rule_text, "act": "show-form"}),
            ("rules/import", {"text": rule_text, "act": "look"}),
            ("retention/policies/new", {"text": policy_text, "act": "look"}),
        ):
            yield sent(f"{PAGES}/{path}", urlencode(form), FORM, seed)


def sent(path: str, body: str, media_type: str, seed: int) -> Request:
    method = "PUT" if path.endswith("/text") else "POST"
    return Request(method=method, path=path, body=body.encode(), media_type=media_type, about=f"seed {seed}")


def test_no_document_of_a_rule_or_a_policy_ends_in_500(site: Site) -> None:
    assert_never_500(site, documents(rounds(40, 500)))


def test_what_was_taken_of_hostile_documents_is_shown_on_every_page(site: Site) -> None:
    """Most are refused; the others must open."""
    for request in documents(rounds(40, 400)):
        if request.path in (f"{API_PATH}/rules", f"{API_PATH}/retention/policies"):
            site.ask(request)
    study = KNOWN.values["study_instance_uid"]
    shown = 0
    for kind, pages in (
        ("rules", ("", "/edit", "/try", f"/explain/{study}")),
        ("retention/policies", ("", "/edit", "/preview", "/frees", f"/explain?study_instance_uid={study}")),
    ):
        for item in json.loads(site.get(f"{API_PATH}/{kind}").body)["items"]:
            for page in pages:
                path, _, query = f"{PAGES}/{kind}/{item['id']}{page}".partition("?")
                assert site.get(path, query).status == 200, (path, item)
                shown += 1
    assert shown > 30
