"""The API behind a real Orthanc, whose plugin interface has its own ideas of methods, statuses and paths."""

from __future__ import annotations

from time import monotonic, sleep

import pytest
import requests

from tests.api_document import check_document
from tests.orthanc.conftest import ServerFactory
from tests.servers import OrthancServer


@pytest.fixture
def server(shared_server: OrthancServer) -> OrthancServer:
    """One for all of these tests: they store nothing."""
    return shared_server


def test_statuses_headers_and_bodies_come_through_orthanc(server: OrthancServer) -> None:
    problem = requests.get(f"{server.api}/studies", params={"x": 1}, timeout=120)
    assert problem.status_code == 400
    assert problem.headers["Content-Type"].startswith("application/problem+json")  # Orthanc 1.12 adds text/plain
    assert problem.json()["errors"][0]["field"] == "x"
    assert requests.get(f"{server.api}/nothing", timeout=120).json()["status"] == 404

    for method in ("DELETE", "PUT", "POST"):
        refused = requests.request(method, f"{server.api}/status", timeout=120)
        assert refused.status_code == 405, method
        assert "GET" in refused.headers["Allow"]

    check_document(server.get("openapi.json"))

    accepted = requests.post(f"{server.api}/reconcile", timeout=120)
    assert (accepted.status_code, accepted.json()["kind"]) == (202, "archive.comparison")
    elsewhere = requests.post(f"{server.api}/reconcile", headers={"Origin": "http://evil.example"}, timeout=120)
    assert elsewhere.status_code == 403
    rebound = requests.get(f"{server.api}/status", headers={"Host": "evil.example"}, timeout=120)
    assert rebound.status_code == 403


def test_a_page_of_an_error_is_readable_on_every_orthanc(server: OrthancServer) -> None:
    """Orthanc 1.12 declares the body of every error as plain text: then it is one, and not the source of a page."""
    page = requests.get(f"{server.base_url}/studies/1.2.3", headers={"Accept-Language": "ko"}, timeout=120)
    assert page.status_code == 404
    page.encoding = "utf-8"
    is_html = page.text.lstrip().startswith("<!doctype html>")
    assert is_html == ("text/plain" not in page.headers["Content-Type"])
    assert "참조" in page.text


def test_a_filter_in_korean_arrives_as_it_was_sent(server: OrthancServer) -> None:
    answer = requests.get(f"{server.api}/studies", params={"patient_name": "홍*", "q": "a&b=c%"}, timeout=120)
    assert answer.json() == {"items": [], "next": None, "previous": None}
    lost = requests.get(f"{server.api}/studies/홍 길동", timeout=120)
    assert (lost.status_code, lost.json()["status"]) == (404, 404)


def test_files_are_kept_by_their_tag(server: OrthancServer) -> None:
    address = f"{server.api.removesuffix('/api/v1')}/static/treegarth.css"
    first = requests.get(address, timeout=120)
    assert first.headers["Content-Type"].startswith("text/css")
    again = requests.get(address, headers={"If-None-Match": first.headers["ETag"]}, timeout=120)
    assert (again.status_code, again.content) == (304, b"")


def test_in_prod_the_user_whom_orthanc_let_in_acts(new_server: ServerFactory) -> None:
    login = {"AuthenticationEnabled": True, "RegisteredUsers": {"alice": "wonder"}}
    server = new_server(treegarth={"SignIn": "orthanc"}, settings=login).start(wait=False)
    alice = ("alice", "wonder")
    wait_until_healthy(server, alice)

    assert requests.get(f"{server.api}/status", timeout=120).status_code == 401
    assert requests.get(f"{server.api}/status", auth=("alice", "wrong"), timeout=120).status_code == 401
    assert requests.get(f"{server.api}/status", auth=alice, timeout=120).json()["orthanc_instances"] == 0
    renamed = requests.get(f"{server.api}/status", auth=alice, headers={"Host": "pacs.example"}, timeout=120)
    assert renamed.status_code == 200
    asked = requests.post(f"{server.api}/reconcile", auth=alice, timeout=120)
    assert (asked.status_code, asked.json()["asked_by"]) == (202, "alice")


def wait_until_healthy(server: OrthancServer, login: tuple[str, str], timeout_s: float = 180) -> None:
    deadline, last = monotonic() + timeout_s, ""
    while monotonic() < deadline:
        try:
            answer = requests.get(f"{server.api}/health", auth=login, timeout=5)
            if answer.status_code == 200:
                return
            last = answer.text
        except requests.RequestException as error:
            last = repr(error)
        sleep(0.1)
    raise AssertionError(f"Not healthy after {timeout_s} s: {last}")
