"""The viewer's files: two of them say where this server is, the others are as they were prepared."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask import Response
from flask.testing import FlaskClient

from tests.unit.web.web_support import make_services, web_folder
from treegarth.reach import Reach
from treegarth.settings import Settings, SignIn
from treegarth.web.app import create_app
from treegarth.web.viewer import BASE, WORDS, configuration

ROOT = Path(__file__).resolve().parents[3]
PAGE = (
    "<title>OHIF</title><script>window.PUBLIC_URL = '/treegarth/ohif/'</script><link href=\"/treegarth/ohif/app.css\">"
)


@contextmanager
def orthanc_with(plugins: list[str]) -> Iterator[str]:
    """As much of Orthanc's REST API as tells which plugins it has."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/plugins" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(plugins).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(timeout=5)


@pytest.fixture(scope="module")
def orthanc() -> Iterator[str]:
    with orthanc_with(["python", "dicom-web"]) as url:
        yield url


def client_of(
    folder: Path,
    orthanc_url: str,
    *,
    public_url: str | None = None,
    configuration: Mapping[str, Any] | None = None,
    **given: Any,
) -> FlaskClient:
    web = web_folder(folder / "web")
    (web / "ohif" / "app-config.js").write_text("const reach = REACH_OF_THIS_SERVER;\n", encoding="utf-8")
    (web / "vendor" / "ohif" / "index.html").write_text(PAGE, encoding="utf-8")
    (web / "vendor" / "ohif" / "LICENSE").write_text("MIT", encoding="utf-8")
    (web / "vendor" / "ohif" / "assets" / "app.js").write_text("ohif", encoding="utf-8")
    (folder / "secret.txt").write_text("secret", encoding="utf-8")
    settings = Settings(sign_in=SignIn.NONE, public_url=public_url)
    services = make_services(web, settings=settings, orthanc_url=orthanc_url, configuration=configuration)
    return create_app([], services, **given).test_client()


@pytest.fixture
def client(tmp_path: Path, orthanc: str) -> FlaskClient:
    return client_of(tmp_path, orthanc)


def test_it_is_answered_at_every_place_inside_it(client: FlaskClient) -> None:
    for path in ("", "index.html", "viewer", "viewer?StudyInstanceUIDs=1.2.3", "viewer/dicomweb"):
        answer = client.get(f"/treegarth/ohif/{path}")
        assert answer.text == PAGE, path
        assert answer.mimetype == "text/html"
    assert client.get("/treegarth/ohif/assets/app.js").text == "ohif"
    assert client.get("/treegarth/ohif/LICENSE").text == "MIT"


@pytest.mark.parametrize(
    "path", ["ohif/../../../secret.txt", "ohif/assets/nothing.js", "ohif/%2e%2e/%2e%2e/secret.txt"]
)
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/treegarth/{path}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_its_policy_lets_it_show_a_pdf_out_of_a_blob_and_no_other_object(client: FlaskClient) -> None:
    policy = client.get("/treegarth/ohif/viewer").headers["Content-Security-Policy"]
    words = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert (words["object-src"], words["frame-src"]) == ("blob:", "blob:")
    assert (words["default-src"], words["frame-ancestors"], words["base-uri"]) == ("'self'", "'self'", "'self'")
    assert "unsafe-eval" in words["script-src"]
    elsewhere = client.get("/treegarth/static/nothing.css").headers["Content-Security-Policy"]
    assert "object-src 'none'" in elsewhere
    assert "unsafe" not in elsewhere


def test_the_page_says_where_it_is_reached(tmp_path: Path, orthanc: str) -> None:
    client = client_of(tmp_path, orthanc, public_url="https://www.example.org/pacs")
    assert client.get("/treegarth/ohif/viewer").text == PAGE.replace(BASE, f"/pacs{BASE}")


@pytest.mark.parametrize(
    ("public_url", "dicomweb", "expected"),
    [
        (
            None,
            {},
            {"base": "/treegarth/ohif/", "dicomWeb": "/dicom-web", "wado": "/wado", "treegarth": "/treegarth"},
        ),
        (
            "https://www.example.org/pacs",
            {"Root": "images/", "WadoRoot": "/one"},
            {
                "base": "/pacs/treegarth/ohif/",
                "dicomWeb": "/pacs/images",
                "wado": "/pacs/one",
                "treegarth": "/pacs/treegarth",
            },
        ),
        (
            "https://pacs.example.org/",
            {"Root": "/pacs/dicom-web/", "EnableWado": False},
            {"base": "/treegarth/ohif/", "dicomWeb": "/pacs/dicom-web", "wado": None, "treegarth": "/treegarth"},
        ),
    ],
)
def test_its_configuration_says_where_this_server_and_its_dicomweb_are(
    tmp_path: Path, orthanc: str, public_url: str | None, dicomweb: dict[str, Any], expected: dict[str, Any]
) -> None:
    client = client_of(tmp_path, orthanc, public_url=public_url, configuration={"DicomWeb": dicomweb})
    answer = client.get("/treegarth/ohif/app-config.js")
    assert answer.mimetype == "text/javascript"
    found = re.fullmatch(r"const reach = (.*);\n", answer.text)
    assert found
    assert json.loads(found[1]) == {**expected, "words": WORDS}


