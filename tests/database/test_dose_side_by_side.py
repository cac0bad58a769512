"""Names and devices side by side: each cell is what numpy says of the same values."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.engine import Engine

from tests.dose_statistics import MadeExam, keep, name_of_exams, standard
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.features.dose.analysis.tables import exam_name

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1/dose/analysis/matrix"
PAGE = "/treegarth/dose/analysis/side-by-side"
FILE = "/treegarth/dose/analysis/files/matrix/csv"


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


def drawn(number: int, **given: Any) -> list[MadeExam]:
    values = np.random.default_rng(number).lognormal(6, 0.4, number)
    return [
        MadeExam(
            doses={"dlp_body_mgy_cm": float(one), "irradiation_event_count": 1},
            events=({"mean_ctdi_vol_mgy": float(one) / 40, "dlp_mgy_cm": float(one)},),
            **given,
        )
        for one in values
    ]


def hospital(engine: Engine) -> list[MadeExam]:
    """Two names on three scanners; one of the names stands for two raw ones, and a third has none."""
    exams = [
        *drawn(9, name="Chest", station="CT1", protocol="Thorax"),
        *drawn(7, name="Thorax native", station="CT1", protocol="Thorax"),
        *drawn(11, name="Chest", station="CT2", protocol="Thorax low"),
        *drawn(6, name="Head", station="CT3", protocol="Head"),
        *drawn(3, name="Odd", station="CT3", protocol=None),
    ]
    with transaction(engine) as connection:
        keep(connection, exams)
        chest, head = standard(connection, "Chest CT"), standard(connection, "Head CT")
        for raw, number in (("Chest", chest), ("Thorax native", chest), ("Head", head)):
            which = exam_name.c.id == name_of_exams(connection, raw)
            connection.execute(update(exam_name).where(which).values(standard_name_id=number))
    return exams


def get(client: FlaskClient, **asked: Any) -> Any:
    answer = client.get(API, query_string=asked)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def values(exams: list[MadeExam], which: Callable[[MadeExam], bool]) -> list[float]:
    return [one.doses["dlp_body_mgy_cm"] for one in exams if which(one)]


def test_each_name_has_all_devices_together_and_each_one(client: FlaskClient, engine: Engine) -> None:
    exams = hospital(engine)
    found = get(client, modality="CT")
    assert (found["names"], found["of"]["quantity"]) == ("standard", "dlp_body_mgy_cm")
    places = [(one["name"], one["device"]) for one in found["items"]]
    chest = [("Chest CT", None), ("Chest CT", "Maker CT1"), ("Chest CT", "Maker CT2")]
    assert places == [*chest, ("Head CT", None), ("Head CT", "Maker CT3")]
    raw = {"Chest CT": ("Chest", "Thorax native"), "Head CT": ("Head",)}
    for one in found["items"]:
        of = values(
            exams,
            lambda exam, one=one: exam.name in raw[one["name"]] and one["device"] in (None, f"Maker {exam.station}"),
        )
        assert one["n"] == len(of)
        assert one["median"] == pytest.approx(np.median(of), rel=1e-12)
        assert one["p75"] == pytest.approx(np.percentile(of, 75), rel=1e-12)


def test_raw_names_and_protocols_stand_there_too(client: FlaskClient, engine: Engine) -> None:
    hospital(engine)
    raw = get(client, modality="CT", names="exam")
    assert {one["name"] for one in raw["items"]} == {"Chest", "Thorax native", "Head", "Odd"}
    protocols = get(client, modality="CT", names="protocol", quantity="mean_ctdi_vol_mgy")
    assert (protocols["of"]["level"], protocols["of"]["phantom"]) == ("event", "body")
    whole = {one["name"]: one["n"] for one in protocols["items"] if one["device_key"] is None}
    assert whole == {"Thorax": 16, "Thorax low": 11, "Head": 6}
    refused = client.get(API, query_string={"names": "exam", "level": "event"})
    assert refused.status_code == 400


def test_without_standard_names_the_raw_ones_are_taken(client: FlaskClient, engine: Engine) -> None:
    with transaction(engine) as connection:
        keep(connection, drawn(4, name="Chest"))
    assert get(client, modality="CT")["names"] == "exam"
    assert get(client, modality="CT", names="standard")["items"] == []


def test_what_is_doubted_is_left_out_and_counted(client: FlaskClient, engine: Engine) -> None:
    with transaction(engine) as connection:
        keep(connection, [*drawn(5), *drawn(2, doubted=("dlp_body_mgy_cm",))])
    (whole, device) = get(client, modality="CT")["items"]
    assert (whole["n"], whole["doubted_left_out"], device["n"], device["doubted_left_out"]) == (5, 2, 5, 2)
    assert get(client, modality="CT", with_doubted="true")["items"][0]["n"] == 7


def test_the_file_has_every_cell_of_the_endpoint(client: FlaskClient, engine: Engine) -> None:
    hospital(engine)
    rows = list(csv.DictReader(client.get(FILE, query_string={"modality": "CT"}).get_data(as_text=True).splitlines()))
    found = get(client, modality="CT")["items"]
    assert [(one["name"], one["device"] or None, int(one["n"])) for one in rows] == [
        (one["name"], one["device"], one["n"]) for one in found
    ]


def test_a_number_of_the_page_leads_to_its_distribution(client: FlaskClient, engine: Engine) -> None:
    hospital(engine)
    found = get(client, modality="CT")["items"]
    cell = next(one for one in found if one["device"] == "Maker CT2")
    for shown in ("median", "p75", "ratio", "n"):
        html = client.get(PAGE, query_string={"modality": "CT", "shown": shown}).text
        assert "Chest CT" in html
        assert "Maker CT2" in html
    assert 'data-kind="heat"' in html
    address = f"standard_name={cell['name_id']}&amp;device={cell['device_key']}"
    assert address in html
    followed = client.get(
        "/treegarth/api/v1/dose/analysis/figures",
        query_string={"standard_name": cell["name_id"], "device": cell["device_key"], "quantity": "dlp_body_mgy_cm"},
    ).get_json()
    assert followed["whole"]["median"] == cell["median"]


def test_of_nothing_the_page_says_what_will_stand_there(client: FlaskClient) -> None:
    assert "No values" in client.get(PAGE).text
    assert get(client)["items"] == []


def test_every_file_of_analysis_says_of_which_values_it_is(client: FlaskClient, engine: Engine) -> None:
    hospital(engine)
    for table in ("overview", "matrix", "whole", "histogram", "device", "points", "greatest"):
        asked = "" if table == "overview" else "?modality=CT&quantity=dlp_body_mgy_cm&age_below=90"
        text = client.get(f"/treegarth/dose/analysis/files/{table}/csv{asked}").get_data(as_text=True)
        rows = list(csv.DictReader(text.removeprefix("\ufeff").splitlines()))
        assert rows or table in ("overview", "points"), table
        for row in rows:
            assert row["unit"] == "mGy.cm", table
            assert row["modality"] == "CT"
            assert "phantom" in row
            assert row["quantity"].startswith("dlp_")
            assert row["asked_study_date_from"] == ""
