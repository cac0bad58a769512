"""The gate before all of Orthanc's HTTP, on a real Orthanc: every family of addresses × every role, whatever way an
address is written, and what is taken away is refused at once."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.delivery_support import ledger_of
from tests.orthanc.conftest import ServerFactory
from tests.raw_http import ask
from tests.servers import OrthancServer, hanging_database, store
from tests.sign_in_support import PASSWORD, add_token, add_user, of_user, signed_in, until
from tests.studies import small_studies
from treegarth.access.actors import OF_EVERYBODY, Permission
from treegarth.access.gate import Gate
from treegarth.access.roles import BUILT_IN
from treegarth.host.request_threads import ANSWER_WITHIN_S

PLUGINS = ("libOrthancPython.so", "libOrthancDicomWeb.so")
ID = "66c8e41e-ac3a9029-0b85e42a-8195ee0a-92c2e62e"
_DATA = ("attachments/{name}/compressed-data", "attachments/{name}/data")
_SIZES = ("compressed-md5", "compressed-size", "is-compressed", "md5", "size")
_PICTURES = ("image-int16", "image-uint16", "image-uint8", "matlab", "numpy", "preview", "rendered")
DOCUMENTED: dict[Permission, set[str]] = {
    Permission.PUBLIC: {"GET /plugins/explorer.js"},
    Permission.SIGNED_IN: {"GET /tools/dicom-conformance", "GET /tools/generate-uid", "GET /tools/now",
        "GET /tools/now-local", "GET /system"},
    Permission.SEE_STUDIES: {
        "GET /exports", "GET /changes", "GET /statistics", "GET /patients/{id}/protected", "GET /series/{id}/numpy",
        "GET /series/{id}/ordered-slices", "GET /instances/{id}/pdf", "GET /instances/{id}/content",
        "GET /instances/{id}/frames", "GET /instances/{id}/header", "GET /instances/{id}/tags",
        "GET /instances/{id}/simplified-tags", "GET /instances/{id}/frames/{frame}",
        *(f"GET /instances/{{id}}/frames/{{frame}}/{one}" for one in (*_PICTURES, "raw", "raw.gz")),
        *(f"GET /instances/{{id}}/{one}" for one in _PICTURES),
        *(f"GET /{level}/{{id}}/{one}" for level in ("patients", "studies", "series", "instances")
          for one in ("metadata", "metadata/{name}", "attachments", "attachments/{name}", "attachments/{name}/info",
            "statistics", "module", "module-patient", "shared-tags", "instances-tags", "labels", "labels/{label}",
            "patient", "study", "series", "studies", "instances",
            *(f"attachments/{{name}}/{size}" for size in _SIZES))),
        *(f"GET /{level}" for level in ("patients", "studies", "series", "instances")),
        *(f"GET /{level}/{{id}}" for level in ("patients", "studies", "series", "instances")),
    },
    Permission.DOWNLOAD: {
        "GET /instances/{id}/file",
        *(f"GET /{level}/{{id}}/{one}" for level in ("patients", "studies", "series") for one in ("archive", "media")),
        *(f"GET /{level}/{{id}}/{one}" for level in ("patients", "studies", "series", "instances") for one in _DATA),
    },
    Permission.UPLOAD: {"POST /instances"},
    Permission.ANNOTATE: {"PUT /studies/{id}/labels/{label}", "DELETE /studies/{id}/labels/{label}"},
    Permission.ERASE: {f"DELETE /{level}/{{id}}" for level in ("patients", "studies", "series", "instances")},
}  # fmt: skip
"""What Orthanc's own document of its API names and what it needs; all else there is for administrators."""


