"""The pages, files and endpoints of analysis: the same figures, each value a click from its exam, nothing where nothing
is."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert
from sqlalchemy.engine import Engine

from tests.dose_statistics import MadeExam, keep, name_of_exams, name_of_protocol, standard
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.features.dose.analysis.distribution import NOTHING, Distribution
from treegarth.features.dose.analysis.store.shape import POINTS_SHOWN, edges
from treegarth.features.dose.analysis.tables import exam_name

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1/dose/analysis"
PAGE = "/treegarth/dose/analysis"


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


def made(engine: Engine, *exams: MadeExam) -> None:
    with transaction(engine) as connection:
        keep(connection, exams)


def chests(count: int, seed: int = 1, **given: Any) -> list[MadeExam]:
    drawn = np.random.default_rng(seed)
    return [
        MadeExam(
            doses={
                "dlp_mgy_cm": float(dlp),
                "dlp_body_mgy_cm": float(dlp),
                "ctdi_vol_max_mgy": float(dlp) / 40,
                "irradiation_event_count": 2,
            },
            weight=float(weight),
            age=float(age),
            study_date=date(2026, 1 + number % 10, 1 + number % 28),
            study_hour=8 + number % 9,
            station=f"CT{number % 2}",
            events=({"mean_ctdi_vol_mgy": float(dlp) / 40, "dlp_mgy_cm": float(dlp)},),
            **given,
        )
        for number, (dlp, weight, age) in enumerate(
            zip(drawn.lognormal(6, 0.5, count), drawn.normal(75, 15, count), drawn.uniform(0, 95, count), strict=True)
        )
    ]


def get(client: FlaskClient, what: str, **asked: Any) -> Any:
    answer = client.get(f"{API}/{what}", query_string=asked)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def number_of(engine: Engine, name: str) -> int:
    with transaction(engine) as connection:
        return name_of_exams(connection, name)


def test_the_overview_has_a_line_for_what_leads_each_modality(client: FlaskClient, engine: Engine) -> None:
    fluoroscopy = {"dose_area_product_gy_m2": 0.002, "irradiation_event_count": 5.0}
    made(engine, *chests(20), MadeExam(modality="XA", doses=fluoroscopy, name="Coronary"))
    found = {(one["modality"], one["quantity"]): one for one in get(client, "overview")["items"]}
    assert set(found) == {("CT", "dlp_mgy_cm"), ("XA", "dose_area_product_gy_m2")}
    bodies_found = found["CT", "dlp_mgy_cm"]
    assert (bodies_found["phantom"], bodies_found["exam_count"], bodies_found["n"]) == ("body", 20, 20)
    html = client.get(PAGE).text
    assert "DLP · Body 32 cm" in " ".join(html.split())
    assert ">20<" in html.replace(" ", "")  # 0.002 Gy·m² are 20 Gy·cm²


def test_groups_add_up_to_all_and_are_what_numpy_says(client: FlaskClient, engine: Engine) -> None:
    exams = chests(60)
    made(engine, *exams)
    name = number_of(engine, "Chest")
    values = [one.doses["dlp_body_mgy_cm"] for one in exams]
    for by in ("month", "quarter", "device", "age", "weight", "name"):
        answer = get(client, "figures", exam_name=name, by=by)
        assert (answer["of"]["quantity"], answer["of"]["phantom"]) == ("dlp_mgy_cm", "body")
        assert sum(one["n"] for one in answer["items"]) == 60, by
        assert answer["whole"]["median"] == pytest.approx(np.median(values), rel=1e-12)
    ages = {one["of"]: one for one in get(client, "figures", exam_name=name, by="age")["items"]}
    middle = [one.doses["dlp_body_mgy_cm"] for one in exams if one.age is not None and 40 <= one.age < 60]
    assert ages["40–<60"]["n"] == len(middle)
    assert ages["40–<60"]["p75"] == pytest.approx(np.percentile(middle, 75), rel=1e-12)
    devices = get(client, "figures", exam_name=name, by="device")["items"]
    assert {one["label"] for one in devices} == {"Maker CT0", "Maker CT1"}
    of_one = get(client, "figures", exam_name=name, device=devices[0]["of"])["whole"]
    assert of_one["n"] == devices[0]["n"]


def test_what_is_left_open_is_chosen_and_told(client: FlaskClient, engine: Engine) -> None:
    made(engine, *chests(3), *chests(9, phantom="head"))
    of = get(client, "figures", modality="CT", quantity="dlp_mgy_cm")["of"]
    assert (of["phantom"], of["unit_shown"], of["level"]) == ("head", "mGy·cm", "exam")
    assert get(client, "figures", modality="CT", quantity="dlp_mgy_cm", phantom="body")["whole"]["n"] == 3


def test_the_histogram_has_every_value_once(client: FlaskClient, engine: Engine) -> None:
    exams = chests(200)
    made(engine, *exams)
    for scale in ("linear", "log"):
        bins = get(client, "histogram", modality="CT", scale=scale)["items"]
        assert sum(one["count"] for one in bins) == 200
        for one in bins:
            inside = [
                value
                for value in (exam.doses["dlp_body_mgy_cm"] for exam in exams)
                if (one["least"] is None or value >= one["least"]) and (one["below"] is None or value < one["below"])
            ]
            assert one["count"] == len(inside), one


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [0.0, 1e-9, 1e9], [1e-300, 1e300], [1.0, 1e6], [-1.0, 3.0]])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_bins_are_few_whatever_the_values_are(values: list[float], scale: Any) -> None:
    parts = {"minimum": min(values), "maximum": max(values), "p95": float(np.percentile(values, 95))}
    of = Distribution(**{**dict(NOTHING), "n": len(values), **parts})
    found = edges(of, 1.0, scale)
    assert 0 < len(found) <= 202
    assert found == sorted(set(found))


def test_exams_by_weekday_and_hour_are_counted_whatever_dose_they_have(client: FlaskClient, engine: Engine) -> None:
    made(engine, *chests(30))
    found = get(client, "workload", modality="CT")["items"]
    assert sum(one["count"] for one in found) == 30
    assert {one["weekday"] for one in found} <= set(range(1, 8))
    monday = MadeExam(doses={"irradiation_event_count": 1}, study_date=date(2026, 11, 23), study_hour=3)
    made(engine, monday)
    night = [one for one in get(client, "workload", modality="CT")["items"] if one["hour"] == 3]
    assert night == [{"weekday": 1, "hour": 3, "count": 1}]


def test_the_greatest_values_lead_to_their_exams(client: FlaskClient, engine: Engine) -> None:
    made(engine, *chests(30), MadeExam(doses={"dlp_mgy_cm": 99999.0}, orthanc_study_id="exam777000"))
    found = get(client, "greatest", modality="CT")["items"]
    assert [one["value"] for one in found] == sorted((one["value"] for one in found), reverse=True)
    assert (found[0]["study_instance_uid"], len(found)) == ("1.2.777000", 10)
    html = client.get(f"{PAGE}/name?modality=CT").text
    assert 'href="/treegarth/dose/studies/1.2.777000"' in html
    assert "&gt; P95" in html


def test_points_are_a_part_that_stays_the_same_and_says_of_how_many(client: FlaskClient, engine: Engine) -> None:
    made(engine, *chests(40), MadeExam(doses={"dlp_body_mgy_cm": 1.0}, weight=None))
    answer = get(client, "points", modality="CT")
    assert (answer["count"], len(answer["items"])) == (40, 40)
    assert get(client, "points", modality="CT") == answer
    assert all(one["size"] == pytest.approx(one["size"]) for one in answer["items"])
    of_height = get(client, "points", modality="CT", size="bmi")
    assert {round(one["size"] * 1.75**2, 6) for one in of_height["items"]} == {
        round(one["size"], 6) for one in answer["items"]
    }
    assert POINTS_SHOWN == 2000


def test_a_protocol_has_values_of_events_by_phantom(client: FlaskClient, engine: Engine) -> None:
    made(engine, *chests(12))
    with transaction(engine) as connection:
        protocol = name_of_protocol(connection, "Thorax routine")
    answer = get(client, "figures", protocol=protocol, by="device")
    assert (answer["of"]["level"], answer["of"]["phantom"], answer["whole"]["n"]) == ("event", "body", 12)
    assert sum(one["n"] for one in answer["items"]) == 12
    assert client.get(f"{PAGE}/name?protocol={protocol}").status_code == 200


def test_what_was_derived_has_its_distribution_too(client: FlaskClient, engine: Engine) -> None:
    made(
        engine, *(MadeExam(modality="PT", doses={"activity_per_weight_mbq_per_kg": one}, name="FDG") for one in (3, 5))
    )
    answer = get(client, "figures", modality="PT", quantity="activity_per_weight_mbq_per_kg")
    assert (answer["whole"]["n"], answer["whole"]["median"], answer["of"]["unit_shown"]) == (2, 4.0, "MBq/kg")


def test_names_stand_with_their_exams_mapped_ones_apart(client: FlaskClient, engine: Engine) -> None:
    with transaction(engine) as connection:
        number = standard(connection, "Chest CT")
        name_of_exams(connection, "Chest", standard_name_id=number)
    made(engine, *chests(4), *chests(2, name="Abdomen"))
    assert get(client, "names")["items"] == [
        {"kind": "standard", "id": number, "modality": "CT", "name": "Chest CT", "count": 4}
    ]
    assert [(one["name"], one["count"]) for one in get(client, "names", kind="exam")["items"]] == [("Abdomen", 2)]
    assert [one["name"] for one in get(client, "names", kind="protocol")["items"]] == ["Thorax routine"]
    assert get(client, "names", kind="exam", words="%")["items"] == []
    assert get(client, "figures", standard_name=number)["whole"]["n"] == 4
    assert f"standard_name={number}" in client.get(PAGE).text


def test_files_have_what_the_page_shows(client: FlaskClient, engine: Engine) -> None:
    made(engine, *chests(25))
    for table in ("overview", "whole", "histogram", "points", "greatest", "workload", "month", "device", "age"):
        answer = client.get(
            f"{PAGE}/files/{table}/csv?modality=CT" if table != "overview" else f"{PAGE}/files/{table}/csv"
        )
        assert answer.status_code == 200, table
        rows = list(csv.DictReader(answer.text.removeprefix("\ufeff").splitlines()))
        assert rows, table
    months = client.get(f"{PAGE}/files/month/csv?modality=CT").text.removeprefix("\ufeff").splitlines()
    of_api = get(client, "figures", modality="CT", by="month")["items"]
    read = list(csv.DictReader(months))
    assert [(one["of"], float(one["median"])) for one in read] == [
        (one["of"], pytest.approx(one["median"], rel=1e-14)) for one in of_api
    ]
    for wanted in ("xlsx", "parquet"):
        assert client.get(f"{PAGE}/files/device/{wanted}?modality=CT").status_code == 200


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("view", ["", "&scale=log&every=quarter&size=bmi", "&as_table=points", "&as_table=workload"])
def test_the_page_of_a_modality_is_shown_in_every_form(
    client: FlaskClient, engine: Engine, language: str, view: str
) -> None:
    made(engine, *chests(25))
    answer = client.get(f"{PAGE}/name?modality=CT&lang={language}{view}")
    assert answer.status_code == 200
    assert answer.text.count("data-chart-of") >= 4


def test_without_doses_pages_say_what_will_stand_there(client: FlaskClient) -> None:
    assert "as soon as the first dose reports were read" in client.get(PAGE).text
    assert "No values" in client.get(f"{PAGE}/name?modality=CT").text
    assert get(client, "figures", modality="CT", by="month")["items"] == []
    assert get(client, "histogram")["items"] == []


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("standard_name=999", 404),
        ("exam_name=1&protocol=2", 400),
        ("exam_name=1&level=event", 400),
        ("modality=CT&quantity=dose_rp_gy&phantom=head", 400),
        ("modality=CT&quantity=total_fluoro_time_s&level=event", 400),
        ("quantity=strange", 400),
        ("study_date_from=2026-02-01&study_date_to=2026-01-01", 400),
    ],
)
def test_what_contradicts_itself_is_refused_on_page_and_endpoint(client: FlaskClient, asked: str, status: int) -> None:
    assert client.get(f"{API}/figures?{asked}").status_code == status
    assert client.get(f"{PAGE}/name?{asked}").status_code == status


@pytest.mark.parametrize(("quantity", "level"), [("mean_ctdi_vol_mgy", "exam"), ("total_fluoro_time_s", "event")])
def test_a_quantity_of_the_other_level_is_refused_with_the_level_that_has_it(
    client: FlaskClient, quantity: str, level: str
) -> None:
    answer = client.get(f"{API}/figures", query_string={"modality": "CT", "quantity": quantity, "level": level})
    assert f"level `{'event' if level == 'exam' else 'exam'}`" in answer.get_json()["detail"]


def test_a_modality_that_no_exam_has_any_more_is_not_looked_at_first(client: FlaskClient, engine: Engine) -> None:
    made(engine, *chests(3))
    with engine.begin() as connection:
        connection.execute(insert(exam_name).values(key="left", modality="AA", protocols=[], procedure_codes=[]))
    assert get(client, "figures")["whole"]["n"] == 3


def test_numbers_that_nothing_can_hold_end_no_page(client: FlaskClient, engine: Engine) -> None:
    odd = [1.7e308, -1.7e308, 5e-324, 0.0, 1e160]
    made(
        engine, *(MadeExam(doses={"dlp_body_mgy_cm": one, "administered_activity_mbq": one}, weight=0.3) for one in odd)
    )
    for view in ("", "&scale=log", "&quantity=administered_activity_mbq"):
        assert client.get(f"{PAGE}/name?modality=CT{view}").status_code == 200, view