def test_it_is_opened_on_the_series_that_is_chosen_unless_the_address_says_one(tmp_path: Path, orthanc: str) -> None:
    asked: list[list[str]] = []

    def choose(call: Any, uids: Any) -> str | None:
        asked.append(list(uids))
        return "1.2.9" if "1.2.3" in uids else None

    opened: list[str] = []
    client = client_of(tmp_path, orthanc, opened_in_viewer=opened.append, first_series=choose)
    answer = client.get("/treegarth/ohif/viewer?studyinstanceuids=1.2.3,1.2.4&hangingProtocolId=mpr")
    assert answer.status_code == 302
    asks = "studyinstanceuids=1.2.3,1.2.4&hangingProtocolId=mpr&initialSeriesInstanceUID=1.2.9"
    assert answer.headers["Location"] == f"/treegarth/ohif/viewer?{asks}"
    assert asked == [["1.2.3", "1.2.4"]]
    assert opened == []
    assert client.get(answer.headers["Location"]).status_code == 200
    assert opened == ["1.2.3", "1.2.4"]
    assert client.get("/treegarth/ohif/viewer?StudyInstanceUIDs=1.2.3&SeriesInstanceUIDs=1.2.8").status_code == 200
    assert client.get("/treegarth/ohif/viewer?StudyInstanceUIDs=1.2.7").status_code == 200


def test_it_has_no_list_of_its_own_but_shows_a_readers_own_files(tmp_path: Path, orthanc: str) -> None:
    def ours(call: Any, uids: Any) -> Response | None:
        return None if uids else Response(status=302, headers={"Location": "/treegarth/studies"})

    client = client_of(tmp_path, orthanc, instead_of_viewer=ours)
    for place in ("", "index.html", "viewer", "viewer?StudyInstanceUIDs="):
        assert client.get(f"/treegarth/ohif/{place}").headers.get("Location") == "/treegarth/studies", place
    assert client.get("/treegarth/ohif/local").text == PAGE
    assert "showStudyList: false" in configuration(ROOT / "web" / "ohif", Reach())


def test_what_was_filled_in_is_asked_for_again_and_sent_when_it_changed(tmp_path: Path, orthanc: str) -> None:
    before = client_of(tmp_path / "before", orthanc)
    after = client_of(tmp_path / "after", orthanc, public_url="https://www.example.org/pacs")
    for name in ("", "viewer", "app-config.js"):
        answer = before.get(f"/treegarth/ohif/{name}")
        assert answer.headers["Cache-Control"] == "private, no-cache"
        known = {"If-None-Match": answer.headers["ETag"]}
        assert before.get(f"/treegarth/ohif/{name}", headers=known).status_code == 304
        assert after.get(f"/treegarth/ohif/{name}", headers=known).status_code == 200


def test_the_shipped_configuration_has_one_place_for_it_and_names_no_path_itself() -> None:
    text = configuration(ROOT / "web" / "ohif", Reach(public_url="https://www.example.org/pacs"))
    assert '"dicomWeb": "/pacs/dicom-web"' in text
    assert re.findall(r"'/(?!studies/'|')[^']*'", text) == []


def test_a_configuration_without_a_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "app-config.js").write_text("window.config = {};", encoding="utf-8")
    with pytest.raises(ValueError, match="0 times, not once"):
        configuration(tmp_path, Reach())


def test_one_that_is_not_installed_says_so(tmp_path: Path, orthanc: str) -> None:
    services = make_services(web_folder(tmp_path), orthanc_url=orthanc)
    answer = create_app([], services).test_client().get("/treegarth/ohif/viewer")
    assert answer.status_code == 404
    assert "not installed" in answer.text


def test_without_dicomweb_it_says_what_is_missing(tmp_path: Path, orthanc: str) -> None:
    off = client_of(tmp_path / "off", orthanc, configuration={"DicomWeb": {"Enable": False}})
    answer = off.get("/treegarth/ohif/viewer")
    assert answer.status_code == 404
    assert "switched off" in answer.text
    with orthanc_with(["python"]) as url:
        answer = client_of(tmp_path / "absent", url).get("/treegarth/ohif/viewer")
    assert answer.status_code == 404
    assert "without that plugin" in answer.text