def test_every_address_that_orthanc_documents_needs_what_is_listed_or_an_administrator(tmp_path: Path) -> None:
    path = tmp_path / "openapi.json"
    subprocess.run(["Orthanc", f"--openapi={path}"], check=True, capture_output=True, timeout=120)
    gate, wrong, known = Gate("/dicom-web", "/wado", ("/treegarth",)), [], set()
    for place, methods in json.loads(path.read_text(encoding="utf-8"))["paths"].items():
        filled = re.sub(r"\{\w+\}", "x", place.replace("{id}", ID).replace("{frame}", "0").replace("{index}", "0"))
        for method in methods:
            name = f"{method.upper()} {place}"
            expected = next((needs for needs, names in DOCUMENTED.items() if name in names), Permission.ADMINISTER)
            known.add(name)
            if (found := gate.needs(method.upper(), filled, {})) is not expected:
                wrong.append(f"{name} needs {found}, not {expected}")
    assert wrong == []
    assert len(known) > 150


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """A server with a user of each role, and the study that it holds."""

    server: OrthancServer
    tokens: dict[str, str]
    ids: dict[str, str]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("gate")
    server = OrthancServer(folder / "server", treegarth={"SignIn": "treegarth"}, plugins=PLUGINS)
    with server.start():
        tokens = {role: add_token(server, add_user(server, role, role)) for role in BUILT_IN}
        until(200, "GET", f"{server.url}/studies", 10, headers=of_user(tokens["administrator"]))
        (path,) = small_studies(folder / "study", studies=1, series=1, instances=1)
        made = requests.post(
            f"{server.url}/instances", data=path.read_bytes(), headers=of_user(tokens["radiographer"]), timeout=60
        )
        made.raise_for_status()
        ids = {name.removeprefix("Parent").lower(): str(value) for name, value in made.json().items()}
        ids["instance"] = str(made.json()["ID"])
        tags = requests.get(
            f"{server.url}/instances/{ids['instance']}/simplified-tags",
            headers=of_user(tokens["nurse"]),
            timeout=60,
        ).json()
        names = {"uid": "StudyInstanceUID", "series_uid": "SeriesInstanceUID", "object_uid": "SOPInstanceUID"}
        yield Guarded(server=server, tokens=tokens, ids=ids | {key: tags[name] for key, name in names.items()})
        assert server.stop() == 0
        assert [line for line in server.error_lines() if "Treegarth" in line or "Python" in line] == []


FAMILIES: list[tuple[str, str, Permission]] = [
    ("GET", "/", Permission.PUBLIC),
    ("GET", "/app/explorer.html", Permission.PUBLIC),
    ("GET", "/plugins/explorer.js", Permission.PUBLIC),
    ("GET", "/system", Permission.SIGNED_IN),
    ("GET", "/statistics", Permission.SEE_STUDIES),
    ("GET", "/changes", Permission.SEE_STUDIES),
    ("GET", "/studies", Permission.SEE_STUDIES),
    ("GET", "/studies?expand", Permission.SEE_STUDIES),
    ("GET", "/studies/{study}", Permission.SEE_STUDIES),
    ("GET", "/studies/{study}/metadata", Permission.SEE_STUDIES),
    ("GET", "/series/{series}/shared-tags", Permission.SEE_STUDIES),
    ("GET", "/instances/{instance}/tags", Permission.SEE_STUDIES),
    ("GET", "/instances/{instance}/preview", Permission.SEE_STUDIES),
    ("GET", "/instances/{instance}/file", Permission.DOWNLOAD),
    ("GET", "/instances/{instance}/attachments/dicom/data", Permission.DOWNLOAD),
    ("GET", "/studies/{study}/archive", Permission.DOWNLOAD),
    ("GET", "/patients/{patient}/media", Permission.DOWNLOAD),
    ("GET", "/dicom-web/studies", Permission.SEE_STUDIES),
    ("GET", "/dicom-web/studies/{uid}/series", Permission.SEE_STUDIES),
    ("GET", "/dicom-web/studies/{uid}/metadata", Permission.SEE_STUDIES),
    ("GET", "/dicom-web/studies/{uid}/series/{series_uid}/instances/{object_uid}/frames/1", Permission.SEE_STUDIES),
    ("GET", "/dicom-web/studies/{uid}", Permission.DOWNLOAD),
    ("GET", "/wado?requestType=WADO&studyUID={uid}&seriesUID={series_uid}&objectUID={object_uid}",
     Permission.SEE_STUDIES),
    ("GET", "/wado?requestType=WADO&studyUID={uid}&seriesUID={series_uid}&objectUID={object_uid}"
     "&contentType=application/dicom", Permission.DOWNLOAD),
    ("GET", "/wado?objectUID={object_uid}", Permission.ADMINISTER),
    ("GET", "/jobs/66c8e41e-ac3a-9029-0b85-e42a8195ee0a/archive", Permission.DOWNLOAD),
    ("POST", "/instances", Permission.UPLOAD),
    ("POST", "/dicom-web/studies", Permission.UPLOAD),
    ("DELETE", "/studies/" + ID, Permission.ERASE),
    ("POST", "/tools/find", Permission.ADMINISTER),
    ("POST", "/tools/lookup", Permission.ADMINISTER),
    ("POST", "/tools/create-archive", Permission.ADMINISTER),
    ("POST", "/studies/{study}/anonymize", Permission.ADMINISTER),
    ("GET", "/dicom-web/servers", Permission.ADMINISTER),
    ("GET", "/plugins", Permission.ADMINISTER),
    ("GET", "/modalities", Permission.ADMINISTER),
    ("GET", "/peers", Permission.ADMINISTER),
    ("GET", "/jobs", Permission.ADMINISTER),
    ("GET", "/webdav/", Permission.ADMINISTER),
    ("GET", "/tools/metrics", Permission.ADMINISTER),
    ("GET", "/nowhere", Permission.ADMINISTER),
]  # fmt: skip


