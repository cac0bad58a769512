"""Fluoroscopy by physician: from the header to the page, each median as numpy has it, and no name in a log."""

from __future__ import annotations

import csv
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.engine import Engine

from tests.dose_builder import as_file, code, coded, container, num, person, report, uidref
from tests.dose_registry_support import Archive, Instance, index, note
from tests.dose_statistics import MadeExam, keep
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.registry.service import read_waiting
from treegarth.features.dose.registry.tables import dose_study

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1/dose/analysis/physicians"
PAGE = "/treegarth/dose/analysis/physicians"
NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC) + timedelta(days=36_500)  # later than the server's own clock


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


def x_ray_report(uid: str, *, header: str | None = None, administered: str | None = None) -> bytes:
    """Of one event; by whom, as the header or the event says it."""
    who = [person(administered, coded("113875", code("113851")))] if administered else []
    event = container(
        "113706", coded("113764", code("113622")), uidref("113769", f"{uid}.4"), num("122130", "0.0002", "Gy.m2"), *who
    )  # fmt: skip
    plane = container("113702", coded("113764", code("113622")), num("113722", "0.0002", "Gy.m2"))
    made = report(plane, event, sop_instance_uid=f"{uid}.1", study_instance_uid=uid)
    if header is not None:
        made.PerformingPhysicianName = header
    return as_file(made)


def performed(engine: Engine, **files: bytes) -> dict[str, str | None]:
    """Who performed each study, by its UID, after its file was read."""
    instances = [Instance(name, f"1.2.{name}.1", study_instance_uid=f"1.2.{name}") for name in files]
    index(engine, *instances, modality="XA", station="LAB1")
    note(engine, *instances)
    read_waiting(engine, Archive(**files), limit=100, clock=lambda: NOW)
    with connect(engine) as connection:
        rows = connection.execute(select(dose_study.c.study_instance_uid, dose_study.c.performing_physician))
        return {row.study_instance_uid.rpartition(".")[2]: row.performing_physician for row in rows}


def test_the_header_or_the_events_name_the_physician(engine: Engine) -> None:
    files = {
        "1": x_ray_report("1.2.1", header="SEO^JUNHO^^\\BAEK^NARAE", administered="Lee^Ada"),
        "2": x_ray_report("1.2.2", administered="Lee^Ada"),
        "3": x_ray_report("1.2.3"),
    }
    assert performed(engine, **files) == {"1": "SEO^JUNHO", "2": "Lee^Ada", "3": None}


def test_what_is_read_stands_on_the_page_and_in_no_log(
    client: FlaskClient, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="treegarth"):
        performed(engine, **{"1": x_ray_report("1.2.1", header="SEO^JUNHO")})
        assert "SEO JUNHO" in client.get(PAGE).text.replace(", ", " ")
        (found,) = client.get(API).get_json()["items"]
    assert (found["physician"], found["exams"], found["dose_area_product_n"]) == ("SEO^JUNHO", 1, 1)
    assert "JUNHO" not in caplog.text


def exams_of(engine: Engine, physician: str | None, count: int, **given: Any) -> list[MadeExam]:
    drawn = np.random.default_rng(count)
    made = [
        MadeExam(
            doses={
                "dose_area_product_gy_m2": float(dap),
                "dose_rp_gy": float(dap) * 100,
                "total_fluoro_time_s": float(dap) * 1e5,
                "irradiation_event_count": 3,
            },
            **{"modality": "XA", "name": "Coronary", **given},
        )
        for dap in drawn.lognormal(-6, 0.5, count)
    ]
    with transaction(engine) as connection:
        keep(connection, made)
        ids = [one.orthanc_study_id for one in made]
        which = dose_study.c.orthanc_study_id.in_(ids)
        connection.execute(update(dose_study).where(which).values(performing_physician=physician))
    return made


def test_medians_and_intervals_are_those_of_the_same_values(client: FlaskClient, engine: Engine) -> None:
    made = {
        "SEO^JUNHO": exams_of(engine, "SEO^JUNHO", 20),
        "BAEK^NARAE": exams_of(engine, "BAEK^NARAE", 12),
        None: exams_of(engine, None, 30),
    }
    exams_of(engine, "SEO^JUNHO", 4, modality="CT")  # no fluoroscopy
    items = client.get(API).get_json()["items"]
    assert [(one["physician"], one["exams"]) for one in items] == [("SEO^JUNHO", 20), ("BAEK^NARAE", 12), (None, 30)]
    names = {
        "dose_area_product_gy_m2": ("dose_area_product", "gy_m2"),
        "dose_rp_gy": ("dose_rp", "gy"),
        "total_fluoro_time_s": ("fluoro_time", "s"),
    }
    for one in items:
        for quantity, (start, unit) in names.items():
            values = sorted(exam.doses[quantity] for exam in made[one["physician"]])
            assert one[f"{start}_n"] == len(values)
            assert one[f"{start}_median_{unit}"] == pytest.approx(np.median(values), rel=1e-12)
            assert one[f"{start}_p75_{unit}"] == pytest.approx(np.percentile(values, 75), rel=1e-12)
    seo = items[0]
    values = sorted(exam.doses["dose_area_product_gy_m2"] for exam in made["SEO^JUNHO"])
    ends = (values[5], values[14])  # of 20 values the 6th and the 15th: 1 - 2 P(B <= 5) = 95.9 %
    assert (seo["dose_area_product_low_gy_m2"], seo["dose_area_product_high_gy_m2"]) == ends


def test_one_modality_alone_and_what_is_doubted(client: FlaskClient, engine: Engine) -> None:
    exams_of(engine, "SEO^JUNHO", 3)
    exams_of(engine, "SEO^JUNHO", 2, modality="RF", doubted=("dose_area_product_gy_m2",))
    (both,) = client.get(API).get_json()["items"]
    assert (both["exams"], both["dose_area_product_n"], both["dose_rp_n"]) == (5, 3, 5)
    (rf,) = client.get(API, query_string={"modality": "RF"}).get_json()["items"]
    assert (rf["exams"], rf["dose_area_product_n"], rf["dose_area_product_median_gy_m2"]) == (2, 0, None)
    (every,) = client.get(API, query_string={"with_doubted": "true"}).get_json()["items"]
    assert every["dose_area_product_n"] == 5


def test_the_file_has_the_rows_of_the_endpoint(client: FlaskClient, engine: Engine) -> None:
    exams_of(engine, "SEO^JUNHO", 7)
    rows = list(csv.DictReader(client.get(f"{PAGE}/csv").get_data(as_text=True).splitlines()))
    (found,) = client.get(API).get_json()["items"]
    assert [list(row.values())[:2] for row in rows] == [["SEO^JUNHO", "7"]]
    assert float(rows[0]["dose_rp_median_gy"]) == pytest.approx(found["dose_rp_median_gy"], rel=1e-14)


def test_the_page_draws_one_quantity_and_says_when_there_is_nothing(client: FlaskClient, engine: Engine) -> None:
    assert "No fluoroscopy" in client.get(PAGE).text
    exams_of(engine, "서^준호", 8)
    html = client.get(PAGE, query_string={"quantity": "total_fluoro_time_s"}).text
    assert 'data-kind="box"' in html
    assert "서준호" in html.replace(" ", "")
