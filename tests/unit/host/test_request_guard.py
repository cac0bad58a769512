"""What pages of other sites make a browser ask Orthanc for is refused; people's links and programs pass."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treegarth.host.request_guard import RequestGuard
from treegarth.reach import Reach
from treegarth.settings import Mode, Settings
from treegarth.web.access import known_hosts

GET, POST, DELETE = 1, 2, 4
PUBLIC = Reach(public_url="https://pacs.example.org/pacs", allowed_origins=frozenset({"https://viewer.example.org"}))
CROSS = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
FRAME = {**LINK, "sec-fetch-dest": "iframe"}
EVIL = "https://evil.example.net"


def allows(method: int, *, reach: Reach = PUBLIC, mode: Mode = Mode.PROD, **headers: str) -> bool:
    guard = RequestGuard(reach, safe_methods=frozenset({GET}), hosts=known_hosts(Settings(mode=mode), reach))
    given_headers = {"host": "pacs.example.org", **{name.replace("_", "-"): text for name, text in headers.items()}}
    given_headers = {name: text for name, text in given_headers.items() if text}
    allowed = guard("/studies", method=method, ip="127.0.0.1", headers=given_headers, get={})
    assert guard.refused == (not allowed)
    return allowed


@pytest.mark.parametrize("method", [GET, POST, DELETE])
def test_programs_and_our_own_pages_pass(method: int) -> None:
    assert allows(method)
    assert allows(method, sec_fetch_site="same-origin", origin="https://pacs.example.org")
    assert allows(method, sec_fetch_site="none")
    assert allows(method, origin="https://pacs.example.org")  # behind the proxy: it speaks HTTPS for us
    assert allows(method, referer="https://pacs.example.org/pacs/app/explorer.html")
    assert allows(method, host="127.0.0.1:8042", origin="http://127.0.0.1:8042")


@pytest.mark.parametrize("method", [POST, DELETE])
@pytest.mark.parametrize(
    "headers",
    [
        {**CROSS, "origin": EVIL},
        {**LINK, "origin": EVIL},  # a form
        {"sec-fetch-site": "same-site", "origin": "https://other.example.org"},
        {"origin": EVIL},  # plain HTTP: no Sec-Fetch-Site
        {"origin": "null"},
        {"referer": f"{EVIL}/page"},
        {"origin": "https://pacs.example.org.evil.example.net"},
        {"origin": "https://pacs.example.org:8443"},
    ],
)
def test_a_page_of_another_site_changes_nothing(method: int, headers: dict[str, str]) -> None:
    assert not allows(method, **headers)


@pytest.mark.parametrize(
    "headers",
    [
        CROSS,
        FRAME,
        {"origin": EVIL},
        {"referer": f"{EVIL}/", "accept": "image/avif,image/webp,*/*"},
        {"origin": "null"},
    ],
)
def test_a_picture_or_a_script_of_another_site_gets_nothing(headers: dict[str, str]) -> None:
    assert not allows(GET, **headers)


@pytest.mark.parametrize(
    "headers", [LINK, {"referer": "https://ris.example.org/list", "accept": "text/html,*/*;q=0.8"}]
)
def test_a_link_from_elsewhere_passes(headers: dict[str, str]) -> None:
    assert allows(GET, **headers)


@pytest.mark.parametrize("method", [GET, POST])
def test_a_site_that_the_settings_allow_passes(method: int) -> None:
    assert allows(method, **{**CROSS, "origin": "https://viewer.example.org"})
    assert not allows(method, **{**CROSS, "origin": "https://viewer.example.org:444"})


@pytest.mark.parametrize(
    ("host", "without_login", "with_login"),
    [
        ("localhost:8042", True, True),
        ("127.0.0.1", True, True),
        ("pacs.example.org", True, True),
        ("", True, True),  # no browser
        ("evil.example.net", False, True),
        ("localhost.evil.example.net", False, True),
    ],
)
def test_without_a_login_only_our_own_names_are_answered(host: str, without_login: bool, with_login: bool) -> None:
    assert allows(GET, mode=Mode.DEV, host=host) is without_login
    assert allows(GET, mode=Mode.PROD, host=host) is with_login


def test_what_is_refused_is_said_once_a_minute_without_an_address(caplog: pytest.LogCaptureFixture) -> None:
    guard = RequestGuard(PUBLIC, safe_methods=frozenset({GET}), hosts=None)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            guard("/patients/4711", method=POST, ip="127.0.0.1", headers={"host": "a", "origin": EVIL}, get={})
    assert guard.refused == 5
    (line,) = caplog.messages
    assert EVIL in line
    assert "4711" not in line


@given(st.dictionaries(st.sampled_from([*CROSS, "origin", "referer", "host", "accept"]), st.text(max_size=40)))
def test_no_header_makes_it_fail(headers: dict[str, str]) -> None:
    guard = RequestGuard(PUBLIC, safe_methods=frozenset({GET}), hosts=frozenset())
    assert guard("/", method=GET, ip="", headers=headers, get={}) in (True, False)