@pytest.mark.parametrize(("method", "address", "needs"), FAMILIES, ids=[f"{one[0]} {one[1]}" for one in FAMILIES])
def test_each_role_passes_where_its_permissions_lead_and_nobody_elsewhere(
    guarded: Guarded, method: str, address: str, needs: Permission
) -> None:
    url = guarded.server.url + address.format(**guarded.ids)

    def is_refused(headers: dict[str, str]) -> bool:
        data = b"{}" if method == "POST" else None
        answer = requests.request(method, url, headers=headers, data=data, timeout=60, allow_redirects=False)
        return answer.status_code == 403

    assert is_refused({}) is (needs is not Permission.PUBLIC)
    for role, may in BUILT_IN.items():
        assert is_refused(of_user(guarded.tokens[role])) is (needs not in {*may, *OF_EVERYBODY}), role


TRICKS = [
    "//studies", "/./studies", "/app/../studies", "/app/..%2fstudies", "/app/%2e%2e/studies", "/%73tudies", "/studies/",
    "/studies//", "/app/explorer.html/../../studies", "/app%2f..%2fstudies", "/studies%3fexpand", "/studies;a=b",
    "/treegarth/../studies", "/treegarth/%2e%2e/studies", "/treegarth/..%2fstudies", "/treegarth%2f..%2fstudies",
    "/treegarth/static/../../studies", "/treegarth/sign-in/../../studies", "/treegarth/sign-in/../api/v1/studies",
    "/treegarth/sign-in%2f..%2fapi/v1/studies", "/plugins/explorer.js/../../studies", "/STUDIES", "/studies\\",
    "\\studies", "/app/..\\studies", "/dicom-web//studies", "/dicom-web/./studies", "/app/../dicom-web/studies",
    "/wado/?objectUID=1.2.3", "/dicom-web/studies?StudyInstanceUID=1.1,2.2",
    "/dicom-web/studies?StudyInstanceUID=1.1&0020000D=2.2", "/app/..%252fstudies", "/treegarth/%252e%252e/studies",
]  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_no_way_of_writing_an_address_leads_past_the_gate(guarded: Guarded, trick: str) -> None:
    """Nobody gets data; the page of the sign-in, the explorer's own files and what is not there are all there is."""
    for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PROPFIND", "PATCH", "TRACE", "MKCOL"):
        headers = [(b"Host", b"localhost"), (b"X-HTTP-Method-Override", b"GET")]
        try:
            answer = ask(guarded.server.http_port, method, trick.encode(), headers, b"{}")
        except OSError:
            continue
        for found in (*guarded.ids.values(), "PatientName", "KIM"):
            assert found.encode() not in answer.body, (method, answer)
        data = answer.body.lstrip()[:1] in (b"[", b"{") and answer.status == 200
        assert not data, (method, answer)


def test_who_is_known_gets_the_same_whatever_else_is_said(guarded: Guarded) -> None:
    """Neither an internal header of a proxy, nor a second login beside the first, nor another kind of login."""
    url = f"{guarded.server.url}/plugins"
    nurse = of_user(guarded.tokens["nurse"])
    for more in ({"X-Forwarded-User": "administrator"}, {"X-Remote-User": "administrator"}, {"Cookie": "x=1"}):
        assert requests.get(url, headers=nurse | more, timeout=60).status_code == 403
    for token in ("administrator", "", guarded.tokens["administrator"][:-1], guarded.tokens["administrator"] + "x"):
        assert requests.get(url, headers=of_user(token), timeout=60).status_code == 403
    basic = requests.get(url, auth=("whoever", guarded.tokens["administrator"]), timeout=60)
    assert basic.status_code == 200


