"""Whom an object counts as uploaded by, and that nobody gets another's: what is bound to a thread may be old."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from treegarth.access.actors import EVERY_PERMISSION, NOBODY, OF_EVERYBODY, Actor, Permission
from treegarth.access.gate import Gate
from treegarth.host import uploads
from treegarth.host.request_filter import RequestFilter
from treegarth.host.uploads import BY_PLUGIN, BY_REST, Uploads

GET, POST = 1, 2
BY_DICOM = 2
HERE, THERE = "127.0.0.1", "10.0.0.7"
ADA = Actor(name="Ada", permissions=EVERY_PERMISSION, user_id=1, session_id=11)
NORA = Actor(name="Nora", permissions=OF_EVERYBODY | {Permission.UPLOAD}, user_id=2, token_id=22)
ERIC = Actor(name="Eric", permissions=OF_EVERYBODY, user_id=3)


class ByHeader:
    """Who asks is who the header says."""

    def actor(self, headers: Mapping[str, str]) -> Actor:
        return next((one for one in (ADA, NORA, ERIC) if one.name == headers.get("who")), NOBODY)


class Asking:
    """A thread of Orthanc: what its filter is asked, and who then uploads."""

    def __init__(self) -> None:
        self.filter = RequestFilter(ByHeader(), Gate("/dicom-web", "/wado", ("/treegarth",)), lambda _path: True)
        self._uploads = Uploads(self.filter)

    def asks(self, who: str, path: str, method: int = POST, length: int | None = None, ip: str = HERE) -> bool:
        headers = {"who": who} | ({} if length is None else {"content-length": str(length)})
        return self.filter(path, method, ip, headers)

    def stores(self, origin: int = BY_REST, size: int = 500, ip: str | None = HERE) -> str | None:
        found = self._uploads.uploader(origin, ip, size)
        return None if found is None else found.name


@pytest.fixture
def thread() -> Asking:
    return Asking()


def test_an_object_that_is_posted_has_the_user_their_session_and_their_address(thread: Asking) -> None:
    thread.asks("Ada", "/instances", length=500, ip=THERE)
    found = Uploads(thread.filter).uploader(BY_REST, THERE, 500)
    assert found is not None
    assert found.about() == {"name": "Ada", "user": 1, "session": 11, "token": None, "address": THERE}


def test_an_object_of_a_request_that_is_answered_is_not_its(thread: Asking) -> None:
    """A worker posts what it brings back with Orthanc's own token, which no filter is asked about."""
    thread.asks("Ada", "/instances", length=500)
    assert [thread.stores(size=500), thread.stores(size=500)] == ["Ada", None]


def test_each_file_of_an_archive_has_its_uploader(thread: Asking) -> None:
    thread.asks("Nora", "/instances", length=1_000)
    assert [thread.stores(size=size) for size in (900, 700, 800)] == ["Nora"] * 3


def test_what_comes_long_after_the_last_file_of_an_archive_is_not_of_it(
    thread: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(uploads, "monotonic", lambda: now[0])
    thread.asks("Nora", "/instances", length=1_000)
    asked = thread.filter.bound()
    assert asked is not None
    now[0] = asked.at + 1_800  # a slow network
    assert thread.stores(size=900) == "Nora"
    now[0] += 59
    assert thread.stores(size=700) == "Nora"
    now[0] += 61
    assert [thread.stores(size=700), thread.stores(size=700)] == [None, None]


def test_an_upload_that_failed_does_not_wait_for_another_ones_object(
    thread: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread.asks("Nora", "/instances", length=1_000)
    asked = thread.filter.bound()
    assert asked is not None
    monkeypatch.setattr(uploads, "monotonic", lambda: asked.at + 3_601)
    assert thread.stores() is None


def test_an_object_from_another_address_is_not_of_the_request(thread: Asking) -> None:
    thread.asks("Ada", "/instances", ip=THERE)
    assert thread.stores(ip=HERE) is None


def test_the_parts_of_a_stow_have_their_uploader(thread: Asking) -> None:
    for path in ("/dicom-web/studies", "/dicom-web/studies/1.2.3", "/dicom-web/studies/"):
        thread.asks("Nora", path)
        assert [thread.stores(BY_PLUGIN, ip=None), thread.stores(BY_PLUGIN, ip=None)] == ["Nora", "Nora"]


@pytest.mark.parametrize("path", ["/studies", "/tools/find", "/modalities/CT/move", "/treegarth/api/v1/studies"])
def test_what_other_requests_leave_on_the_thread_makes_nobody_an_uploader(thread: Asking, path: str) -> None:
    thread.asks("Ada", path)
    assert [thread.stores(BY_REST), thread.stores(BY_PLUGIN, ip=None)] == [None, None]


def test_looking_makes_nobody_an_uploader(thread: Asking) -> None:
    for path in ("/instances", "/dicom-web/studies"):
        thread.asks("Ada", path, method=GET)
        assert [thread.stores(BY_REST), thread.stores(BY_PLUGIN, ip=None)] == [None, None]


def test_the_way_in_is_the_one_that_was_asked_for(thread: Asking) -> None:
    thread.asks("Ada", "/instances", length=500)
    assert thread.stores(BY_PLUGIN, ip=None) is None
    thread.asks("Ada", "/dicom-web/studies")
    assert thread.stores(BY_REST) is None


def test_what_comes_by_dicom_has_no_user(thread: Asking) -> None:
    thread.asks("Ada", "/instances", length=500)
    assert thread.stores(BY_DICOM) is None


def test_who_was_refused_uploads_nothing(thread: Asking) -> None:
    assert not thread.asks("Eric", "/instances", length=500)
    assert thread.stores() is None
    assert not thread.asks("nobody", "/dicom-web/studies")
    assert thread.stores(BY_PLUGIN, ip=None) is None


def test_the_next_request_of_a_thread_takes_the_place_of_the_last(thread: Asking) -> None:
    thread.asks("Ada", "/instances", length=1_000)
    thread.asks("Nora", "/instances", length=2_000)
    assert thread.stores() == "Nora"


def test_a_request_that_could_not_be_judged_leaves_nobody(thread: Asking, caplog: pytest.LogCaptureFixture) -> None:
    thread.asks("Ada", "/instances", length=1_000)
    assert not thread.filter("/instances", POST, HERE, None)  # type: ignore[arg-type]
    assert thread.stores() is None


@pytest.mark.parametrize("asked", ["/treegarth", "/treegarth/", "/treegarth/studies"])
def test_a_request_is_found_by_the_path_that_its_handler_sees(thread: Asking, asked: str) -> None:
    thread.asks("Ada", asked, GET, ip=THERE)
    found = thread.filter.bound(asked.rstrip("/"))
    assert found is not None
    assert found.address == THERE
    assert thread.filter.bound("/treegarth/dose") is None
