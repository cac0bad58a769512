"""A list that is declared once: what page, endpoint and files answer is the same, in every order, forth and back."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pyarrow.parquet
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, Select, select

from tests.unit.web.web_support import make_services
from treegarth.assembly import house
from treegarth.web.app import create_app
from treegarth.web.call import Asker
from treegarth.web.listing import ROWS_ON_A_PAGE, Filter, Listing
from treegarth.web.routes import Parameters, Text

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1/calibrations"
PAGE = "/treegarth/calibrations"
STATIONS = ("CT-1", "=CT-2", None, "투시 1")
ROWS = 130


def example() -> dict[str, Any]:
    """What ARCHITECTURE.md shows, as it stands there."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code
    assert len([line for line in code[1].splitlines() if line.strip()]) <= 60
    made: dict[str, Any] = {"__name__": "calibrations"}
    exec(compile(code[1], "ARCHITECTURE.md", "exec", dont_inherit=True), made)
    return made


@pytest.fixture
def listing() -> Listing[Any, Any]:
    found: Listing[Any, Any] = example()["CALIBRATIONS"]
    return found


@pytest.fixture
def client(engine: Engine, listing: Listing[Any, Any]) -> FlaskClient:
    table = example()["calibration"]
    with engine.begin() as connection:
        table.create(connection)
        days = ("2026-01-31", "2026-11-19", "2026-11-20", "1899-12-31")
        for number in range(ROWS):
            values = {
                "id": number,
                "station_name": STATIONS[number % 4],
                "calibrated_on": days[number % 3 if number else 3],
                "factor": (number % 7) / 10 + 0.2,
            }
            connection.execute(table.insert().values(**values))
    services = make_services(ROOT / "web", engine=lambda: engine)
    whole = house(services.settings)  # the pages' frame leads to other pages
    return create_app([*whole.routes(), *listing.routes()], services, parts=whole.parts()).test_client()


def walked(client: FlaskClient, **asked: Any) -> Iterator[list[dict[str, Any]]]:
    """Each page of the endpoint, and back again from the last one: the same rows."""
    pages: list[list[dict[str, Any]]] = []
    cursor: str | None = None
    while True:
        answer = client.get(API, query_string={**asked, **({"cursor": cursor} if cursor else {})}).get_json()
        pages.append(answer["items"])
        yield answer["items"]
        if answer["next"] is None:
            break
        cursor = answer["next"]
    for there in reversed(pages[:-1]):
        answer = client.get(API, query_string={**asked, "cursor": answer["previous"]}).get_json()
        assert answer["items"] == there
        assert answer["next"] is not None
    assert answer["previous"] is None or len(pages) == 1


@pytest.mark.parametrize("sort", example()["CALIBRATIONS"].sorts)
@pytest.mark.parametrize("limit", [7, 65, 1000])
def test_every_order_has_every_row_once_forth_and_back(client: FlaskClient, sort: str, limit: int) -> None:
    rows = [row for page in walked(client, sort=sort, limit=limit) for row in page]
    assert sorted(row["id"] for row in rows) == list(range(ROWS))
    values = [row[sort.removeprefix("-")] for row in rows]
    there = [value for value in values if value is not None]
    assert values in ([*there, *[None] * values.count(None)], [*[None] * values.count(None), *there])
    if sort.removeprefix("-") != "station_name":  # the database has an order of letters of its own
        assert there == sorted(there, reverse=sort.startswith("-"))


def test_the_page_shows_what_the_endpoint_answers(client: FlaskClient) -> None:
    for query in ({}, {"sort": "factor"}, {"station_name": "CT-1"}, {"calibrated_on_from": "2026-11-20"}):
        page = client.get(PAGE, query_string=query)
        assert page.status_code == 200, page.text
        answer = client.get(API, query_string={**query, "limit": ROWS_ON_A_PAGE}).get_json()
        assert page.text.count("<tr>") - 1 == len(answer["items"])
        for row in answer["items"]:
            assert row["calibrated_on"] in page.text


@pytest.mark.parametrize(
    "query",
    [{"sort": "id"}, {"sort": "--factor"}, {"nothing": "1"}, {"cursor": "AAAA"}, {"calibrated_on_from": "20261120"}],
)
def test_page_endpoint_and_files_refuse_the_same(client: FlaskClient, query: dict[str, str]) -> None:
    assert client.get(API, query_string=query).status_code == 400
    assert client.get(PAGE, query_string=query).status_code == 400
    if "cursor" not in query:
        assert client.get(f"{API}/export/csv", query_string=query).status_code == 400


def test_a_cursor_is_of_one_order(client: FlaskClient) -> None:
    cursor = client.get(API, query_string={"limit": 5, "sort": "factor"}).get_json()["next"]
    assert client.get(API, query_string={"cursor": cursor, "sort": "-factor"}).status_code == 400


