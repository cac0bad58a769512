"""An object nested so deep that Orthanc dies of reading it: refused with a status, or stored and named, and no page,
picture or viewer of ours ever asks Orthanc for it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from time import sleep
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from flask import Flask

from tests.bad_objects import BadObject, ct_image, in_syntax, uid
from tests.deep_objects import KILLS_ORTHANC, SIGNATURES, deep_dose_report, deep_object
from tests.orthanc.conftest import ServerFactory
from tests.orthanc.test_bad_input import post
from tests.servers import ROOT, OrthancServer, script_without_filter, store
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.dicom.depth import DEEPEST_NESTING
from treegarth.web.routes import Route

WITH_DICOMWEB = ("libOrthancPython.so", "libOrthancDicomWeb.so")
STORED_DEPTH = 40  # more than we let in by C-STORE, less than what kills Orthanc 1.10.1 at an upload


@pytest.fixture
def unguarded(new_server: ServerFactory, tmp_path: Path) -> OrthancServer:
    """An Orthanc whose Python plugin cannot refuse a C-STORE, as those before 4.0."""
    script = script_without_filter(tmp_path / "entry.py")
    return new_server(settings={"PythonScript": str(script)}, plugins=WITH_DICOMWEB).start()


def sent(server: OrthancServer, data: bytes, folder: Path) -> str:
    """The status of a C-STORE, as storescu says it."""
    path = folder / "sent.dcm"
    path.write_bytes(data)
    done = subprocess.run(
        ["storescu", "-v", "-aet", "CT1", "-aec", "TREEGARTH", "127.0.0.1", str(server.dicom_port), str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    (answer,) = re.findall(r"Received Store Response \((.*)\)", done.stdout + done.stderr)
    return str(answer)


def stow(server: OrthancServer, data: bytes) -> int:
    body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n--b--\r\n"
    media_type = 'multipart/related; type="application/dicom"; boundary=b'
    return requests.post(
        f"{server.url}/dicom-web/studies", data=body, headers={"Content-Type": media_type}, timeout=120
    ).status_code


def assert_alive(server: OrthancServer) -> None:
    assert server.process is not None
    assert requests.get(f"{server.url}/system", timeout=120).status_code == 200
    assert server.process.poll() is None


def routes() -> list[Route]:
    application: Flask = make_application(make_services(ROOT / "web"))
    return list(application.extensions["treegarth"].routes.values())


def addresses(server: OrthancServer) -> set[str]:
    """Every route that can be got, for every object of Orthanc, its series and its study."""
    known = []
    for series in server.orthanc("series?expand"):
        study = server.orthanc(f"studies/{series['ParentStudy']}")
        uids = {
            "study_instance_uid": study["MainDicomTags"]["StudyInstanceUID"],
            "series_instance_uid": series["MainDicomTags"]["SeriesInstanceUID"],
            "orthanc_study_id": study["ID"],
        }
        known += [{**uids, "orthanc_instance_id": one, "path": "viewer"} for one in series["Instances"]]
    patterns = [route.path for route in routes() if route.method == "GET"]
    return {
        re.sub(r"{(\w+)(:path)?}", lambda part, one=one: one.get(part[1], "1"), pattern)  # type: ignore[misc]
        for pattern in patterns
        for one in known
    }


def led_to(server: OrthancServer, page: str, text: str) -> set[str]:
    """What a browser may ask this server for next: links, pictures, parts."""
    found = re.findall(r'(?:href|src|hx-get|action)="([^"#]+)', text)
    whole = {urljoin(page, one.replace("&amp;", "&")) for one in found}
    return {one for one in whole if one.startswith(server.url) and not urlsplit(one).path.startswith("/app/")}


def ask_for_everything(server: OrthancServer) -> set[str]:
    """Opens every page, and everything that it shows or leads to; what of it was Orthanc's own."""
    pages, led = {server.url + path for path in addresses(server)}, set[str]()
    with requests.Session() as session:
        for address in sorted(pages):
            answer = asked(server, session, address)
            if "text/html" in answer.headers.get("Content-Type", ""):
                led |= led_to(server, address, answer.text)
        for address in one_of_each_form(led - pages):
            asked(server, session, address)
    return {urlsplit(one).path for one in led if not urlsplit(one).path.startswith("/treegarth")}


def one_of_each_form(addresses: set[str]) -> list[str]:
    """Of those with the same path and the same keys in their query one: another order or period of a list asks no more
    of an object. `make soak` asks all."""
    if os.environ.get("TREEGARTH_SOAK") == "1":
        return sorted(addresses)
    forms: dict[tuple[str, frozenset[str]], str] = {}
    for address in sorted(addresses):
        parts = urlsplit(address)
        forms.setdefault((parts.path, frozenset(parse_qs(parts.query, keep_blank_values=True))), address)
    return list(forms.values())


def asked(server: OrthancServer, session: requests.Session, address: str) -> requests.Response:
    assert server.process is not None
    try:
        answer = session.get(address, timeout=250)  # a machine may be busy: only an end of Orthanc fails
        sleep(0.02)
        alive = server.process.poll() is None
    except requests.ConnectionError:
        alive = False
    assert alive, f"{address} ended Orthanc."
    return answer


