"""Who uploaded each object: people by STOW and `/instances`, with a session, a token or a login, beside each other and
beside C-STORE. Each object has its own."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import requests
from pydicom import dcmread

from tests.archive_truth import execute, table
from tests.orthanc.conftest import ServerFactory
from tests.servers import OrthancServer, store
from tests.sign_in_support import add_token, add_user, signed_in, until
from tests.studies import small_studies

STOW_TYPE = 'multipart/related; type="application/dicom"; boundary=between'
PLUGINS = ("libOrthancPython.so", "libOrthancDicomWeb.so")


def stow_body(*files: Path) -> bytes:
    parts = (b"--between\r\nContent-Type: application/dicom\r\n\r\n" + one.read_bytes() + b"\r\n" for one in files)
    return b"".join(parts) + b"--between--\r\n"


def zipped(*files: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, one in enumerate(files):
            archive.writestr(f"{number}.dcm", one.read_bytes())
    return content.getvalue()


@dataclass(frozen=True, kw_only=True)
class Way:
    """How somebody uploads."""

    name: str
    send: Callable[..., requests.Response]

    def posts(self, server: OrthancServer, content: bytes) -> None:
        headers = {"Content-Type": "application/dicom"}
        answer = self.send(f"{server.url}/instances", data=content, headers=headers, timeout=120)
        assert answer.status_code == 200, answer.text

    def stows(self, server: OrthancServer, *files: Path) -> None:
        headers = {"Content-Type": STOW_TYPE, "Accept": "application/dicom+json"}
        url = f"{server.url}/dicom-web/studies"
        answer = self.send(url, data=stow_body(*files), headers=headers, timeout=120)
        assert answer.status_code == 200, answer.text


def rows_of(server: OrthancServer, expected: int) -> dict[str, dict[str, Any]]:
    """The instances of the index by their SOP Instance UIDs."""
    deadline = monotonic() + 120
    while len(found := {row["sop_instance_uid"]: row for row in table(server, "instance")}) < expected:
        assert monotonic() < deadline, f"{len(found)} of {expected} are indexed"
        sleep(0.2)
    return found


def uid(path: Path) -> str:
    return str(dcmread(path, stop_before_pixels=True).SOPInstanceUID)


@pytest.fixture
def server(new_server: ServerFactory) -> OrthancServer:
    return new_server(plugins=PLUGINS, treegarth={"SignIn": "treegarth"}, settings={"DicomWeb": {"Ssl": False}}).start()


def test_each_object_has_its_own_uploader_however_many_upload_beside_each_other(
    server: OrthancServer, tmp_path: Path
) -> None:
    """Four people and a scanner: by session and token, object by object, as archives and by STOW."""
    files = small_studies(tmp_path / "files", studies=10, series=2, instances=5)
    ways, numbers = [], {}
    for name in ("Ada", "Nora", "김민수", "Eva"):
        number = add_user(server, name, "administrator")
        numbers[name] = number
        if name in ("Ada", "Eva"):
            ways.append(Way(name=name, send=signed_in(server, name).post))
        else:
            token = add_token(server, number)
            ways.append(Way(name=name, send=_with_token(server, token)))
    shares = [files[number::5] for number in range(5)]

    def uploads(way: Way, own: list[Path]) -> None:
        for one in own[:10]:
            way.posts(server, one.read_bytes())
        for place in range(10, 15):
            way.stows(server, own[place])
        way.stows(server, *own[15:18])
        way.posts(server, zipped(*own[18:]))

    with ThreadPoolExecutor() as pool:
        done = [pool.submit(uploads, way, own) for way, own in zip(ways, shares[:4], strict=True)]
        done.append(pool.submit(store, server, *shares[4], calling="CTSCANNER1"))
        for one in done:
            one.result()
    rows = rows_of(server, len(files))
    for way, own in zip(ways, shares[:4], strict=True):
        for path in own:
            row = rows[uid(path)]
            assert (row["http_user"], row["uploader_id"]) == (way.name, numbers[way.name])
            assert row["remote_ip"] == "127.0.0.1"
            assert (row["session_id"] is None, row["token_id"] is None) == (
                (False, True) if way.name in ("Ada", "Eva") else (True, False)
            )
    for path in shares[4]:
        row = rows[uid(path)]
        assert (row["http_user"], row["uploader_id"], row["remote_ae_title"]) == (None, None, "CTSCANNER1")


def _with_token(server: OrthancServer, token: str) -> Callable[..., requests.Response]:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    until(200, "GET", f"{server.url}/plugins", 30, headers=session.headers)
    return session.post


def test_the_name_beside_a_token_is_not_believed(server: OrthancServer, tmp_path: Path) -> None:
    """Orthanc itself keeps what was typed there, and is asked once a series is read anew."""
    (path,) = small_studies(tmp_path / "files", studies=1, series=1, instances=1)
    token = add_token(server, add_user(server, "Nora", "administrator"))
    session = requests.Session()
    session.auth = ("Somebody Else", token)
    until(200, "GET", f"{server.url}/plugins", 30, auth=session.auth)
    Way(name="Nora", send=session.post).posts(server, path.read_bytes())
    before = rows_of(server, 1)[uid(path)]
    assert (before["http_user"], before["token_id"] is None) == ("Nora", False)
    execute(server, "UPDATE series SET is_stale = true")
    deadline = monotonic() + 60
    while any(one["is_stale"] for one in table(server, "series")):
        assert monotonic() < deadline
        sleep(0.2)
    after = rows_of(server, 1)[uid(path)]
    assert (after["http_user"], after["token_id"]) == ("Nora", before["token_id"])
    assert [one["http_user"] for one in table(server, "series")] == ["Nora"]


def test_people_and_programs_are_told_who_uploaded_what(server: OrthancServer, tmp_path: Path) -> None:
    (path,) = small_studies(tmp_path / "files", studies=1, series=1, instances=1)
    add_user(server, "Ada", "administrator")
    browser = signed_in(server, "Ada")
    Way(name="Ada", send=browser.post).stows(server, path)
    rows_of(server, 1)
    header = dcmread(path, stop_before_pixels=True)
    place = f"studies/{header.StudyInstanceUID}/series/{header.SeriesInstanceUID}/instances"
    (item,) = browser.get(f"{server.api}/{place}", params={"http_user": "A*"}, timeout=60).json()["items"]
    assert (item["http_user"], item["remote_ip"], item["token_id"]) == ("Ada", "127.0.0.1", None)
    assert item["session_id"] is not None
    assert ">Ada<" in browser.get(f"{server.base_url}/{place}", timeout=60).text.replace("\n", "")
    assert [one["http_user"] for one in table(server, "series")] == ["Ada"]  # of which conditions speak


def test_where_orthanc_knows_the_users_stow_has_them_too(new_server: ServerFactory, tmp_path: Path) -> None:
    users = {"anna": "secret", "boris": "secret"}
    settings = {"AuthenticationEnabled": True, "RegisteredUsers": users, "DicomWeb": {"Ssl": False}}
    server = new_server(plugins=PLUGINS, treegarth={"SignIn": "orthanc"}, settings=settings)
    server.start(wait=False).wait_until_ready(login=("anna", "secret"))
    files = small_studies(tmp_path / "files", studies=1, series=1, instances=4)
    for name, own in zip(users, (files[:2], files[2:]), strict=True):
        session = requests.Session()
        session.auth = (name, "secret")
        until(200, "GET", f"{server.url}/plugins", 60, auth=session.auth)
        way = Way(name=name, send=session.post)
        way.posts(server, own[0].read_bytes())
        way.stows(server, own[1])
    rows = rows_of(server, 4)
    assert [rows[uid(one)]["http_user"] for one in files] == ["anna", "anna", "boris", "boris"]