def test_the_files_have_all_rows_in_the_order_of_the_list(client: FlaskClient) -> None:
    asked = {"sort": "-factor"}
    rows = client.get(API, query_string={**asked, "limit": 1000}).get_json()["items"]
    text = client.get(f"{API}/export/csv", query_string=asked).get_data(as_text=True)
    assert not text.startswith("\ufeff")
    found = list(csv.DictReader(io.StringIO(text)))
    assert [one["id"] for one in found] == [str(row["id"]) for row in rows]
    assert {one["factor"] for one in found} == {"0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8"}  # no binary noise
    assert {one["station_name"] for one in found} == {"CT-1", "'=CT-2", "", "투시 1"}  # no formula

    with zipfile.ZipFile(io.BytesIO(client.get(f"{API}/export/xlsx", query_string=asked).data)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert 'name="Equipment"' in book.read("xl/workbook.xml").decode()
    assert f'<autoFilter ref="A1:D{ROWS + 1}"/>' in sheet
    assert re.findall(r'<c r="A\d+"><v>(\d+)</v>', sheet) == [str(row["id"]) for row in rows]

    table = pyarrow.parquet.read_table(io.BytesIO(client.get(f"{API}/export/parquet", query_string=asked).data))
    assert table.column("id").to_pylist() == [row["id"] for row in rows]
    assert [str(field.type) for field in table.schema] == ["int64", "string", "date32[day]", "double"]


def test_a_file_from_a_page_says_what_it_is_of_and_when(client: FlaskClient) -> None:
    answer = client.get(f"{PAGE}.csv", query_string={"station_name": "CT-1"})
    assert answer.mimetype == "text/csv"
    assert answer.get_data(as_text=True).startswith("\ufeffid,")
    name = "calibrations-2026-11-20T1405.csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'


def test_what_holds_stands_in_the_page_with_a_way_out(client: FlaskClient) -> None:
    page = client.get(PAGE, query_string={"station_name": "nobody"}).text
    assert "Nothing fits these filters" in page
    held = re.search(r'<ul class="held".*?</ul>', page, re.DOTALL)
    assert held
    assert "nobody" in held[0]
    assert f'href="{PAGE}"' in held[0]
    korean = client.get(PAGE, query_string={"lang": "ko", "station_name": "CT-1"}).text
    assert "장비" in korean
    assert "적용된 필터" in korean


class StationPath(Parameters):
    station: Text
    """(0008,1010)"""


class OfStation(Parameters):
    """Which calibrations."""

    which: Text | None = None
    """Which of several stations of this name; it belongs to the address."""
    factor: Literal["1"] | None = None
    """Of this factor."""


def test_a_list_may_have_parts_in_its_address_and_keeps_what_belongs_to_it(
    engine: Engine, client: FlaskClient, listing: Listing[Any, Any]
) -> None:
    table = example()["calibration"]

    def find(asker: Asker, connection: Connection, asked: OfStation) -> Select[Any]:
        found = select(table).where(table.c.station_name == asker.path.station)
        return found.where(table.c.factor == 1) if asked.factor else found

    of_station = replace(
        listing,
        name="calibrations.of_station",
        path="stations/{station}/calibrations",
        api_name="calibrations_of_station",
        api_path="stations/{station}/calibrations",
        parts=StationPath,
        kept=("which",),
        asked=OfStation,
        query=find,
        filters=[Filter(name="factor", label="Factor", choices={"1": "1"})],
    )
    services = make_services(ROOT / "web", engine=lambda: engine)
    whole = house(services.settings)
    asking = create_app([*whole.routes(), *of_station.routes()], services, parts=whole.parts()).test_client()
    api, page = f"{API.removesuffix('/calibrations')}/stations", "/treegarth/stations"
    name = quote("투시 1")

    items = asking.get(f"{api}/{name}/calibrations", query_string={"limit": 1000}).get_json()["items"]
    assert [one["station_name"] for one in items] == ["투시 1"] * len([n for n in range(ROWS) if n % 4 == 3])
    assert asking.get(f"{api}/nobody/calibrations").get_json()["items"] == []
    lines = asking.get(f"{api}/{name}/calibrations/export/csv").get_data(as_text=True).splitlines()
    assert len(lines) == len(items) + 1

    shown = asking.get(f"{page}/{name}/calibrations", query_string={"which": "b", "sort": "factor"}).text
    assert shown.count("<tr>") - 1 == len(items)
    assert f'href="{page}/{name}/calibrations.csv?which=b&amp;sort=factor"' in shown
    assert f'action="{page}/{name}/calibrations?which=b"' in shown
    assert '<input type="hidden" form="filters" name="which" value="b">' in shown
    assert asking.get(f"{page}/{name}/calibrations.csv").get_data(as_text=True).count("\n") == len(lines)
    nothing = asking.get(f"{page}/{name}/calibrations", query_string={"which": "b", "factor": "1"}).text
    held = re.search(r'<ul class="held".*?</ul>', nothing, re.DOTALL)
    assert held
    assert held[0].count("<li>") == 1
    assert f'href="{page}/{name}/calibrations?which=b"' in held[0]
