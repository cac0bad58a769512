"""What a site says of devices' character sets: kept as documents, shown, and what such devices wrote read anew."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, update

from tests.index_support import write_study
from tests.unit.web.web_support import make_services
from tests.works import latest_of, runner
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.dicom.relabelling import Relabelling
from treegarth.features.archive.charsets import store
from treegarth.features.archive.works import RELABELLING
from treegarth.index.relabelling import read_relabellings
from treegarth.index.tables import series
from treegarth.work.kinds import Within
from treegarth.work.store import recent

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
API = "/treegarth/api/v1/character-sets"
RULE = {"name": "korean", "manufacturer": "maker", "labelled": "ISO_IR 100", "really": "ISO 2022 IR 149"}
LATIN = {"00080005": {"vr": "CS", "Value": ["ISO_IR 100"]}}
KOREAN = {"00080005": {"vr": "CS", "Value": ["", "ISO 2022 IR 149"]}}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def write(engine: Engine, number: int, description: str = "CT", **given: Any) -> None:
    with transaction(engine) as connection:
        write_study(connection, number, study_description=description)
        mine = series.c.orthanc_series_id == f"series-{number:05}"
        connection.execute(
            update(series)
            .where(mine)
            .values(manufacturer="MAKER", header=LATIN, header_orthanc_instance_id=f"instance-{number:05}-1", **given)
        )


def stale(engine: Engine) -> list[str]:
    with connect(engine) as connection:
        return list(connection.execute(select(series.c.orthanc_series_id).where(series.c.is_stale)).scalars())


@pytest.mark.parametrize(
    ("changed", "count"),
    [
        ({}, 2),
        ({"labelled": "any"}, 4),
        ({"labelled": "absent"}, 1),
        ({"labelled": "\\iso 2022 ir 149"}, 1),
        ({"manufacturer": "m?k*"}, 2),
        ({"manufacturer": "ma"}, 0),
        ({"manufacturer_model_name": "one"}, 1),
        ({"manufacturer_model_name": "two"}, 0),
        ({"remote_ae_title": "*"}, 2),
    ],
)
def test_series_are_of_a_device_by_all_of_its_names_and_their_label(
    engine: Engine, changed: dict[str, str], count: int
) -> None:
    write(engine, 1, manufacturer_model_name="One")
    write(engine, 2)
    write(engine, 3)
    write(engine, 4)
    with transaction(engine) as connection:
        for number, header in ((3, KOREAN), (4, {})):
            mine = series.c.orthanc_series_id == f"series-{number:05}"
            connection.execute(update(series).where(mine).values(header=header))
        write_study(connection, 5)  # of another device
    given = {**RULE, **changed}
    device = {name: value for name, value in given.items() if name not in ("name", "labelled", "really")}
    one = Relabelling(device=device, labelled=given["labelled"], really=given["really"])
    with connect(engine) as connection:
        assert store.count_series(connection, [one]) == count
        assert len(store.sample_series(connection, one, 10)) <= count


def test_each_change_of_one_that_is_on_has_its_series_marked_and_their_dose_read_again(
    client: FlaskClient, engine: Engine
) -> None:
    for number in range(7):
        write(engine, number)
    read: list[str] = []

    def read_again(connection: object, orthanc_series_ids: Any) -> int:
        read.extend(orthanc_series_ids)
        return len(orthanc_series_ids)

    carry = Within(block=lambda connection, work, now: store.mark_on(connection, work, [read_again], now, count=3))
    later = datetime(2030, 1, 1, tzinfo=UTC)
    number = client.post(API, json={"document": RULE}).get_json()["id"]
    with connect(engine) as connection:
        assert not read_relabellings(connection)
        assert recent(connection, RELABELLING.name, limit=9) == []  # it is off
    client.put(f"{API}/{number}/state", json={"is_on": True})
    with connect(engine) as connection:
        (held,) = read_relabellings(connection).every
        (work,) = recent(connection, RELABELLING.name, limit=9)
    assert held == Relabelling(device={"manufacturer": "maker"}, labelled="ISO_IR 100", really="ISO 2022 IR 149")
    assert stale(engine) == []
    runner(engine, lambda: later, [RELABELLING], {RELABELLING.name: carry}).work()
    assert len(stale(engine)) == 0  # whoever writes by what was before is waited for
    runner(engine, lambda: later.replace(year=2031), [RELABELLING], {RELABELLING.name: carry}).work()
    assert stale(engine) == read == [f"series-{number:05}" for number in range(7)]
    done = latest_of(engine, RELABELLING, work.subject)
    assert (done.state, done.done, done.total, done.counts, done.detail) == ("done", 7, 7, {"noted": 7}, "korean")

    other = {**RULE, "manufacturer": "nobody"}
    client.put(f"{API}/{number}", json={"document": other, "version": 2})
    client.delete(f"{API}/{number}")
    with connect(engine) as connection:
        assert not read_relabellings(connection)
        works = recent(connection, RELABELLING.name, limit=9)
    assert [one.subject for one in works] == [f"{number}.4", f"{number}.3", f"{number}.2"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"manufacturer": "*"}, "Say of which device"),
        ({"manufacturer": None}, "Say of which device"),
        ({"really": "EBCDIC"}, "is no character set that can be read."),
        ({"really": "ISO_IR 100\\nothing"}, "is no character set that can be read."),
    ],
)
def test_what_names_no_device_or_no_set_is_refused(client: FlaskClient, changed: dict[str, Any], said: str) -> None:
    answer = client.post(API, json={"document": {**RULE, **changed}})
    assert answer.status_code == 400
    assert said in answer.text


def test_the_page_shows_where_text_looks_broken_and_begins_a_document_of_that_device(
    client: FlaskClient, engine: Engine
) -> None:
    write(engine, 1, "흉부 조영".encode("euc_kr").decode("latin_1"), station_name="CT3")
    write(engine, 2, "Größe, Müller", station_name="CT4")
    write(engine, 3, "흉부", station_name="CT5")
    write(engine, 4, "CT \ufffd", station_name="CT6")
    page = client.get("/treegarth/character-sets").text
    assert [one for one in ("CT3", "CT4", "CT5", "CT6") if f"MAKER · {one}" in page] == ["CT3", "CT6"]
    assert "station_name=CT3&amp;labelled=ISO_IR+100#new" in page.replace("%20", "+")
    study = client.get("/treegarth/studies/1.2.840.99999.1.1").text
    assert "/treegarth/character-sets?manufacturer=MAKER&amp;station_name=CT3#new" in study
    assert "character-sets" not in client.get("/treegarth/studies/1.2.840.99999.1.2").text

    form = {"station_name": "CT3", "labelled": "ISO_IR 100", "really": "ISO 2022 IR 149", "manufacturer": ""}
    made = client.post("/treegarth/character-sets", data=form)
    assert made.status_code == 303
    (kept,) = client.get(API).get_json()["items"]
    assert (kept["name"], kept["is_on"]) == ("CT3 · ISO 2022 IR 149", False)
    shown = client.get(made.headers["Location"]).text
    assert "could not be read: 1" in shown  # there is no Orthanc
    refused = client.post("/treegarth/character-sets", data={"really": "ISO_IR 192", "labelled": "any"})
    assert "Say of which device" in client.get(refused.headers["Location"]).text
