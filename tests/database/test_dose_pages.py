"""The pages about dose and their endpoints on a real database: what they find, and what they say where nothing is."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, update

from tests.html_tables import tables_of
from tests.index_support import write_study
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.features.dose.registry.pages.equipment import EQUIPMENT
from treegarth.features.dose.registry.store.exams import refresh_study
from treegarth.features.dose.registry.store.readings import EVENT_NUMBERS
from treegarth.features.dose.registry.tables import dose_report, dose_study, irradiation_event
from treegarth.phrases import P_

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1/dose"
NOON = datetime(2026, 11, 20, 3, tzinfo=UTC)


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


EVENT_COLUMNS = (*EVENT_NUMBERS, "irradiation_event_type", "acquisition_protocol")


def write_report(engine: Engine, number: int, *, events: tuple[dict[str, Any], ...] = (), **given: Any) -> None:
    """A report that was read, in a study of its own unless told otherwise, with the row of its study."""
    values: dict[str, Any] = {
        "orthanc_instance_id": f"instance-{number}",
        "orthanc_series_id": f"series-{number}",
        "orthanc_study_id": f"study-{number:05}",
        "sop_instance_uid": f"1.2.3.4.{number}",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.88.67",
        "study_instance_uid": f"1.2.840.99999.1.{number}",
        "state": "read",
        "kind": "ct",
        "read_at": NOON,
        "totals": {},
        "issues": [],
        "report": {},
        "issue_count": 0,
        "manufacturer": "ORB",
        "manufacturer_model_name": "Orb 64",
        "station_name": "CT1",
        "patient_id": "P1",
        "study_date": date(2026, 11, 20),
        "irradiation_event_count": len(events),
        **given,
    }
    with engine.begin() as connection:
        connection.execute(dose_report.insert().values(values))
        for position, event in enumerate(events, start=1):
            connection.execute(
                irradiation_event.insert().values(
                    orthanc_instance_id=values["orthanc_instance_id"],
                    position=position,
                    irradiation_event_uid=event.get("irradiation_event_uid"),
                    **{name: event[name] for name in EVENT_COLUMNS if name in event},
                    values=event,
                )
            )
        refresh_study(connection, values["orthanc_study_id"], NOON)


def uids(answer: dict[str, Any]) -> list[str]:
    return [item["study_instance_uid"].rsplit(".")[-1] for item in answer["items"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["3", "2", "1"]),
        ("dlp_from_mgy_cm=200", ["2"]),
        ("dlp_to_mgy_cm=200", ["1"]),
        ("dap_from_gy_cm2=1.5&dap_to_gy_cm2=2.5", ["3"]),
        ("not_patient=false", ["3", "2", "1"]),
        ("not_patient=true", []),
        ("kind=ct&dlp_from_mgy_cm=100&dlp_to_mgy_cm=300", ["2", "1"]),
    ],
)
def test_the_list_and_its_export_know_the_same_filters(
    client: FlaskClient, engine: Engine, query: str, found: list[str]
) -> None:
    write_report(engine, 1, dlp_total_mgy_cm=100.0)
    write_report(engine, 2, dlp_total_mgy_cm=300.0)
    write_report(engine, 3, kind="projection", dose_area_product_total_gy_m2=2e-4)
    assert uids(client.get(f"{API}/studies?{query}").get_json()) == found
    for address in (f"{API}/studies/export/csv?{query}", f"/treegarth/dose.csv?{query}"):
        rows = csv.DictReader(StringIO(client.get(address).text))
        assert [row["study_instance_uid"].rsplit(".")[-1] for row in rows] == found
    page = client.get(f"/treegarth/dose?{query}").text
    assert [number for number in ("3", "2", "1") if f'data-row="1.2.840.99999.1.{number}"' in page] == found


def test_where_a_best_known_dose_is_from_fits_its_quantity(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1)
    names = {"dlp_mgy_cm": 2.0, "dlp_body_mgy_cm": 2.0, "ctdi_vol_max_mgy": 3.0, "dose_area_product_gy_m2": 4.0}
    origins = [f"{name}:{'headers' if name.startswith('dose') else 'events'}" for name in names]
    with engine.begin() as connection:
        write_study(connection, 1)
        values = {f"best_{name}": value for name, value in names.items()}
        connection.execute(dose_study.update().values(**values, origins=origins))
    for language, label, total, greatest in (
        ("en", "CTDIvol, greatest", "sum of the events", "greatest of the events"),
        ("ko", "CTDIvol 최대", "이벤트 합계", "이벤트 중 최댓값"),
    ):
        page = client.get(f"/treegarth/studies/1.2.840.99999.1.1?lang={language}").text
        rows = next(one.rows for one in tables_of(page).values() if one.heads[0] in ("Quantity", "선량 항목"))
        origins_shown = {row[0]: row[2] for row in rows}
        assert len(origins_shown) == len(names)
        assert origins_shown[label] == greatest
        assert sum(words == total for words in origins_shown.values()) == 2


@pytest.mark.parametrize("language", ["en", "ko"])
def test_health_counts_what_holds_no_dose(client: FlaskClient, engine: Engine, language: str) -> None:
    with engine.begin() as connection:
        write_study(connection, 9)
    words = {
        "en": ("every report is read", "all are read, 2 hold no dose"),
        "ko": ("모든 보고서를 읽음", "모두 읽음, 2건은 선량 없음"),
    }
    write_report(engine, 1)
    assert words[language][0] in client.get(f"/treegarth/?lang={language}").text
    for number in (2, 3):
        write_report(engine, number, state="refused", kind=None, refused="It is a key object.")
    page = client.get(f"/treegarth/?lang={language}").text
    assert words[language][0] not in page
    assert f'href="/treegarth/dose/sources?state=refused">{words[language][1]}' in page


def test_an_export_of_a_strange_format_is_refused(client: FlaskClient) -> None:
    assert client.get(f"{API}/studies/export/pdf").status_code == 400


def test_what_could_not_be_read_stands_with_its_reason_and_can_be_read_again(
    client: FlaskClient, engine: Engine
) -> None:
    write_report(engine, 1, state="failed", kind=None, last_error="The file ends early.")
    write_report(engine, 2, state="refused", kind=None, refused="It is a key object.")
    write_report(engine, 3, issue_count=1, issues=[{"path": "1.4.2", "reason": "not a number"}])
    assert "The file ends early." in client.get("/treegarth/dose/sources?state=failed").text
    assert "It is a key object." in client.get("/treegarth/dose/sources?state=refused").text
    assert "not a number" in client.get("/treegarth/dose/sources?issues=true").text
    form = {"data": {"origin": "unread"}, "headers": {"Sec-Fetch-Site": "same-origin"}}
    answer = client.post("/treegarth/dose/reports/instance-1/retry", **form)  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["Location"]) == (303, "/treegarth/dose/sources?state=failed")
    assert "The file ends early." not in client.get("/treegarth/dose/sources?state=failed").text
    assert client.post(f"{API}/reports/instance-1/retry").status_code == 409
    assert client.post(f"{API}/retry").get_json() == {"retried": 0}


def test_a_korean_reads_in_korean_why_something_could_not_be_read(client: FlaskClient, engine: Engine) -> None:
    unit = P_("the unit “%(unit)s” is unknown", unit="furlong")
    write_report(engine, 1, state="refused", kind=None, refused=P_("The report has no content."))
    write_report(engine, 2, issue_count=1, issues=[{"path": "CT Dose", "reason": unit}])
    shown = {}
    for language in ("en", "ko"):
        client.set_cookie("treegarth_language", language, path="/treegarth/")
        for trouble, asked in (("refused", "state=refused"), ("issues", "issues=true")):
            shown[language, trouble] = client.get(f"/treegarth/dose/sources?{asked}").text
    assert "The report has no content." in shown["en", "refused"]
    assert "보고서에 내용이 없습니다." in shown["ko", "refused"]
    assert "CT Dose the unit “furlong” is unknown" in shown["en", "issues"]
    assert "CT Dose 알 수 없는 단위 “furlong”입니다" in shown["ko", "issues"]
    (refused,) = client.get(f"{API}/reports?state=refused").get_json()["items"]
    assert refused["refused"] == "The report has no content."


def test_a_device_stands_with_its_counts_and_the_distribution_of_its_doses(client: FlaskClient, engine: Engine) -> None:
    for number, dlp in enumerate((100.0, 200.0, 400.0), start=1):
        write_report(engine, number, dlp_total_mgy_cm=dlp, study_date=date(2026, 11, number))
    write_report(engine, 4, device_serial_number="other")
    first, second = sorted(client.get(f"{API}/equipment").get_json()["items"], key=lambda item: -item["study_count"])
    assert (first["study_count"], first["first_study_date"], first["last_study_date"]) == (
        3,
        "2026-11-01",
        "2026-11-03",
    )
    (figure,) = first["figures"]
    assert (figure["quantity"], figure["count"], figure["median"]) == ("dlp_total_mgy_cm", 3, 200.0)
    assert figure["upper_quartile"] == pytest.approx(300.0)
    assert second["figures"] == []
    assert uids(client.get(f"{API}/studies?device={first['key']}").get_json()) == ["3", "2", "1"]
    assert uids(client.get(f"{API}/studies?device={second['key']}").get_json()) == ["4"]
    page = client.get("/treegarth/dose/equipment").text
    assert f"/treegarth/dose?device={first['key']}" in page


@pytest.mark.parametrize("sort", EQUIPMENT.sorts)
def test_devices_stand_in_every_order_and_are_filtered(client: FlaskClient, engine: Engine, sort: str) -> None:
    write_report(engine, 1, manufacturer="Acme", station_name="CT1", dlp_total_mgy_cm=7.0)
    write_report(engine, 2, manufacturer=None, manufacturer_model_name=None, study_date=None)
    write_report(engine, 3, manufacturer="Zenith", kind="projection", dose_area_product_total_gy_m2=2e-4)
    found, cursor = [], None
    while not found or cursor:
        page = client.get(f"{API}/equipment", query_string={"sort": sort, "limit": 1, "cursor": cursor or ""}).json
        found += page["items"]
        cursor = page["next"]
    names = [one["manufacturer"] for one in found]
    assert sorted(map(str, names)) == ["Acme", "None", "Zenith"]
    if sort == "manufacturer":
        assert names == ["Acme", "Zenith", None]
    by_kind = {"projection": ["Zenith"], "mammography": []}
    for asked, wanted in (({"equipment": "zenit"}, ["Zenith"]), *(({"kind": one}, by_kind[one]) for one in by_kind)):
        items = client.get(f"{API}/equipment", query_string=asked).get_json()["items"]
        assert [one["manufacturer"] for one in items] == wanted
    assert "No device fits these filters" in client.get("/treegarth/dose/equipment?equipment=nobody").text
    lines = client.get(f"{API}/equipment/export/csv", query_string={"sort": sort}).text.splitlines()
    assert lines[0].startswith("key,display_name,location,manufacturer,")
    assert len(lines) == 4


def test_a_device_of_which_no_number_can_be_told_between_two_has_none(client: FlaskClient, engine: Engine) -> None:
    for number in (1, 2):
        write_report(engine, number, dlp_total_mgy_cm=1.7e308)
    with engine.begin() as connection:  # no report says so
        below = update(dose_study).where(dose_study.c.study_instance_uid.endswith("2"))
        connection.execute(below.values(best_dlp_mgy_cm=-1.7e308))
    (device,) = client.get(f"{API}/equipment?with_doubted=true").get_json()["items"]
    (figure,) = device["figures"]
    assert (figure["count"], figure["median"]) == (2, None)


def test_a_patients_examinations_stand_by_date_with_sums_of_what_is_alike(client: FlaskClient, engine: Engine) -> None:
    for number, dap in ((1, 2e-4), (2, 3e-4)):
        write_report(
            engine,
            number,
            kind="projection",
            dose_area_product_total_gy_m2=dap,
            study_date=date(2026, 11, number),
            study_description=f"Exam {number}",
        )
    write_report(engine, 3, patient_id="P2", dlp_total_mgy_cm=10.0)
    answer = client.get(f"{API}/patient?patient_id=P1").get_json()
    assert [study["study_date"] for study in answer["studies"]] == ["2026-11-01", "2026-11-02"]
    (total,) = answer["cumulative"]
    assert (total["name"], total["study_count"]) == ("dose_area_product_total_gy_m2", 2)
    assert total["value"] == pytest.approx(5e-4)
    page = client.get("/treegarth/dose/patient?patient_id=P1").text
    assert page.index("Exam 2") < page.index("Exam 1")
    assert "n = 2" in page
    assert "2026-11-01 – 2026-11-02" in page
    assert client.get("/treegarth/dose/patient").status_code == 400


def write_archived(engine: Engine, number: int, modality: str, day: date) -> None:
    """A study of the index with one series of this modality."""
    with engine.begin() as connection:
        write_study(connection, number, modalities=[modality], study_date=day)


def test_studies_without_dose_are_listed_and_counted(client: FlaskClient, engine: Engine) -> None:
    write_archived(engine, 1, "CT", date(2026, 11, 3))
    write_archived(engine, 2, "CT", date(2026, 11, 4))
    write_archived(engine, 3, "MR", date(2026, 11, 5))
    write_report(engine, 1, study_date=date(2026, 11, 3), dlp_total_mgy_cm=100.0)
    assert uids(client.get(f"{API}/missing").get_json()) == ["2"]
    assert uids(client.get(f"{API}/missing?study_date_to=2026-11-03").get_json()) == []
    (month,) = client.get(f"{API}/missing/months").get_json()["items"]
    assert (month["month"], month["study_count"], month["without_dose_count"]) == ("2026-11-01", 2, 1)
    page = client.get("/treegarth/dose/missing").text
    cells = [f'<td class="num" data-value="{count}">{count}</td>' for count in (1, 0, 1)]
    assert "".join(cells) in re.sub(r"\s+<td", "<td", page)  # with dose, partly, without
    assert 'data-row="1.2.840.99999.1.2"' in page
    assert 'data-row="1.2.840.99999.1.1"' not in page
    assert client.get("/treegarth/dose/missing/months.csv").text.splitlines()[1].endswith("2026-11-01,2,1,0")
    assert uids(client.get(f"{API}/missing?sort=-refused_count").get_json()) == ["2"]
    assert "study_date" in client.get("/treegarth/dose/missing.csv").text.splitlines()[0]


def test_a_source_that_left_the_archive_says_so_and_one_that_never_was_is_not_found(
    client: FlaskClient, engine: Engine
) -> None:
    write_report(engine, 1, source_deleted_at=NOON)
    write_report(engine, 2)
    assert "The source object has left the archive." in client.get("/treegarth/dose/reports/instance-1/content").text
    assert client.get(f"{API}/reports/instance-1/content").status_code == 404
    assert client.get("/treegarth/dose/reports/instance-9/content").status_code == 404
    assert client.get("/treegarth/dose/reports/instance-2/content").status_code == 503  # Orthanc does not answer here


def test_the_study_page_says_which_report_counts_and_why_with_geometry_of_each_event(
    client: FlaskClient, engine: Engine
) -> None:
    event = {
        "irradiation_event_uid": "1.2.9.1",
        "dose_area_product_gy_m2": 1e-4,
        "positioner_primary_angle_deg": -30.0,
        "x_ray_tube_current_ma": [10.0, 20.0, 30.0, 40.0, 50.0],
    }
    with engine.begin() as connection:
        write_study(connection, 1, modalities=["XA"])
    projection = {"kind": "projection", "orthanc_study_id": "study-00001", "study_instance_uid": "1.2.840.99999.1.1"}
    write_report(engine, 1, events=(event,), totals={"dose_area_product_total_gy_m2": 1e-4}, **projection)
    write_report(engine, 2, events=(event,), totals={"dose_area_product_total_gy_m2": 2e-4}, **projection)
    page = client.get("/treegarth/studies/1.2.840.99999.1.1").text
    (verdict,) = set(re.findall("does not count: [^<]*", page))
    assert verdict == "does not count: a later or fuller report has the same events"
    assert "Primary angle" in page
    assert ">-30<" in page.replace("−", "-").replace("-30.0<", "-30<")
    assert "10–50 (5)" in page.replace("10.0–50.0", "10–50")
    assert page.count("The reported total and the sum of the events differ") == 1
    decisions = client.get(f"{API}/studies/1.2.840.99999.1.1").get_json()["decisions"]
    assert sorted((one["orthanc_instance_id"], one["counted"]) for one in decisions) == [
        ("instance-1", False),
        ("instance-2", True),
    ]


def test_the_button_starts_a_reading_of_everything_once(client: FlaskClient, engine: Engine) -> None:
    for _ in range(2):
        answer = client.post("/treegarth/dose/reread", headers={"Sec-Fetch-Site": "same-origin"})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/treegarth/system")
    page = client.get("/treegarth/system").text
    assert page.count('aria-label="Reading every dose again"') == 1
    assert 'id="dose-reread-start"' not in page


EMPTY = (
    "dose",
    "dose/equipment",
    "dose/missing",
    "dose/sources",
    "dose/sources?state=failed",
    "dose/sources?state=refused",
    "dose/sources?issues=true",
    "dose/patient?patient_id=nobody",
    "dose/not-patients",
)


@pytest.mark.parametrize("path", EMPTY)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_page_without_anything_to_show_says_what_it_will_show(client: FlaskClient, path: str, language: str) -> None:
    client.set_cookie("treegarth_language", language, path="/treegarth/")
    assert '<div class="empty">' in client.get(f"/treegarth/{path}").text
