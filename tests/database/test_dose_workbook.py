"""The workbook of dose analysis: its figures equal numpy's, its sheets have what is behind them, large ones are long
works."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, update

from tests.dose_statistics import MadeExam, keep, name_of_exams, name_of_protocol, standard
from tests.unit.web.web_support import make_services
from tests.workbooks import Row, read_workbook
from tests.works import runner
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.analysis.tables import exam_name
from treegarth.features.dose.analysis.workbook import service, writing
from treegarth.features.dose.analysis.workbook.works import MAKING, carry
from treegarth.features.dose.registry.decision.facts import HEAD
from treegarth.work.store import latest

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1"
BOOK = f"{API}/dose/analysis/workbook"
PAGE = "/treegarth/dose/analysis"
LATER = datetime.now(UTC) + timedelta(days=36_500)
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}
DLPS = [float(one) for one in np.random.default_rng(7).lognormal(6, 0.6, 40)]


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


def made(engine: Engine, *exams: MadeExam) -> None:
    with transaction(engine) as connection:
        keep(connection, exams)


def chest(dlp: float, **given: Any) -> MadeExam:
    events = ({"mean_ctdi_vol_mgy": dlp / 40, "dlp_mgy_cm": dlp},)
    doses = {"dlp_mgy_cm": dlp, "dlp_body_mgy_cm": dlp, "ctdi_vol_max_mgy": dlp / 40, "irradiation_event_count": 1.0}
    return MadeExam(**{"doses": doses, "events": events, **given})


def book_of(client: FlaskClient, **asked: Any) -> dict[str, list[Row]]:
    answer = client.get(BOOK, query_string=asked)
    assert answer.status_code == 200, answer.text
    return read_workbook(answer.data)


def line(rows: list[Row], **wanted: Any) -> Row:
    (found,) = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return found


def test_the_summary_is_what_numpy_says_and_heads_are_apart_from_bodies(client: FlaskClient, engine: Engine) -> None:
    made(
        engine,
        *(chest(dlp) for dlp in DLPS),
        chest(800.0, phantom="head", events=({"dlp_mgy_cm": 800.0, "ctdiw_phantom_type": HEAD},)),
        chest(1e6, doubted=("dlp_mgy_cm",)),
    )
    rows = book_of(client)["summary"]
    expected = np.percentile(DLPS, [0, 25, 50, 75, 90, 95, 100]).tolist()
    for of, called_by, name in (("exams", "exam_name", "Chest"), ("events", "protocol", "Thorax routine")):
        row = line(rows, of=of, called_by=called_by, name=name, quantity="dlp_mgy_cm", phantom="body")
        parts = [row[part] for part in ("minimum", "p25", "median", "p75", "p90", "p95", "maximum")]
        assert parts == pytest.approx(expected, rel=1e-12)
        assert (row["n"], row["doubted_left_out"], row["unit"], row["modality"]) == (40, 1, "mGy.cm", "CT")
        head = line(rows, of=of, called_by=called_by, quantity="dlp_mgy_cm", phantom="head")
        assert (head["n"], head["median"]) == (1, 800)
    with_doubted = book_of(client, with_doubted="true")["summary"]
    assert line(with_doubted, of="exams", quantity="dlp_mgy_cm", phantom="body")["maximum"] == 1e6


def test_a_standard_name_has_all_its_names_and_every_unit_is_said(client: FlaskClient, engine: Engine) -> None:
    fluoroscopy = {"dose_area_product_gy_m2": 0.002, "dose_rp_gy": 0.5, "irradiation_event_count": 1.0}
    coronary = MadeExam(
        modality="XA", doses=fluoroscopy, name="Coronary", protocol="Cor", events=(fluoroscopy_event(),)
    )
    made(engine, chest(100.0, name="흉부"), chest(300.0, name="Chest"), coronary)
    with transaction(engine) as connection:
        number = standard(connection, "CT chest")
        for name in ("흉부", "Chest"):
            wanted = exam_name.c.id == name_of_exams(connection, name)
            connection.execute(update(exam_name).where(wanted).values(standard_name_id=number))
    found = book_of(client)
    row = line(found["summary"], called_by="standard_name", quantity="dlp_mgy_cm")
    assert (row["name"], row["n"], row["median"]) == ("CT chest", 2, 200)
    units = {str(row["quantity"]): row["unit"] for row in found["summary"]}
    assert (units["dose_area_product_gy_m2"], units["dose_rp_gy"]) == ("Gy.m2", "Gy")
    assert {row["standard_name"] for row in found["exams"]} == {"CT chest", None}
    of_name = book_of(client, standard_name=number)
    assert {row["study_description"] for row in of_name["exams"]} == {"흉부", "Chest"}
    assert {row["modality"] for row in of_name["events"]} == {"CT"}
    assert "Cor" not in of_name


def fluoroscopy_event() -> dict[str, Any]:
    return {"dose_area_product_gy_m2": 0.002, "dose_rp_gy": 0.5, "ctdiw_phantom_type": None}


def test_exams_and_events_stand_behind_the_figures_each_in_the_sheet_of_its_protocol(
    client: FlaskClient, engine: Engine
) -> None:
    made(
        engine,
        chest(100.0, study_date=date(2026, 3, 2), doubted=("dlp_mgy_cm",)),
        chest(200.0, study_date=date(2026, 3, 1), protocol="THORAX ROUTINE"),
        chest(300.0, study_date=date(2025, 1, 1), protocol="[=Thorax/1]"),
    )
    found = book_of(client)
    assert list(found) == [
        "about",
        "summary",
        "exams",
        "events",
        "Thorax routine",
        "THORAX ROUTINE 2",
        "=Thorax 1",
    ]
    assert [row["dlp_mgy_cm"] for row in found["exams"]] == [300, 200, 100]
    assert [row["doubted"] for row in found["exams"]] == ["", "", "dlp_mgy_cm"]
    assert [row["dlp_mgy_cm"] for row in found["events"]] == [300, 200, 100]
    assert [row["dlp_mgy_cm"] for row in found["THORAX ROUTINE 2"]] == [200]
    assert found["=Thorax 1"][0]["protocol"] == "[=Thorax/1]"
    assert "dose_area_product_gy_m2" not in found["=Thorax 1"][0]
    row = line(found["summary"], of="events", name="[=Thorax/1]", quantity="dlp_mgy_cm")
    assert row["sheets"] == "=Thorax 1"
    of_days = book_of(client, study_date_from="2026-01-01", study_date_to="2026-03-01")
    assert [row["dlp_mgy_cm"] for row in of_days["exams"]] == [200]
    about = {row["what"]: row["value"] for row in of_days["about"]}
    assert (about["study_date_from"], about["exams"], about["events"]) == ("2026-01-01", 1, 1)


def test_of_a_protocol_there_are_its_events_and_the_exams_that_have_one(client: FlaskClient, engine: Engine) -> None:
    made(engine, chest(100.0), chest(200.0, protocol="Low dose"))
    with transaction(engine) as connection:
        number = name_of_protocol(connection, "Low dose")
    found = book_of(client, protocol=number)
    assert [row["dlp_mgy_cm"] for row in found["exams"]] == [200]
    assert {row["protocol"] for row in found["events"]} == {"Low dose"}
    assert {row["name"] for row in found["summary"] if row["of"] == "events"} == {"Low dose"}


def test_more_protocols_than_sheets_are_told(
    client: FlaskClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_PROTOCOLS", 2)
    rare = [chest(10.0, protocol=f"Rare {number}") for number in range(3)]
    made(engine, chest(1.0), chest(2.0), *rare)
    found = book_of(client)
    assert len(found) == 6
    about = {row["what"]: row["value"] for row in found["about"]}
    assert (about["protocols"], about["protocols_without_a_sheet"]) == (4, 2)
    assert [row["sheets"] for row in found["summary"] if row["name"] == "Rare 2"] == ["", ""]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"standard_name": 1, "protocol": 1}, 400),
        ({"exam_name": 999}, 404),
        ({"protocol": 999}, 404),
        ({"standard_name": 999}, 404),
        ({"age_from": "old"}, 400),
    ],
)
def test_what_contradicts_itself_or_is_not_there_is_refused(
    client: FlaskClient, engine: Engine, asked: dict[str, Any], status: int
) -> None:
    made(engine, chest(1.0))
    assert client.get(BOOK, query_string=asked).status_code == status
    assert client.post(BOOK, json=asked).status_code == status


def test_without_exams_it_has_its_columns_and_no_page_offers_it(client: FlaskClient) -> None:
    found = book_of(client)
    assert list(found) == ["about", "summary", "exams", "events"]
    assert found["exams"] == []
    assert "analysis/workbook" not in client.get(PAGE).text


@pytest.mark.parametrize("language", ["en", "ko"])
def test_pages_offer_the_file_and_of_many_rows_the_long_work(
    client: FlaskClient, engine: Engine, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    made(engine, chest(1.0), chest(2.0))
    client.set_cookie("treegarth_language", language)
    with transaction(engine) as connection:
        number = name_of_exams(connection, "Chest")
    assert f"{PAGE}/workbook?study_date_from=2026-01-01" in client.get(f"{PAGE}?study_date_from=2026-01-01").text
    of_name = client.get(f"{PAGE}/name?exam_name={number}&age_from=10").text.replace("&amp;", "&")
    assert f"{PAGE}/workbook?" in of_name
    assert f"exam_name={number}&age_from=10" in of_name
    monkeypatch.setattr(service, "MOST_AT_ONCE", 1)
    many = client.get(f"{PAGE}?study_date_from=2026-01-01").text
    assert f'action="{PAGE}/workbook/export"' in many
    assert '<input type="hidden" name="study_date_from" value="2026-01-01">' in many
    assert client.get(BOOK).status_code == 409


def test_a_large_one_is_made_by_a_worker_and_begun_anew_when_that_ends(
    client: FlaskClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "REPORTED_EVERY", 1)
    made(engine, *(chest(dlp) for dlp in DLPS))
    asked = {"modality": "CT", "study_date_from": "2026-01-01"}
    answer = client.post(f"{PAGE}/workbook/export", data=asked, headers=FROM_HERE)
    assert answer.status_code == 303
    work = answer.headers["Location"].rsplit("/", 1)[-1]
    assert client.post(BOOK, json=asked).get_json()["id"] == int(work)  # runs already
    working = runner(
        engine, lambda: LATER, [MAKING], {MAKING.name: carry(engine, ZoneInfo("Asia/Seoul"), lambda: LATER)}
    )
    assert working.block()
    with connect(engine) as connection:
        subject = client.get(f"{API}/work/{work}").get_json()["subject"]
        done = latest(connection, MAKING.name, subject)
    assert done is not None
    assert (done.state, done.done, done.total, done.last_error) == ("done", 80, 80, None)
    found = read_workbook(client.get(f"{API}/work/{work}/file").data)
    assert len(found["exams"]) == len(found["events"]) == 40
    assert {row["what"]: row["value"] for row in found["about"]}["modality"] == "CT"


def test_what_no_file_can_hold_is_refused_with_what_to_do(
    client: FlaskClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing.rows_of, "__kwdefaults__", {"at_most": 1})
    made(engine, chest(1.0), chest(2.0))
    answer = client.post(BOOK, json={})
    assert answer.status_code == 409
    assert "fewer days" in answer.text
