"""With PublicUrl Orthanc's own port goes on working, Explorer's button finds its study, and no header is believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.documents import encapsulated_pdf
from tests.servers import OrthancServer, store

PUBLIC = "http://localhost:9/pacs"  # this machine, so that no login is needed; nothing answers there


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancServer]:
    """One with an object, whose DICOMweb has a root of its own that begins as the public path does."""
    folder = tmp_path_factory.mktemp("public")
    with OrthancServer(
        folder / "server",
        plugins=("libOrthancPython.so", "libOrthancDicomWeb.so"),
        treegarth={"PublicUrl": PUBLIC},
        settings={"DicomWeb": {"Root": "/pacs/dicom-web/"}},
    ) as server:
        server.start()
        encapsulated_pdf(folder / "report.dcm")
        store(server, folder / "report.dcm")
        server.wait_until_idle()
        yield server
        assert server.stop() == 0
        assert server.error_lines() == []


def get(server: OrthancServer, path: str, **given: Any) -> requests.Response:
    return requests.get(f"{server.url}{path}", timeout=60, allow_redirects=False, **given)


def test_pages_are_answered_under_the_path_and_without_it(server: OrthancServer) -> None:
    study = server.get("studies")["items"][0]["study_instance_uid"]
    for path in ("/treegarth", "/treegarth/", f"/treegarth/studies/{study}", "/treegarth/api/v1/studies?limit=1"):
        direct, under = get(server, path), get(server, f"/pacs{path}")
        assert (direct.status_code, under.status_code) == (200, 200), path
        assert "/pacs/treegarth/" in direct.text or path.startswith("/treegarth/api")
    changed = requests.post(f"{server.url}/pacs/treegarth/api/v1/reconcile", timeout=120)
    assert changed.status_code == 202


def test_what_pages_lead_to_is_found_at_orthancs_own_port(server: OrthancServer) -> None:
    orthanc_id = server.orthanc("instances")[0]
    study = server.orthanc("studies")[0]
    for path in (f"/instances/{orthanc_id}/file", f"/studies/{study}/archive", "/app/explorer.html"):
        led = get(server, f"/pacs{path}")
        assert (led.status_code, led.headers["Location"]) == (307, path)
        assert get(server, path).status_code == 200
    series = f"/pacs/dicom-web/series?StudyInstanceUID={server.get('studies')['items'][0]['study_instance_uid']}"
    assert get(server, series).json(), "the root of DICOMweb is its own"
    assert requests.get(f"{server.url}/pacs{series}", timeout=120).json() == get(server, series).json()


def test_explorers_button_leads_to_the_study_by_orthancs_identifier(server: OrthancServer) -> None:
    assert "../treegarth/open/studies/" in get(server, "/plugins/explorer.js").text
    answer = get(server, f"/treegarth/open/studies/{server.orthanc('studies')[0]}")
    uid = server.get("studies")["items"][0]["study_instance_uid"]
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/pacs/treegarth/studies/{uid}")
    unknown = get(server, "/treegarth/open/studies/0123456789")
    assert unknown.status_code == 404
    assert "no study with this identifier of Orthanc" in unknown.text


def test_orthanc_makes_one_slash_of_several_before_it_asks(server: OrthancServer) -> None:
    assert get(server, "/treegarth//studies").status_code == 200


def test_headers_that_speak_of_a_proxy_change_nothing(server: OrthancServer) -> None:
    headers = {"Forwarded": "host=evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}
    for path in ("/treegarth/?lang=en", "/treegarth/studies", "/treegarth/ohif/app-config.js"):
        answer = get(server, path, headers=headers)
        assert answer.status_code == 200
        assert "evil" not in answer.text + str(answer.headers)