def test_a_c_store_of_a_deep_object_is_refused_and_told(server: OrthancServer, tmp_path: Path) -> None:
    assert sent(server, in_syntax(ct_image(9)), tmp_path) == "Success"
    server.wait_until_idle()
    for number, data in enumerate(
        (
            deep_object(1, KILLS_ORTHANC),
            deep_object(2, DEEPEST_NESTING + 1, lengths="defined"),
            deep_object(3, KILLS_ORTHANC, tag=SIGNATURES),
            deep_dose_report(4, 1000),
        ),
        start=1,
    ):
        assert sent(server, data, tmp_path) == "Error: CannotUnderstand"
        assert len(server.orthanc("instances")) == 1
        assert (
            f"treegarth_store_refused_nested_total {number}.0"
            in requests.get(f"{server.base_url}/metrics", timeout=120).text
        )
    for path in ("", "system"):
        page = requests.get(f"{server.base_url}/{path}", timeout=120).text
        assert "4 objects were refused since the start" in page
    said = [line for line in server.log_text().splitlines() if "Refused an object" in line]
    assert len(said) == 4
    assert "from 'CT1': its sequences are nested 60 deep" in said[0]
    assert not [line for line in said if "Took" in line or "BAD" in line]
    assert_alive(server)


def test_what_is_as_deep_as_allowed_is_stored_and_shown(server: OrthancServer, tmp_path: Path) -> None:
    assert sent(server, deep_object(1, DEEPEST_NESTING), tmp_path) == "Success"
    assert sent(server, deep_dose_report(2, DEEPEST_NESTING), tmp_path) == "Success"
    server.wait_until_idle()
    assert [path for path in ask_for_everything(server) if path.endswith("/rendered")] != []
    (deep,) = [one for one in server.get("studies")["items"] if "SR" in one["modalities"]]
    page = requests.get(f"{server.base_url}/studies/{deep['study_instance_uid']}", timeout=120).text
    (report,) = re.findall(r'class="button main" href="/treegarth/(studies/[^"]*/instances/[^"]*)"', page)
    assert "content-tree" in requests.get(f"{server.base_url}/{report}", timeout=120).text
    assert_alive(server)


@pytest.mark.timeout(1800)
@pytest.mark.soak
def test_where_orthanc_takes_a_deep_object_it_is_named_and_never_asked_for(
    unguarded: OrthancServer, tmp_path: Path
) -> None:
    server = unguarded
    assert sent(server, deep_object(1, KILLS_ORTHANC), tmp_path) == "Success"
    assert sent(server, deep_object(2, 3000, lengths="defined"), tmp_path) == "Success"
    assert sent(server, deep_dose_report(3, 1000), tmp_path) == "Success"
    assert sent(server, deep_object(4, KILLS_ORTHANC, tag=SIGNATURES), tmp_path) == "Success"
    assert post(server, [BadObject(name="", data=deep_object(5, STORED_DEPTH))]) == {200: 1}
    assert stow(server, deep_object(6, STORED_DEPTH)) == 200
    assert post(server, [BadObject(name="", data=in_syntax(ct_image(7)))]) == {200: 1}
    server.wait_until_idle()

    theirs = ask_for_everything(server)
    harmless = f"/instances/{orthanc_id_of(server, uid(7, 3))}"
    read_by_orthanc = {path for path in theirs if re.search(r"/(rendered|simplified-tags)$", path)}
    assert read_by_orthanc == {f"{harmless}/rendered", f"{harmless}/simplified-tags"}
    assert not [path for path in theirs if path.startswith("/dicom-web")]

    found = {}
    for study in server.get("studies", limit=100)["items"]:
        for series in server.get(f"studies/{study['study_instance_uid']}")["series"]:
            path = f"studies/{study['study_instance_uid']}/series/{series['series_instance_uid']}/instances"
            (instance,) = server.get(path)["items"]
            found[study["patient_id"]] = (instance["nesting_depth"], [one["reason"] for one in instance["issues"]])
    assert {key: depth for key, (depth, _) in found.items() if key.startswith("BAD")} == {
        "BAD00001": 60,
        "BAD00002": 3000,
        "BAD00004": 60,
        "BAD00005": STORED_DEPTH,
        "BAD00006": STORED_DEPTH,
        "BAD00007": None,
    }
    said = "its sequences are nested 60 deep: Orthanc cannot show it, so it is not shown"
    assert said in found["BAD00001"][1]
    assert found["BAD00007"][1] == []

    page = requests.get(f"{server.base_url}/studies/{uid(1, 1)}", timeout=120).text
    assert "1 object is nested 60 deep: Orthanc itself cannot show it, so it is not shown" in page
    assert "data-viewer" not in page
    korean = requests.get(f"{server.base_url}/studies/{uid(1, 1)}?lang=ko", timeout=120).text
    assert "60단계" in korean
    assert "data-viewer" in requests.get(f"{server.base_url}/studies/{uid(7, 1)}", timeout=120).text
    system = requests.get(f"{server.base_url}/system", timeout=120).text
    assert "This Python plugin cannot refuse a C-STORE" in system
    assert "6 stored objects are nested too deep for Orthanc" in system


