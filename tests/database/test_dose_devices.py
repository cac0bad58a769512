"""What people call devices is shown wherever a device is, told apart and taken back; and what a device says of itself
is told with the exams before and after."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from tests.database.test_dose_pages import API, write_report
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect
from treegarth.features.dose.registry.store.device_names import device_key_of, shown_devices
from treegarth.features.dose.registry.tables import dose_study

ROOT = Path(__file__).resolve().parents[2]
PAGE = "/treegarth/dose/equipment"
KEY = device_key_of("ORB", "Orb 64", "CT1", "1")
OTHER = device_key_of("ORB", "Orb 64", "CT1", "2")


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    """A scanner that was exchanged for another one of its model at the same station, and got new software before."""
    sources = (
        ("1", date(2026, 1, 5), {"software_versions": "VA40"}, {}),
        (
            "1",
            date(2026, 1, 9),
            {"software_versions": "VA40"},
            {"calibrations": [{"calibration_date_time": "20260108"}]},
        ),
        ("1", date(2026, 3, 2), {"software_versions": "VA50", "detector_id": "D7"}, {}),
        ("2", date(2026, 4, 1), {}, {}),
    )
    for number, (serial, day, report, totals) in enumerate(sources, start=1):
        write_report(
            engine, number, device_serial_number=serial, study_date=day, report=report, totals=totals, events=({},)
        )
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def named(client: FlaskClient, key: str, name: str | None, version: int = 0, **more: Any) -> Any:
    return client.put(f"{API}/equipment/{key}/name", json={"display_name": name, "version": version, **more})


def test_the_key_is_made_as_postgresql_makes_it(client: FlaskClient, engine: Engine) -> None:
    with connect(engine) as connection:
        assert set(connection.execute(select(dose_study.c.device_key)).scalars()) == {KEY, OTHER}
    write_report(engine, 9, manufacturer=None, manufacturer_model_name="모델", station_name=None)
    with connect(engine) as connection:
        assert device_key_of(None, "모델", None, None) in set(
            connection.execute(select(dose_study.c.device_key)).scalars()
        )


def test_a_name_is_shown_wherever_the_device_is(client: FlaskClient) -> None:
    answer = named(client, KEY, "  Emergency CT ", location="Building A, 1.02")
    assert (answer.status_code, answer.get_json()["display_name"]) == (200, "Emergency CT")
    (device,) = client.get(f"{API}/equipment?equipment=emergency").get_json()["items"]
    assert (device["key"], device["display_name"], device["location"]) == (KEY, "Emergency CT", "Building A, 1.02")
    for asked in ("", "?equipment=building"):
        assert "Emergency CT" in client.get(f"{PAGE}{asked}").text
    studies = client.get(f"{API}/studies?equipment=emergency").get_json()["items"]
    assert {(one["device_key"], one["device_name"]) for one in studies} == {(KEY, "Emergency CT")}
    assert len(studies) == 3
    events = client.get(f"{API}/events?device={KEY}").get_json()["items"]
    assert {(one["device_key"], one["device_name"]) for one in events} == {(KEY, "Emergency CT")}
    for page in ("/treegarth/dose", f"/treegarth/dose?device={KEY}", "/treegarth/dose/events", f"{PAGE}/{KEY}"):
        assert "Emergency CT" in client.get(page).text, page
    assert "Emergency CT" in client.get("/treegarth/dose/studies/1.2.840.99999.1.1").text


def test_two_devices_of_one_name_are_told_apart_by_no_more_than_it_takes(client: FlaskClient, engine: Engine) -> None:
    assert {named(client, one, "Emergency CT").status_code for one in (KEY, OTHER)} == {200}
    with connect(engine) as connection:
        assert shown_devices(connection, [KEY]) == {KEY: "Emergency CT · 1"}  # of one station: the other one is told of
        assert shown_devices(connection, [KEY, OTHER])[OTHER] == "Emergency CT · 2"
    page = client.get(PAGE).text
    assert ("Emergency CT · 1" in page, "Emergency CT · 2" in page) == (True, True)
    write_report(engine, 7, station_name="CT7", device_serial_number="7")
    third = device_key_of("ORB", "Orb 64", "CT7", "7")
    named(client, third, "Emergency CT")
    with connect(engine) as connection:
        assert shown_devices(connection, [third]) == {third: "Emergency CT · CT7"}


def test_every_name_is_kept_and_the_latest_is_taken_back(client: FlaskClient) -> None:
    named(client, KEY, "First")
    named(client, KEY, "Second", 1, location="B")
    back = client.post(f"{API}/equipment/{KEY}/name/take-back", json={"version": 2})
    assert (back.get_json()["version"], back.get_json()["display_name"], back.get_json()["location"]) == (
        3,
        "First",
        None,
    )
    names = client.get(f"{API}/equipment/{KEY}").get_json()["names"]
    assert [(one["version"], one["display_name"]) for one in names] == [(3, "First"), (2, "Second"), (1, "First")]
    page = client.get(f"{PAGE}/{KEY}").text
    assert ("Second" in page, "Every name" in page) == (True, True)


def test_a_name_that_somebody_changed_meanwhile_is_not_overwritten(client: FlaskClient) -> None:
    named(client, KEY, "First")
    assert named(client, KEY, "Mine", 0).status_code == 409
    assert client.post(f"{API}/equipment/{KEY}/name/take-back", json={"version": 2}).status_code == 409
    sent = client.post(f"{PAGE}/{KEY}", data={"act": "name", "display_name": "Mine", "version": "0"})
    assert (sent.status_code, "meanwhile" in client.get(sent.headers["Location"]).text) == (303, True)
    assert client.get(f"{API}/equipment/{KEY}").get_json()["device"]["display_name"] == "First"


def test_the_form_of_the_page_names_a_device_and_takes_it_back(client: FlaskClient) -> None:
    sent = client.post(f"{PAGE}/{KEY}", data={"act": "name", "display_name": "응급 CT", "location": "", "version": "0"})
    assert sent.status_code == 303
    assert "응급 CT" in client.get(f"{PAGE}/{KEY}").text
    client.post(f"{PAGE}/{KEY}", data={"act": "take back", "version": "1"})
    assert client.get(f"{API}/equipment/{KEY}").get_json()["device"]["display_name"] is None


@pytest.mark.parametrize(("key", "status"), [("0" * 16, 404), ("x", 404), ("0" * 17, 400)])
def test_a_device_that_nobody_has_is_not_named(client: FlaskClient, key: str, status: int) -> None:
    assert client.get(f"{API}/equipment/{key}").status_code == status
    assert client.get(f"{PAGE}/{key}").status_code == status
    assert named(client, key, "A").status_code == status
    assert client.post(f"{PAGE}/{key}", data={"act": "name", "display_name": "A"}).status_code == status


def test_exams_are_counted_by_month(client: FlaskClient) -> None:
    months = client.get(f"{API}/equipment/{KEY}").get_json()["months"]
    assert months == [{"month": "2026-03-01", "study_count": 1}, {"month": "2026-01-01", "study_count": 2}]
    page = client.get(f"{PAGE}/{KEY}").text
    assert ('data-value="2"' in page, "2026-01" in page, "charts.js" in page) == (True, True, True)
    assert "charts.js" not in client.get(f"{PAGE}/{KEY}?months=table").text


def test_what_a_device_says_of_itself_is_told_with_since_when(client: FlaskClient) -> None:
    changes = client.get(f"{API}/equipment/{KEY}").get_json()["changes"]
    told = [(one["first_study_date"], one["what"], one["before"], one["value"], one["study_count"]) for one in changes]
    assert told == [
        ("2026-04-01", "serial_number", "1", "2", 1),
        ("2026-03-02", "software_versions", "VA40", "VA50", 1),
        ("2026-03-02", "detector_id", None, "D7", 1),
        ("2026-01-09", "calibration", None, "20260108", 1),
        ("2026-01-05", "software_versions", None, "VA40", 2),
        ("2026-01-05", "serial_number", None, "1", 3),
    ]
    assert changes[0]["device_key"] == OTHER
    assert changes[0]["first_study_instance_uid"] == "1.2.840.99999.1.4"
    page = client.get(f"{PAGE}/{KEY}").text
    assert f"dose?device={KEY}&amp;study_date_to=2026-03-01" in page
    assert f"dose?device={KEY}&amp;study_date_from=2026-03-02" in page
