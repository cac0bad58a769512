"""Whom Treegarth's own addresses answer: names, and pages of other sites."""

from __future__ import annotations

import pytest
from flask import Request
from hypothesis import given
from hypothesis import strategies as st

from tests.foreign_requests import ALLOWED_ORIGINS, CROSS, FOREIGN, NAMES, ORTHANC_URL, PUBLIC_URL, Name, Told
from treegarth.errors import RequestForbidden
from treegarth.reach import Reach
from treegarth.settings import Settings, SignIn
from treegarth.web.access import check_host, check_same_origin

PUBLIC = Reach(public_url=PUBLIC_URL, allowed_origins=frozenset(ALLOWED_ORIGINS))
WITHOUT_LOGIN = Settings(sign_in=SignIn.NONE, orthanc_url=ORTHANC_URL)


def request(method: str, headers: dict[str, str]) -> Request:
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return Request({"REQUEST_METHOD": method, "wsgi.url_scheme": "http", "PATH_INFO": "/treegarth/", **named})


@pytest.mark.parametrize("told", FOREIGN, ids=[one.about for one in FOREIGN])
def test_what_another_sites_page_asks_for_is_refused(told: Told) -> None:
    for method in told.methods:
        if told.allowed:
            check_same_origin(request(method, told.all_headers), PUBLIC)
        else:
            with pytest.raises(RequestForbidden, match="another site"):
                check_same_origin(request(method, told.all_headers), PUBLIC)


@pytest.mark.parametrize("name", NAMES, ids=[one.host for one in NAMES])
def test_without_a_login_only_our_own_names_are_answered(name: Name) -> None:
    asked = request("GET", {"Host": name.host})
    check_host(asked, Settings(sign_in=SignIn.ORTHANC), PUBLIC)
    if name.known:
        check_host(asked, WITHOUT_LOGIN, PUBLIC)
    else:
        with pytest.raises(RequestForbidden):
            check_host(asked, WITHOUT_LOGIN, PUBLIC)


@given(st.dictionaries(st.sampled_from([*CROSS, "Origin", "Referer", "Host", "Accept"]), st.text(max_size=40)))
def test_no_header_makes_it_fail(headers: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        try:
            check_same_origin(request(method, headers), PUBLIC)
        except RequestForbidden:
            continue