def orthanc_id_of(server: OrthancServer, sop_instance_uid: str) -> str:
    answer = requests.post(f"{server.url}/tools/lookup", data=sop_instance_uid, timeout=120).json()
    (found,) = (one["ID"] for one in answer if one["Type"] == "Instance")
    return str(found)


@pytest.mark.soak
def test_the_viewer_is_kept_from_what_would_kill_orthanc(unguarded: OrthancServer, tmp_path: Path) -> None:
    """It asks for the study of its address and for all studies of the patient; it has no list of its own."""
    server = unguarded
    other = in_syntax(ct_image(2, PatientID="BAD00001"))
    assert post(server, [BadObject(name="", data=one) for one in (other, in_syntax(ct_image(3)))]) == {200: 2}
    server.wait_until_idle()
    viewer = f"{server.base_url}/ohif/viewer?StudyInstanceUIDs="
    places = [viewer + uid(number, 1) for number in (1, 2, 3)]
    assert [is_viewer(place) for place in places] == [True] * 3
    assert requests.get(f"{server.base_url}/ohif/", timeout=120).url == f"{server.base_url}/studies"
    assert sent(server, deep_object(1, KILLS_ORTHANC), tmp_path) == "Success"
    server.wait_until_idle()
    assert [is_viewer(place) for place in places] == [False, False, True]
    assert not is_viewer(viewer + f"{uid(3, 1)},{uid(1, 1)}")
    refused = requests.get(places[0], timeout=120)
    assert "The viewer cannot be opened with this study" in refused.text
    assert uid(1, 1) in refused.text
    neighbour = requests.get(f"{server.base_url}/studies/{uid(2, 1)}", timeout=120).text
    assert "No viewer for this study" in neighbour
    # What the viewer asks for of the study that it may show.
    for query in (f"StudyInstanceUID={uid(3, 1)}", "PatientID=BAD00003"):
        assert requests.get(f"{server.url}/dicom-web/studies?{query}", timeout=120).status_code == 200
    assert_alive(server)

    requests.delete(f"{server.url}/instances/{orthanc_id_of(server, uid(1, 3))}", timeout=120).raise_for_status()
    server.wait_until_idle()
    assert [is_viewer(place) for place in places[1:]] == [True] * 2
    assert requests.get(f"{server.url}/dicom-web/studies", timeout=120).status_code == 200


def is_viewer(address: str) -> bool:
    return "<title>OHIF Viewer</title>" in requests.get(address, timeout=120).text


def test_a_deep_object_found_in_orthanc_is_named_too(new_server: ServerFactory, tmp_path: Path) -> None:
    """Stored before Treegarth was there: the index reads its beginning from Orthanc."""
    bare = new_server(treegarth=None).start()
    assert sent(bare, deep_object(1, KILLS_ORTHANC), tmp_path) == "Success"
    assert bare.stop() == 0
    bare.treegarth = {}
    bare.start()
    bare.wait_until_idle()
    page = requests.get(f"{bare.base_url}/studies/{uid(1, 1)}", timeout=120).text
    assert "1 object is nested 60 deep" in page
    ask_for_everything(bare)


@pytest.mark.soak
def test_the_picture_of_a_series_is_never_that_of_its_deep_object(unguarded: OrthancServer, tmp_path: Path) -> None:
    server = unguarded
    deep = ct_image(2, StudyInstanceUID=uid(1, 1), SeriesInstanceUID=uid(1, 2), PatientID="BAD00001")
    assert sent(server, deep_object(2, KILLS_ORTHANC, dataset=deep), tmp_path) == "Success"
    server.wait_until_idle()
    store(server, write(tmp_path / "good.dcm", in_syntax(ct_image(1))))
    server.wait_until_idle()
    page = requests.get(f"{server.base_url}/studies/{uid(1, 1)}", timeout=120).text
    assert re.findall(r"/instances/([^/]+)/rendered", page) == [orthanc_id_of(server, uid(1, 3))]
    ask_for_everything(server)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.soak
def test_an_object_replaced_by_a_deep_one_loses_its_picture(new_server: ServerFactory, tmp_path: Path) -> None:
    script = script_without_filter(tmp_path / "entry.py")
    server = new_server(settings={"PythonScript": str(script), "OverwriteInstances": True}, plugins=WITH_DICOMWEB)
    server.start()
    store(server, write(tmp_path / "good.dcm", in_syntax(ct_image(1))))
    server.wait_until_idle()
    page = f"{server.base_url}/studies/{uid(1, 1)}"
    assert "/rendered" in requests.get(page, timeout=120).text
    assert sent(server, deep_object(1, KILLS_ORTHANC), tmp_path) == "Success"
    server.wait_until_idle()
    assert "/rendered" not in requests.get(page, timeout=120).text
    ask_for_everything(server)
    store(server, tmp_path / "good.dcm")
    server.wait_until_idle()
    assert "/rendered" in requests.get(page, timeout=120).text
