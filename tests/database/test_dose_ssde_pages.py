"""Size-specific dose on pages and over HTTP: of a study, as a list, why there is none, and what has series measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.engine import Engine

from tests.database.test_dose_series_ssde import SERIES, arrive, measure, report, row
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.analysis.size.tables import series_ssde
from treegarth.features.dose.registry.tables import dose_study
from treegarth.web.paths import API_PATH, BASE_PATH

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


def test_the_page_of_an_exam_has_its_series_with_their_sizes_and_estimates(engine: Engine, client: FlaskClient) -> None:
    archive = arrive(engine)
    report(engine)
    measure(engine, archive)
    page = client.get(f"{BASE_PATH}/studies/1.2.3").text
    assert "Size-specific dose, of the images" in page
    assert "Body 32 cm" in page
    assert f"{row(engine).ssde_mean_mgy:.3g}" in page
    korean = client.get(f"{BASE_PATH}/studies/1.2.3?lang=ko").text
    assert "영상에서 구한 체격별 선량" in korean


def test_a_study_says_each_slice_over_http(engine: Engine, client: FlaskClient) -> None:
    archive = arrive(engine)
    report(engine)
    measure(engine, archive)
    (found,) = client.get(f"{API_PATH}/dose/studies/1.2.3/ssde").get_json()["series"]
    assert (found["orthanc_series_id"], found["state"], found["reason"]) == (SERIES, "measured", None)
    assert [one["z_mm"] for one in found["slices"]] == [5.0, 10.0, 15.0]
    assert found["issues"] == []
    assert client.get(f"{API_PATH}/dose/studies/9.9/ssde").status_code == 404


def test_the_list_says_why_a_series_has_none(engine: Engine, client: FlaskClient) -> None:
    archive = arrive(engine)
    measure(engine, archive)
    page = client.get(f"{BASE_PATH}/dose/ssde?without=true").text
    assert "no CTDIvol that counts" in page
    assert client.get(f"{API_PATH}/dose/ssde?without=false").get_json()["items"] == []
    (one,) = client.get(f"{API_PATH}/dose/ssde?reason=no_dose&truncated=false").get_json()["items"]
    assert one["image_count"] == 3
    with connect(engine) as connection:
        assert connection.execute(select(dose_study)).all() == []


def test_what_is_cut_off_is_said(engine: Engine, client: FlaskClient) -> None:
    archive = arrive(engine)
    report(engine)
    measure(engine, archive)
    with transaction(engine) as connection:
        cut = {"truncated_fraction_mean": 0.3, "truncated_fraction_max": 0.4, "is_doubted": True}
        connection.execute(update(series_ssde).values(**cut))
    page = client.get(f"{BASE_PATH}/dose/ssde?truncated=true").text
    assert "up to 40 % of the border" in page
    assert "doubted" in page


def test_older_series_are_measured_by_a_button_and_by_a_program(engine: Engine, client: FlaskClient) -> None:
    arrive(engine)
    started = client.post(f"{API_PATH}/dose/ssde/measuring")
    assert (started.status_code, started.get_json()["kind"]) == (202, "dose.measuring")
    assert client.post(f"{BASE_PATH}/dose/ssde").status_code == 303
    assert "Measuring patients in older CT series" in client.get(f"{BASE_PATH}/dose/ssde").text


def test_what_failed_is_measured_again(engine: Engine, client: FlaskClient) -> None:
    arrive(engine)
    with transaction(engine) as connection:
        connection.execute(update(series_ssde).values(state="failed", last_error="silent"))
    page = client.get(f"{BASE_PATH}/dose/ssde?state=failed").text
    assert "silent" in page
    assert "Measure all again" in page
    assert "CT series could not be measured" in client.get(f"{BASE_PATH}/system").text
    assert client.post(f"{API_PATH}/dose/ssde/retry").get_json() == {"retried": 1}
    assert row(engine).state == "waiting"
