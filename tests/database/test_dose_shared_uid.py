"""Two patients with one Study Instance UID: nobody is shown the other one's dose, and which one is meant is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.database.test_dose_pages import API, write_report
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application

ROOT = Path(__file__).resolve().parents[2]
UID = "1.2.840.99999.7"
EVENT = {"dlp_mgy_cm": 100.0, "ctdiw_phantom_type": "IEC Body Dosimetry Phantom"}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    for number, patient, total in ((1, "ANNA", 100.0), (2, "BERTA", 700.0)):
        event = EVENT | {"irradiation_event_uid": f"1.9.{number}", "dlp_mgy_cm": total}
        write_report(
            engine, number, study_instance_uid=UID, patient_id=patient, dlp_total_mgy_cm=total, events=(event,)
        )
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


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
