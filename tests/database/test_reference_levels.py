"""Medians beside reference levels, by hand-computed examples: which exams count, what is said, pages, files, CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select, update

from tests.database.test_dose_values import scan
from tests.dose_statistics import MadeExam, keep, name_of_exams, standard
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.features.dose.analysis.levels.asked import year_before
from treegarth.features.dose.analysis.levels.documents import EXAMPLE
from treegarth.features.dose.analysis.tables import exam_dose, exam_name

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1/dose/levels"
PAGE = "/treegarth/dose/levels"
DAYS = {"study_date_from": "2026-01-01", "study_date_to": "2026-12-31"}
CHEST = {"modality": "CT", "quantity": "dlp_mgy_cm", "phantom": "body", "standard_name": "Chest", "level": 150}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


def chests(values: Iterable[float], **about: Any) -> list[MadeExam]:
    return [MadeExam(doses={"dlp_mgy_cm": value}, **about) for value in values]


def keep_chests(engine: Engine, exams: Iterable[MadeExam]) -> None:
    with transaction(engine) as connection:
        name_of_exams(connection, "Chest", standard_name_id=standard(connection, "Chest"))
        keep(connection, exams)


TWENTY = [10.0 * number for number in range(1, 21)]
"""Their median is 105, between the tenth and the eleventh; the interval goes from the 6th (60) to the 15th (150): of 20
throws of a coin 5 or fewer heads have a probability of 2.07 %, 6 or fewer one of 5.77 %."""


def make(client: FlaskClient, *rows: dict[str, Any], **says: Any) -> int:
    document = {**EXAMPLE, "valid_from": None, **says, "rows": rows or (CHEST,)}
    answer = client.post(API, json={"document": {key: value for key, value in document.items() if value is not None}})
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["id"])


def compared(client: FlaskClient, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get(f"{API}/comparison", query_string={**DAYS, "by_device": "false", **asked})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.get_json()["items"]
    return items


@pytest.mark.parametrize(
    ("level", "verdict"), [(150, "below"), (149.9, "straddles"), (60, "straddles"), (59.9, "above")]
)
def test_the_median_is_held_against_the_level_with_its_interval(
    client: FlaskClient, engine: Engine, level: float, verdict: str
) -> None:
    keep_chests(engine, chests(TWENTY))
    make(client, CHEST | {"level": level, "achievable": 50})
    (one,) = compared(client)
    assert (one["n"], one["median"], one["median_low"], one["median_high"]) == (20, 105, 60, 150)
    assert (one["verdict"], one["level"], one["achievable"], one["unit"]) == (verdict, level, 50, "mGy·cm")
    assert one["median_percent"] == pytest.approx(100 * 105 / level)


def test_nothing_is_said_of_fewer_exams_than_the_set_asks_for(client: FlaskClient, engine: Engine) -> None:
    keep_chests(engine, chests(TWENTY[:19]))
    number = make(client)
    (one,) = compared(client)
    assert (one["verdict"], one["n"], one["least_exams"]) == ("too_few", 19, 20)
    version = client.get(f"{API}/{number}").get_json()
    lower = {"document": version["document"] | {"least_exams": 19}, "version": version["version"]}
    assert client.put(f"{API}/{number}", json=lower).status_code == 200
    assert compared(client)[0]["verdict"] == "below"


def test_names_and_exams_that_are_not_here_are_told_apart(client: FlaskClient, engine: Engine) -> None:
    keep_chests(engine, chests(TWENTY))
    make(client, CHEST | {"standard_name": "Abdomen"}, CHEST | {"phantom": "head"})
    assert {(one["standard_name"], one["verdict"]) for one in compared(client)} == {
        ("Abdomen", "no_standard_name"),
        ("Chest", "no_exams"),
    }


def test_head_and_body_are_never_mixed(client: FlaskClient, engine: Engine) -> None:
    head, body = chests([900.0] * 20, phantom="head"), chests([100.0] * 20)
    keep_chests(engine, [*head, *body, *chests([5000.0] * 20, phantom="both"), *chests([7000.0], phantom="unknown")])
    make(client, CHEST, CHEST | {"phantom": "head", "level": 1000})
    assert {(one["phantom"], one["n"], one["median"]) for one in compared(client)} == {
        ("body", 20, 100),
        ("head", 20, 900),
    }


def test_doubted_doses_are_left_out_and_counted(client: FlaskClient, engine: Engine) -> None:
    keep_chests(engine, [*chests(TWENTY), *chests([9000.0] * 9, doubted=("dlp_mgy_cm",))])
    make(client)
    (one,) = compared(client)
    assert (one["n"], one["doubted_left_out"], one["median"]) == (20, 9, 105)
    (every,) = compared(client, with_doubted="true")
    assert (every["n"], every["doubted_left_out"]) == (29, 0)


def test_bands_of_age_and_weight_are_half_open(client: FlaskClient, engine: Engine) -> None:
    ages = [MadeExam(doses={"dlp_mgy_cm": 100.0}, age=age, weight=20.0) for age in (4.99, 5.0, 9.99, 10.0, None)]
    weights = [MadeExam(doses={"dlp_mgy_cm": 100.0}, age=40.0, weight=weight) for weight in (50.0, 89.9, 90.0, None)]
    keep_chests(engine, [*ages, *weights])
    make(
        client,
        CHEST | {"age_from_years": 5, "age_to_years": 10},
        CHEST | {"age_to_years": 5},
        CHEST | {"weight_from_kg": 50, "weight_to_kg": 90},
        CHEST,
    )
    found = {(one["age_from_years"], one["age_to_years"], one["weight_from_kg"]): one["n"] for one in compared(client)}
    assert found == {(5, 10, None): 2, (None, 5, None): 1, (None, None, 50): 2, (None, None, None): 9}


def test_each_device_is_compared_by_itself_and_all_together(client: FlaskClient, engine: Engine) -> None:
    keep_chests(engine, [*chests([100.0] * 20, station="CT1"), *chests([400.0] * 60, station="CT2")])
    make(client)
    found = [
        (one["is_whole_site"], one["device"], one["n"], one["verdict"]) for one in compared(client, by_device="true")
    ]
    assert found == [(True, None, 80, "above"), (False, "Maker CT1", 20, "below"), (False, "Maker CT2", 60, "above")]


def test_any_number_of_levels_is_compared_by_the_same_few_statements(client: FlaskClient, engine: Engine) -> None:
    keep_chests(engine, [*chests(TWENTY, station="CT1"), *chests([400.0] * 30, station="CT2", age=5.5)])
    bands = [CHEST | {"age_from_years": age, "age_to_years": age + 1} for age in range(100)]
    asked: dict[int, int] = {}
    for rows in ([CHEST], [CHEST, *bands]):
        number = make(client, *rows, name=f"{len(rows)} levels", place=f"{len(rows)} levels")
        statements: list[str] = []

        def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            statements.append(statement)  # noqa: B023  # called within the loop

        event.listen(engine, "before_cursor_execute", note)
        found = compared(client, level_set=number, by_device="true")
        event.remove(engine, "before_cursor_execute", note)
        asked[len(rows)] = len(statements)
        of_all = [one for one in found if one["age_from_years"] is None]
        assert [(one["device"], one["n"], one["median"]) for one in of_all] == [
            (None, 50, 400),
            ("Maker CT1", 20, 105),
            ("Maker CT2", 30, 400),
        ]
    of_five = [(one["device"], one["n"]) for one in found if one["age_from_years"] == 5]
    assert of_five == [(None, 30), ("Maker CT2", 30)]
    assert len([one for one in found if one["verdict"] == "no_exams"]) == 98
    assert asked[1] == asked[101]


def test_only_exams_of_the_days_count_and_these_are_the_last_twelve_months(client: FlaskClient, engine: Engine) -> None:
    days = [date(2026, 1, 1) - timedelta(days=1), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1), None]
    keep_chests(engine, [MadeExam(doses={"dlp_mgy_cm": 100.0}, study_date=day) for day in days])
    make(client)
    assert compared(client)[0]["n"] == 2
    assert year_before(date(2026, 12, 31)) == date(2026, 1, 1)
    assert year_before(date(2024, 2, 29)) == date(2023, 3, 1)
    assert year_before(date(1, 5, 5)) == date(1, 5, 6)
    usual = client.get(f"{API}/comparison").get_json()
    span = date.fromisoformat(usual["study_date_to"]) - date.fromisoformat(usual["study_date_from"])
    assert span.days in (364, 365)


def test_levels_hold_by_the_last_day_and_a_later_set_of_the_place_takes_over(
    client: FlaskClient, engine: Engine
) -> None:
    keep_chests(engine, chests(TWENTY))
    old = make(client, CHEST | {"level": 500}, name="old", valid_from="2015-01-01")
    new = make(client, CHEST | {"level": 50}, name="new", valid_from="2026-12-31")
    over = make(client, name="over", place="elsewhere", valid_to="2026-12-30")
    assert [(one["level_set_id"], one["verdict"]) for one in compared(client)] == [(new, "above")]
    assert {one["level_set_id"] for one in compared(client, study_date_to="2026-12-30")} == {old, over}
    (asked,) = compared(client, level_set=old)
    assert (asked["level"], asked["superseded_by"], asked["verdict"]) == (500, "new", "below")
    assert client.put(f"{API}/{new}/state", json={"is_on": False}).status_code == 200
    assert [one["level_set_id"] for one in compared(client)] == [old]
    assert client.delete(f"{API}/{old}").status_code == 200
    assert compared(client) == []
    assert client.get(f"{API}/comparison", query_string={"level_set": 999}).status_code == 404


def test_comparisons_are_filtered(client: FlaskClient, engine: Engine) -> None:
    keep_chests(engine, chests(TWENTY))
    make(client, CHEST, CHEST | {"standard_name": "Abdomen"}, {**CHEST, "modality": "PT"})
    assert len(compared(client, modality="CT")) == 2
    assert [one["verdict"] for one in compared(client, standard_name="Chest", modality="CT")] == ["below"]
    assert [one["standard_name"] for one in compared(client, verdict="below")] == ["Chest"]
    assert client.get(f"{API}/comparison", query_string={"verdict": "good"}).status_code == 400


def test_other_units_than_the_stored_one_are_those_shown(client: FlaskClient, engine: Engine) -> None:
    with transaction(engine) as connection:
        named = standard(connection, "Coronary", "XA")
        name_of_exams(connection, "Coronary", "XA", standard_name_id=named)
        values = [number * 1e-4 for number in range(1, 21)]  # Gy·m², 1 to 20 Gy·cm²
        exams = [MadeExam(name="Coronary", modality="XA", doses={"dose_area_product_gy_m2": one}) for one in values]
        keep(connection, exams)
    make(client, {"modality": "XA", "quantity": "dose_area_product_gy_m2", "standard_name": "Coronary", "level": 16})
    (one,) = compared(client)
    assert (round(one["median"], 9), round(one["median_high"], 9), one["unit"]) == (10.5, 15, "Gy·cm²")
    assert one["verdict"] == "below"


# ---- pages ----


def test_the_pages_show_sets_their_levels_and_the_comparison(client: FlaskClient, engine: Engine) -> None:
    assert "No reference levels yet" in client.get(PAGE).text
    assert "No reference levels yet" in client.get("/treegarth/dose/comparison").text
    keep_chests(engine, chests(TWENTY))
    number = make(client, CHEST | {"age_from_years": 18}, CHEST | {"standard_name": "흉부"}, name="made up", note="why")
    listed = client.get(PAGE).text
    assert "made up" in listed
    assert "Nobody. Numbers made up to show the format. 2024. Table 1" in listed
    one = client.get(f"{PAGE}/{number}").text
    for words in ("from 18 years", "no standard name yet", "holds", "흉부", "body 32 cm", "why"):
        assert words in one, words
    page = client.get("/treegarth/dose/comparison", query_string=DAYS).text
    for words in ("whole site", "Maker CT1", "not above the level", "no standard name yet", "60.0 – 150", "70.0 %"):
        assert words in page, words
    assert "comparison.csv?study_date_from=2026-01-01&amp;study_date_to=2026-12-31" in page
    korean = client.get("/treegarth/dose/comparison", query_string=DAYS, headers={"Accept-Language": "ko"}).text
    assert "whole site" not in korean


@pytest.mark.parametrize("wanted", ["csv", "xlsx", "parquet"])
def test_the_comparison_is_a_file(client: FlaskClient, engine: Engine, wanted: str) -> None:
    keep_chests(engine, chests(TWENTY))
    make(client)
    answer = client.get(f"/treegarth/dose/comparison.{wanted}", query_string=DAYS)
    assert answer.status_code == 200
    if wanted == "csv":
        rows = list(csv.DictReader(StringIO(answer.data.decode("utf-8-sig"))))
        assert [(row["device"], row["n"], row["median"], row["verdict"]) for row in rows] == [
            ("", "20", "105.0", "below"),
            ("Maker CT1", "20", "105.0", "below"),
        ]


def test_an_exam_above_its_level_is_marked_on_its_page(client: FlaskClient, engine: Engine) -> None:
    scan(engine, 1)
    with transaction(engine) as connection:
        connection.execute(update(exam_name).values(standard_name_id=standard(connection, "Chest")))
        found = connection.execute(
            select(exam_dose.c.value, exam_dose.c.phantom, exam_dose.c.study_date).where(
                exam_dose.c.quantity == "dlp_mgy_cm"
            )
        ).one()
    assert found.study_date is not None
    page = "/treegarth/dose/studies/1.2.1"
    assert "a screening flag" not in client.get(page).text
    number = make(client, CHEST | {"phantom": found.phantom, "level": found.value - 0.5})
    assert "a screening flag, the comparison is by median" in client.get(page).text
    assert client.put(f"{API}/{number}/state", json={"is_on": False}).status_code == 200
    assert "a screening flag" not in client.get(page).text


# ---- CSV ----


def test_rows_come_and_go_as_csv(client: FlaskClient) -> None:
    number = make(client, CHEST | {"standard_name": "흉부"})
    text = client.get(f"{API}/{number}/rows").get_json()["text"]
    assert "흉부" in text
    file = client.get(f"{PAGE}/{number}/rows.csv")
    assert file.data.startswith(b"\xef\xbb\xbf")
    assert file.data.decode("utf-8-sig") == text
    wider = text + "CT,dlp_mgy_cm,head,두부,18,,,,900,,\r\n"
    body = {"text": "\ufeff" + wider, "version": 1}
    dry = client.put(f"{API}/{number}/rows", json=body | {"dry_run": True}).get_json()
    assert [one["outcome"] for one in dry["items"]] == ["same", "new"]
    assert client.get(f"{API}/{number}").get_json()["version"] == 1
    assert client.put(f"{API}/{number}/rows", json=body).get_json()["version"] == 2
    names = [row["standard_name"] for row in client.get(f"{API}/{number}").get_json()["document"]["rows"]]
    assert names == ["흉부", "두부"]
    late = client.put(f"{API}/{number}/rows", json=body | {"text": text})
    assert (late.status_code, "Nothing was saved" in late.get_json()["detail"]) == (409, True)
    wrong = client.put(f"{API}/{number}/rows", json={"text": wider.replace("900", '"9,5"'), "version": 2})
    assert (wrong.status_code, "line 3, column level" in wrong.text) == (400, True)


def test_the_page_shows_what_csv_would_change_before_it_does(client: FlaskClient) -> None:
    number = make(client)
    page = f"{PAGE}/{number}/rows"
    shown = client.get(page).text
    assert "CT,dlp_mgy_cm,body,Chest" in shown
    text = "modality,quantity,phantom,standard_name,level\nCT,dlp_mgy_cm,body,Chest,120\n"
    looked = client.post(page, data={"text": text, "version": "1", "act": "look"})
    assert "<del>150</del> 120" in looked.text
    assert client.get(f"{API}/{number}").get_json()["version"] == 1
    wrong = client.post(page, data={"text": text.replace("120", "viele"), "version": "1", "act": "import"})
    assert "line 2, column level: “viele” is no number." in wrong.text
    korean = client.post(
        page, data={"text": text.replace("120", "viele"), "version": "1"}, headers={"Accept-Language": "ko"}
    )
    assert "is no number" not in korean.text
    done = client.post(page, data={"text": text, "version": "1", "act": "import"})
    assert done.status_code == 303
    assert client.get(f"{API}/{number}").get_json()["document"]["rows"][0]["level"] == 120
    late = client.post(page, data={"text": text.replace("120", "90"), "version": "1", "act": "import"})
    assert "Nothing was saved" in late.text
    assert client.get(f"{API}/{number}").get_json()["version"] == 2


def test_a_name_that_differs_in_capitals_alone_is_the_same_and_the_page_says_so(
    client: FlaskClient, engine: Engine
) -> None:
    keep_chests(engine, chests(TWENTY))
    number = make(client, CHEST | {"standard_name": "CHÉST"})
    (one,) = compared(client)
    assert (one["standard_name"], one["standard_name_here"], one["n"]) == ("CHÉST", "Chest", 20)
    assert compared(client, standard_name="chest") == [one]
    for page in (f"{PAGE}/{number}", "/treegarth/dose/comparison?study_date_from=2026-01-01&study_date_to=2026-12-31"):
        shown = client.get(page).text
        assert "here: Chest" in shown, page
    assert "no standard name yet" not in client.get(f"{PAGE}/{number}").text
    refused = client.post(
        API, json={"document": {**EXAMPLE, "name": "twice", "rows": [CHEST, CHEST | {"standard_name": "chest"}]}}
    )
    assert refused.status_code == 400
    with transaction(engine) as connection:  # where a site has both, it is the one that is spelt the same
        standard(connection, "CHÉST")
    (one,) = compared(client)
    assert (one["standard_name_here"], one["verdict"]) == ("CHÉST", "no_exams")
