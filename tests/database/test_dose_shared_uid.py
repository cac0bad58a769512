"""Two patients with one Study Instance UID: nobody is shown the other one's dose, and which one is meant is asked."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.database.test_dose_pages import API, NOON, write_report
from tests.index_support import write_study
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application

ROOT = Path(__file__).resolve().parents[2]
UID = "1.2.840.99999.7"
EVENT = {"dlp_mgy_cm": 100.0, "ctdiw_phantom_type": "IEC Body Dosimetry Phantom"}


def make_client(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    for number, patient, total in ((1, "ANNA", 100.0), (2, "BERTA", 700.0)):
        event = EVENT | {"irradiation_event_uid": f"1.9.{number}", "dlp_mgy_cm": total}
        write_report(
            engine, number, study_instance_uid=UID, patient_id=patient, dlp_total_mgy_cm=total, events=(event,)
        )
    return make_client(engine)


def test_the_answer_offers_each_and_an_identifier_says_which(client: FlaskClient) -> None:
    asked = client.get(f"{API}/studies/{UID}")
    assert asked.status_code == 409
    choices = asked.get_json()["choices"]
    assert [(one["patient_id"], one["study_date"]) for one in choices] == [
        ("ANNA", "2026-11-20"),
        ("BERTA", "2026-11-20"),
    ]
    for choice, total in zip(choices, (100.0, 700.0), strict=True):
        found = client.get(f"{API}/studies/{UID}?orthanc_study_id={choice['orthanc_study_id']}").get_json()
        assert (found["best"]["dlp_mgy_cm"], len(found["reports"]), len(found["decisions"])) == (total, 1, 1)
        assert found["origin"]["dlp_mgy_cm"] == "reported"
    assert client.get(f"{API}/studies/{UID}?orthanc_study_id=another").status_code == 404


def test_the_page_asks_too_and_each_row_of_the_list_leads_to_its_own(client: FlaskClient) -> None:
    asked = client.get(f"/treegarth/dose/studies/{UID}")
    assert asked.status_code == 409
    assert "ANNA" in asked.text
    assert "BERTA" in asked.text
    page = client.get("/treegarth/dose").text
    for number in (1, 2):
        assert f"orthanc_study_id=study-{number:05}" in page
    one = client.get(f"/treegarth/dose/studies/{UID}?orthanc_study_id=study-00002").text
    assert "BERTA" in one
    assert ">700<" in one
    assert ">100<" not in one


def test_each_item_says_what_is_best_known_where_from_and_what_is_doubted(client: FlaskClient) -> None:
    items = client.get(f"{API}/studies").get_json()["items"]
    assert {item["best"]["dlp_body_mgy_cm"] for item in items} == {100.0, 700.0}
    assert all(item["doubts"] == [] and item["replaced_by"] is None for item in items)
    (sum_of_one,) = client.get(f"{API}/patient?patient_id=BERTA").get_json()["cumulative"]
    assert (sum_of_one["value"], sum_of_one["study_count"], sum_of_one["unattributed_count"]) == (700.0, 1, 0)


def test_a_study_that_left_the_archive_is_shown_with_its_kept_dose_when_it_is_named(engine: Engine) -> None:
    """Anna's study is there, Berta's has gone: only the row of its dose is left."""
    with engine.begin() as connection:
        write_study(connection, 1, study_instance_uid=UID, patient_id="ANNA", modalities=["CT"])
    for number, patient, total, gone in ((1, "ANNA", 100.0, None), (2, "BERTA", 700.0, NOON)):
        write_report(
            engine,
            number,
            study_instance_uid=UID,
            patient_id=patient,
            dlp_total_mgy_cm=total,
            source_deleted_at=gone,
        )
    client = make_client(engine)
    named = f"{UID}?orthanc_study_id=study-00002"
    assert client.get(f"{API}/studies/{named}").get_json()["best"]["dlp_mgy_cm"] == 700.0
    for address in (f"/treegarth/studies/{named}", f"/treegarth/dose/studies/{named}"):
        page = client.get(address, follow_redirects=True)
        assert page.status_code == 200
        assert ("BERTA" in page.text, ">700<" in page.text, ">100<" in page.text) == (True, True, False)
    assert client.get(f"/treegarth/studies/{UID}?orthanc_study_id=study-00009").status_code == 404
    of_anna = client.get(f"/treegarth/studies/{UID}?orthanc_study_id=study-00001")
    assert ">100<" in of_anna.text


def test_a_study_without_dose_that_shares_its_uid_with_one_that_has_is_a_choice_too(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1, study_instance_uid=UID, patient_id="ANNA", modalities=["CT"])
        write_study(connection, 2, study_instance_uid=UID, patient_id="BERTA", modalities=["CT"])
    write_report(engine, 1, study_instance_uid=UID, patient_id="ANNA", dlp_total_mgy_cm=100.0)
    client = make_client(engine)
    asked = client.get(f"{API}/studies/{UID}")
    assert [one["patient_id"] for one in asked.get_json()["choices"]] == ["ANNA", "BERTA"]
    without = client.get(f"{API}/studies/{UID}?orthanc_study_id=study-00002").get_json()
    assert (without["best"], without["reports"], without["orthanc_study_id"]) == (None, [], None)


LISTS = (
    "dose",
    "dose/missing",
    "dose/sources",
    "dose/sources?state=refused",
    "dose/sources?issues=true",
    "dose/not-patients?study_description=*",
    "dose/not-patients?patient_id=?*",
    "dose/patient?patient_id=A",
    "system",
)


def test_every_list_that_leads_to_a_study_says_whose_is_meant(engine: Engine) -> None:
    """One study in each list, each with a namesake in the archive that is in none."""
    written = (
        {"dlp_total_mgy_cm": 10.0},
        {"state": "failed", "kind": None, "last_error": "The file ends early."},
        {"state": "refused", "kind": None, "refused": "It is a key object."},
        {"issue_count": 1, "issues": [{"path": "1.4", "reason": "not a number"}], "dlp_total_mgy_cm": 20.0},
    )
    with engine.begin() as connection:
        for number in range(1, 6):
            uid = f"{UID}.{number}"
            day = date(2026, 11, 20)
            write_study(connection, number, study_instance_uid=uid, patient_id="A", modalities=["CT"], study_date=day)
            write_study(connection, 100 + number, study_instance_uid=uid, patient_id="B", modalities=["MR"])
    for number, given in enumerate(written, start=1):
        write_report(engine, number, study_instance_uid=f"{UID}.{number}", patient_id="A", **given)
    client = make_client(engine)
    led_to: set[str] = set()
    for path in LISTS:
        links = re.findall(rf'href="([^"]*/studies/{re.escape(UID)}[^"]*)"', client.get(f"/treegarth/{path}").text)
        for link in links:
            assert re.search(r"orthanc_study_id=study-0000\d", link), f"{path}: {link}"
            led_to.add(re.findall(r"study-\d{5}", link)[0])
    assert led_to == {f"study-{number:05}" for number in range(1, 6)}


def test_a_decision_says_whose_study_is_meant_and_is_taken_for_it_alone(client: FlaskClient) -> None:
    body = {"act": "void", "reason": "asked"}
    asked = client.post(f"{API}/studies/{UID}/acts", json=body)
    assert asked.status_code == 409
    assert [one["patient_id"] for one in asked.get_json()["choices"]] == ["ANNA", "BERTA"]
    done = client.post(f"{API}/studies/{UID}/acts", json=body | {"orthanc_study_id": "study-00002"})
    assert done.status_code == 201
    assert client.get(f"{API}/studies/{UID}/acts").status_code == 409
    for number, dose, count in ((1, 100.0, 0), (2, None, 1)):
        of_one = f"orthanc_study_id=study-{number:05}"
        assert client.get(f"{API}/studies/{UID}?{of_one}").get_json()["best"]["dlp_mgy_cm"] == dose
        assert len(client.get(f"{API}/studies/{UID}/acts?{of_one}").get_json()["items"]) == count
        page = client.get(f"/treegarth/dose/studies/{UID}?{of_one}").text
        assert f'name="orthanc_study_id" value="study-{number:05}"' in page
    page = client.post(f"/treegarth/dose/studies/{UID}/acts", data=body | {"orthanc_study_id": "study-00001"})
    assert page.status_code == 303
    assert "orthanc_study_id=study-00001" in page.headers["Location"]
