"""Requests to the real server: no depth ends it, what they brought is given back, nothing stays for the next one."""

from __future__ import annotations

from time import sleep

import pytest
import requests

from tests.servers import OrthancServer, resident_bytes


@pytest.fixture
def server(shared_server: OrthancServer) -> OrthancServer:
    """One for all of these tests: they store nothing."""
    return shared_server


@pytest.mark.parametrize("depth", [600])
def test_a_deep_body_is_refused_and_the_server_lives(server: OrthancServer, depth: int) -> None:
    for path in ("rules/validate", "retention/policies", "dose/rereadings"):
        answer = requests.post(
            f"{server.api}/{path}", data="[" * depth, headers={"Content-Type": "application/json"}, timeout=120
        )
        assert answer.status_code in (400, 404, 405, 415), (path, answer.text)
    assert server.get("health")["healthy"]


def test_what_a_request_brought_is_given_back(server: OrthancServer) -> None:
    """Plugin 4.0 forgets the body of every POST: 60 of 5 MB would stay as 300 MB."""
    sleep(5)  # what this Orthanc forgets is learnt in the first seconds
    with requests.Session() as session:
        grown = []
        for number in range(80):
            session.post(f"{server.api}/rules", data=b"x" * 5_000_000, timeout=120)
            if number >= 20:  # what the allocator keeps is there by then
                grown.append(resident_bytes(server.pid))
    assert (max(grown) - grown[0]) / 1e6 < 60


def test_a_request_leaves_nothing_to_the_next(server: OrthancServer) -> None:
    """The language of one reader, one after the other on the same threads."""
    with requests.Session() as session:
        for _ in range(10):
            for language in ("ko", "en"):
                page = session.get(f"{server.base_url}/", headers={"Accept-Language": language}, timeout=120)
                assert f'lang="{language}"' in page.text
                assert page.headers.get("Set-Cookie") is None
