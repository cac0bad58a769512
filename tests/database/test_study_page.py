"""A study's page: pictures first, labels, the patient's other studies; an object's page; what the viewer shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, update

from tests.dose_builder import as_file, ct_dose_report
from tests.index_support import NOON, write_study
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.features.archive.store.first_series import first_series_of
from treegarth.index.labels import change_labels, list_labels
from treegarth.index.tables import instance, series, study

ROOT = Path(__file__).resolve().parents[2]
CT, SR, PDF, CAPTURE = (f"1.2.840.10008.5.1.4.1.1.{last}" for last in ("2", "88.11", "104.1", "7"))
UID = "1.2.840.99999.1.1"


def client_of(engine: Engine, orthanc_url: str = "http://127.0.0.1:1") -> FlaskClient:
    services = make_services(ROOT / "web", engine=lambda: engine, orthanc_url=orthanc_url)
    client: FlaskClient = make_application(services).test_client()  # type: ignore[attr-defined]
    return client


def a_study(engine: Engine, *kinds: dict[str, Any]) -> None:
    """Study 1 with a series for each of these kinds, each of one object."""
    with engine.begin() as connection:
        write_study(connection, 1)
        connection.execute(instance.delete())
        connection.execute(series.delete())
        for number, given in enumerate(kinds, start=1):
            about = {"modality": "CT", "series_number": number, "series_description": f"series {number}", **given}
            of_object = {name: about.pop(name) for name in ("rows", "sop_class_uid", "image_type") if name in about}
            of_series = {"orthanc_series_id": f"s{number}", "series_instance_uid": f"1.2.9.{number}"}
            about |= {"orthanc_study_id": "study-00001", "header_orthanc_instance_id": f"i{number}"}
            connection.execute(series.insert().values(instance_count=1, **of_series, **about))
            of_object |= {"orthanc_instance_id": f"i{number}", "sop_instance_uid": f"1.2.8.{number}", "size_bytes": 1}
            of_object |= {"orthanc_series_id": f"s{number}", "columns": of_object.get("rows"), "received_at": NOON}
            connection.execute(instance.insert().values(**of_object))


def first_of(engine: Engine, *kinds: dict[str, Any]) -> str | None:
    a_study(engine, *kinds)
    with engine.connect() as connection:
        return first_series_of(connection, UID)


AXIAL = {"rows": 512, "sop_class_uid": CT, "image_type": ["ORIGINAL", "PRIMARY", "AXIAL"]}
MR = {"modality": "MR", "rows": 256}
SCOUT = {"rows": 512, "sop_class_uid": CT, "image_type": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([SCOUT, AXIAL, AXIAL], "1.2.9.2"),
        ([{**AXIAL, "series_number": 7}, {**AXIAL, "series_number": 2}], "1.2.9.2"),
        ([{"sop_class_uid": SR, "modality": "SR"}, AXIAL], "1.2.9.2"),
        ([{"rows": 700, "sop_class_uid": CAPTURE}, AXIAL], "1.2.9.2"),
        ([{**MR, "series_description": "3-plane loc"}, {**MR}], "1.2.9.2"),
        ([{**MR, "series_description": "t1 local field"}, {**MR}], "1.2.9.1"),
        ([{**MR, "series_description": None}, {**MR}], "1.2.9.1"),
        ([SCOUT], "1.2.9.1"),
        ([{"sop_class_uid": SR, "modality": "SR"}], None),
        ([], None),
    ],
)  # fmt: skip
def test_the_viewer_begins_with_the_first_series_that_is_no_localizer(
    engine: Engine, kinds: list[dict[str, Any]], expected: str | None
) -> None:
    assert first_of(engine, *kinds) == expected


def test_it_is_led_there_and_its_list_is_ours(engine: Engine) -> None:
    a_study(engine, SCOUT, AXIAL)
    client = client_of(engine)
    asked = f"/treegarth/ohif/viewer?StudyInstanceUIDs={UID}"
    assert client.get(asked).headers["Location"] == f"{asked}&initialSeriesInstanceUID=1.2.9.2"
    for place in ("", "viewer", "index.html"):
        assert client.get(f"/treegarth/ohif/{place}").headers["Location"] == "/treegarth/studies"


def test_each_picture_opens_the_viewer_on_its_series_and_a_report_its_tree(engine: Engine) -> None:
    a_study(engine, SCOUT, AXIAL, {"sop_class_uid": SR, "modality": "SR"})
    page = client_of(engine).get(f"/treegarth/studies/{UID}").text
    assert f"viewer?StudyInstanceUIDs={UID}&amp;initialSeriesInstanceUID=1.2.9.2" in page
    assert f'href="/treegarth/studies/{UID}/series/1.2.9.3/instances/1.2.8.3"' in page
    assert page.index('id="series"') < page.index('id="retention"')


@pytest.mark.parametrize(
    ("kind", "main", "offers_viewer"),
    [
        (AXIAL, "Images in the viewer", True),
        ({"sop_class_uid": SR, "modality": "SR"}, "Read the report", False),
        ({"sop_class_uid": PDF, "modality": "DOC"}, None, True),
        ({"sop_class_uid": "1.2.840.10008.5.1.4.1.1.66.4", "modality": "SEG"}, None, False),
    ],
)
def test_the_viewer_is_the_main_button_only_of_what_has_images(
    engine: Engine, kind: dict[str, Any], main: str | None, offers_viewer: bool
) -> None:
    a_study(engine, kind)
    page = client_of(engine).get(f"/treegarth/studies/{UID}").text
    (head,) = re.findall(r'<div class="study-head">(.*?)<dl', page, re.DOTALL)
    found = re.search(r'class="button main".*?</svg>(.*?)</a>', head, re.DOTALL)
    assert (found[1] if found else None) == main
    assert ("data-viewer" in head) is offers_viewer


def test_labels_are_put_on_and_taken_off_by_hand_and_found(engine: Engine) -> None:
    a_study(engine, AXIAL)
    client = client_of(engine)

    def say(way: str, label: str) -> str:
        answer = client.post(f"/treegarth/studies/{UID}/label", data={"way": way, "label": label})
        assert answer.status_code == 303
        return client.get(answer.headers["Location"]).text

    say("set", " teaching ")
    say("set", "폐암")
    with engine.connect() as connection:
        assert [one.label for one in list_labels(connection, "study-00001")] == ["teaching", "폐암"]
    listed = client.get("/treegarth/api/v1/studies?label=teaching").get_json()["items"]
    assert [one["labels"] for one in listed] == [["teaching", "폐암"]]
    assert client.get("/treegarth/api/v1/studies?label=teach").get_json()["items"] == []
    assert "label=teaching" in client.get("/treegarth/studies").text
    assert "teaching" not in say("take off", "teaching").split("known-labels")[0]
    assert "A label has 1 to 64 printable characters" in say("set", ",")


def test_the_patients_other_studies_stand_below(engine: Engine) -> None:
    a_study(engine, AXIAL)
    with engine.begin() as connection:
        for number in (2, 3):
            write_study(connection, number, study_description=f"another {number}")
        ours = study.c.orthanc_study_id == "study-00002"
        connection.execute(update(study).where(ours).values(orthanc_patient_id="patient-1"))
        change_labels(connection, "study-00002", ["seen"], is_set=True, by="kim", now=NOON)
    page = client_of(engine).get(f"/treegarth/studies/{UID}").text
    others = page[page.index('id="others"') :]
    assert "another 2" in others
    assert "label=seen" in others
    assert "another 3" not in page


@contextmanager
def orthanc_that_has(content: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_file = self.path.endswith("/file")
            self.send_response(200 if is_file else 404)
            self.send_header("Content-Length", str(len(content) if is_file else 0))
            self.end_headers()
            if is_file:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(timeout=5)


ADDRESS = f"/treegarth/studies/{UID}/series/1.2.9.1/instances/1.2.8.1"


def test_an_objects_page_has_its_tree_and_its_attributes(engine: Engine) -> None:
    a_study(engine, {"sop_class_uid": SR, "modality": "SR"})
    report = ct_dose_report()
    report.SpecificCharacterSet, report.StudyDescription = "ISO_IR 192", "흉부"
    with orthanc_that_has(as_file(report)) as url:
        client = client_of(engine, url)
        page = client.get(ADDRESS).text
        found = client.get(f"{ADDRESS}?q=113830&codes=true").text
    assert "113811" in page
    assert "흉부" in page
    assert "(0008,1030)" in page
    assert "<mark>" in found
    assert client.get(ADDRESS.replace("1.2.8.1", "1.2.8.7")).status_code == 404


def test_an_objects_page_says_why_it_shows_none(engine: Engine) -> None:
    a_study(engine, AXIAL)
    with orthanc_that_has(b"no dicom at all" * 20) as url:
        answer = client_of(engine, url).get(ADDRESS)
    assert answer.status_code == 200
    assert "The object cannot be read." in answer.text
    with engine.begin() as connection:
        connection.execute(update(instance).values(nesting_depth=80))
    page = client_of(engine).get(ADDRESS).text  # nobody is asked
    assert "80 deep" in page
    assert "rendered" not in page
