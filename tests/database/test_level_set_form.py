"""The form of a set of reference levels: what is typed stays, lines come and go, what is wrong is said at its line."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.database.test_reference_levels import API, CHEST, client, make
from treegarth.web.forms import MOST_ROWS

__all__ = ["client"]
PAGE = "/treegarth/dose/levels"
SAID = {
    "name": "typed",
    "place": "Nowhere",
    "publication.authors": "Nobody",
    "publication.title": "Made up",
    "publication.year": "2024",
    "publication.table": "Table 1",
}


def line(number: int, **says: Any) -> dict[str, str]:
    return {f"rows.{number}.{name}": str(value) for name, value in (CHEST | says).items()}


def send(client: FlaskClient, act: str, **sent: str) -> TestResponse:
    return client.post(f"{PAGE}/new/form", data={**sent, "act": act})


def test_a_set_is_made_and_edited_by_its_form(client: FlaskClient) -> None:
    assert "rows.0.quantity" in client.get(f"{PAGE}/new/form").text
    saved = send(client, "save", **SAID, **line(0), **line(1, age_from_years=3, age_to_years=5.5, phantom="head"))
    assert saved.status_code == 303, saved.text
    number = int(saved.headers["Location"].rpartition("/")[2])
    kept = client.get(f"{API}/{number}").get_json()
    assert kept["document"]["publication"]["table"] == "Table 1"
    assert [row["phantom"] for row in kept["document"]["rows"]] == ["body", "head"]
    page = client.get(f"{PAGE}/{number}/form").text
    assert 'value="5.5"' in page
    changed = {**SAID, **line(7, level=99), "version": str(kept["version"]), "act": "save"}
    assert client.post(f"{PAGE}/{number}/form", data=changed).status_code == 303
    rows = client.get(f"{API}/{number}").get_json()["document"]["rows"]
    assert [row["level"] for row in rows] == [99]
    late = client.post(f"{PAGE}/{number}/form", data={**changed, "rows.7.level": "98"})
    assert "save over" in late.text, "somebody else's version is not written over"


def test_lines_come_and_go_and_what_was_typed_stays(client: FlaskClient) -> None:
    more = send(client, "add-row rows", name="half", **line(0, standard_name="first")).text
    assert 'value="first"' in more
    assert 'value="half"' in more
    assert 'id="rows.1.level"' in more
    fewer = send(client, "remove-row rows.0", **line(0, standard_name="first"), **line(1, standard_name="second")).text
    assert 'value="first"' not in fewer
    assert 'value="second"' in fewer
    assert 'id="rows.1.level"' not in fewer


def test_empty_lines_are_none(client: FlaskClient) -> None:
    empty = dict.fromkeys(line(0), "")
    saved = send(client, "save", **SAID, **empty)
    assert saved.status_code == 303, saved.text


def test_what_is_wrong_is_said_at_its_input_or_with_the_number_of_its_line(client: FlaskClient) -> None:
    refused = send(client, "save", **SAID, **line(0), **line(1, level="much")).text
    assert 'href="#rows.1.level"' in refused
    assert "must be a number" in refused
    refused = send(client, "save", **SAID, **line(0), **line(1, standard_name="Other", phantom="")).text
    assert "Level 2: Say of which phantom" in refused


def test_a_form_has_no_more_lines_than_it_can_hold_and_loses_none(client: FlaskClient) -> None:
    full: dict[str, str] = {}
    for number in range(MOST_ROWS):
        full |= line(number, standard_name=f"name {number}")
    refused = send(client, "add-row rows", **full).text
    assert "at most 50 levels" in refused
    assert 'value="name 49"' in refused
    number = make(client, *(CHEST | {"standard_name": f"name {one}"} for one in range(MOST_ROWS + 1)), name="many")
    assert client.get(f"{PAGE}/{number}/form").status_code == 303
    assert f"{number}/form" not in client.get(f"{PAGE}/{number}").text


def test_bands_that_overlap_are_refused_and_both_are_named(client: FlaskClient) -> None:
    bands = line(0, age_from_years=0, age_to_years=6), line(1, age_from_years=5, age_to_years=10)
    refused = send(client, "save", **SAID, **bands[0], **bands[1]).text
    assert "levels 1 and 2 overlap" in refused
    touching = line(1, age_from_years=6, age_to_years=10)
    beside = line(2, weight_from_kg=5, weight_to_kg=15)
    assert send(client, "save", **SAID, **bands[0], **touching, **beside, **line(3)).status_code == 303


def test_an_unknown_quantity_is_told_those_that_there_are_with_their_units(client: FlaskClient) -> None:
    refused = send(client, "save", **SAID, **line(0, quantity="dlp")).text
    assert "dlp_mgy_cm (mGy·cm)" in refused


def test_a_number_below_zero_in_csv_is_told_from_what_is_none(client: FlaskClient) -> None:
    number = make(client, name="csv")
    text = "modality,quantity,phantom,standard_name,age_from_years,level\nCT,dlp_mgy_cm,body,Chest,-3,100\n"
    answer = client.put(f"{API}/{number}/rows", json={"text": text, "version": 1})
    assert "must be at least 0" in answer.text
    assert "is no number" not in answer.text


def test_the_levels_are_headed_once(client: FlaskClient) -> None:
    page = client.get(f"{PAGE}/new/form").text
    (legend,) = re.findall(r"<legend[^>]*><b>Levels</b></legend>", page)
    assert 'class="visually-hidden"' in legend  # the heading of the part says it already
    assert len(re.findall(r"<h2[^>]*><span[^>]*>3</span>Levels</h2>", page)) == 1