def test_a_page_leads_to_the_sign_in_and_from_there_back(guarded: Guarded) -> None:
    server = guarded.server
    add_user(server, "Kim Min-su", "physicist")
    asked = requests.get(f"{server.base_url}/studies?modality=CT", timeout=60)
    assert asked.status_code == 200
    assert "next=" in asked.url
    session = signed_in(server, "kim min-su", place="/treegarth/studies?modality=CT")
    assert session.get(f"{server.base_url}/studies?modality=CT", timeout=60).status_code == 200
    assert session.get(f"{server.url}/dicom-web/studies", timeout=60).status_code == 200
    left = session.post(f"{server.base_url}/sign-out", timeout=60)
    assert left.url.endswith("/treegarth/sign-in")
    assert session.get(f"{server.url}/dicom-web/studies", timeout=60).status_code == 403


@pytest.mark.parametrize(
    "place", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_sign_in_leads_nowhere_else(guarded: Guarded, place: str) -> None:
    name = f"user of {abs(hash(place))}"
    add_user(guarded.server, name, "nurse")
    form = {"name": name, "password": "a long enough word", "next": place}
    answer = requests.post(f"{guarded.server.base_url}/sign-in", data=form, timeout=60, allow_redirects=False)
    assert answer.headers["Location"] == "/treegarth/"


def test_what_is_taken_away_is_refused_within_a_second(new_server: ServerFactory) -> None:
    server = new_server(treegarth={"SignIn": "treegarth"}, plugins=PLUGINS).start()
    add_user(server, "admin", "administrator")
    user = add_user(server, "kim", "physicist")
    token = add_token(server, user)
    url, seen = f"{server.url}/studies", {"headers": of_user(token)}
    until(200, "GET", url, 10, **seen)
    session = signed_in(server, "kim")
    browser: dict[str, Any] = {"cookies": session.cookies}
    assert requests.get(url, timeout=60, **browser).status_code == 200
    for statement, given in (
        ("UPDATE access_token SET revoked_at = now() WHERE user_id = %s", seen),
        ("UPDATE user_session SET ended_at = now() WHERE user_id = %s", browser),
    ):
        change(server, statement, user)
        assert until(403, "GET", url, 5, **given) < 1
    again = signed_in(server, "kim")
    change(server, "DELETE FROM user_role WHERE user_id = %s", user)
    assert until(403, "GET", url, 5, cookies=again.cookies) < 1
    assert requests.get(f"{server.url}/system", cookies=again.cookies, timeout=60).status_code == 200
    change(server, "UPDATE user_account SET is_on = false WHERE id = %s", user)
    assert until(403, "GET", f"{server.url}/system", 5, cookies=again.cookies) < 1


def test_while_the_database_hangs_who_was_known_goes_on_and_nobody_else(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    server = new_server(treegarth={"SignIn": "treegarth"}, plugins=PLUGINS).start()
    by_web, by_dicom = small_studies(tmp_path, studies=2, series=1, instances=1)
    add_user(server, "admin", "administrator")
    gateway = add_user(server, "gateway", "service")
    known, taken = (add_token(server, gateway) for _ in range(2))
    stow = {"url": f"{server.url}/instances", "data": by_web.read_bytes(), "timeout": 60}
    change(server, "UPDATE access_token SET revoked_at = now() WHERE user_id = %s AND id = 2", gateway)
    until(200, "GET", f"{server.url}/studies", 10, headers=of_user(known))
    until(403, "GET", f"{server.url}/studies", 10, headers=of_user(taken))
    with hanging_database(server):
        assert requests.post(**stow, headers=of_user(known)).status_code == 200
        store(server, by_dicom, timeout_s=60)
        for login in (of_user(taken), {}):
            assert requests.post(**stow, headers=login).status_code == 403
        form = {"name": "admin", "password": PASSWORD, "next": "/treegarth/"}
        longest = ANSWER_WITHIN_S + 60
        entered = requests.post(f"{server.base_url}/sign-in", data=form, timeout=longest, allow_redirects=False)
        assert (entered.status_code, entered.cookies.get_dict()) == (503, {})
    until(200, "GET", f"{server.base_url}/api/v1/health", 120)
    signed_in(server, "admin")
    server.log.write_text("", encoding="utf-8")  # that the database did not answer


def change(server: OrthancServer, statement: str, user: int) -> None:
    with ledger_of(server) as ledger, ledger.engine.begin() as connection:
        connection.exec_driver_sql(statement, (user,))
