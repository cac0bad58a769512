"""Charts that people compose: kept as documents, drawn as they are now, with a condition in the language of rules."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, update
from sqlalchemy.engine import Engine

from tests.dose_statistics import MadeExam, keep, name_of_exams, standard
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.features.dose.analysis.charts.form import choices_of_values
from treegarth.features.dose.analysis.charts.model import Chart
from treegarth.features.dose.analysis.tables import exam_name
from treegarth.index import tables as index

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1/dose/charts"
PAGE = "/treegarth/dose/charts"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BOXES = {"name": "b", "chart": "boxes", "quantity": "dlp_body_mgy_cm", "modality": "CT", "by": "device"}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    services = replace(make_services(ROOT / "web", engine=lambda: engine), clock=lambda: NOW)
    made: FlaskClient = make_application(services).test_client()
    return made


def hospital(engine: Engine) -> list[MadeExam]:
    """Exams of two scanners over two months: every second one of a woman and in the archive's index, the rest of men,
    of whose studies every third left the archive."""
    drawn = np.random.default_rng(5).lognormal(6, 0.4, 60)
    exams = [
        MadeExam(
            doses={"dlp_body_mgy_cm": float(dlp), "irradiation_event_count": 1 + number % 3},
            events=({"mean_ctdi_vol_mgy": float(dlp) / 40},) * (1 + number % 3),
            station=f"CT{1 + number % 2}",
            name="Chest" if number % 4 else "Head",
            study_date=date(2026, 10 + number % 2, 1 + number % 19),
            age=float(number),
        )
        for number, dlp in enumerate(drawn)
    ]
    with transaction(engine) as connection:
        keep(connection, exams)
        for number, exam in enumerate(exams):
            if number % 6 == 3:
                continue  # it left the archive
            patient = {"orthanc_patient_id": f"patient{number}"}
            connection.execute(insert(index.patient).values(**patient))
            row = {"orthanc_study_id": exam.orthanc_study_id, "study_instance_uid": f"1.9.{number}"}
            row |= {**patient, "modalities": ["CT"], "patient_sex": "M" if number % 2 else "F"}
            connection.execute(insert(index.study).values(**row))
    return exams


def values(exams: list[MadeExam], which: Any = lambda number: True) -> list[float]:
    return [exam.doses["dlp_body_mgy_cm"] for number, exam in enumerate(exams) if which(number)]


def made(client: FlaskClient, **document: Any) -> int:
    answer = client.post(API, json={"document": {**BOXES, **document}})
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["id"])


def figures(client: FlaskClient, number: int) -> Any:
    answer = client.get(f"{API}/{number}/figures")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_boxes_are_the_figures_of_the_same_values(client: FlaskClient, engine: Engine) -> None:
    exams = hospital(engine)
    found = figures(client, made(client))
    assert (found["whole"]["n"], found["unit_shown"], found["bins"]) == (60, "mGy·cm", [])
    devices = {one["label"]: one for one in found["groups"]}
    second = values(exams, lambda number: number % 2 == 1)
    assert devices["Maker CT2"]["median"] == pytest.approx(np.median(second), rel=1e-12)
    assert devices["Maker CT2"]["p95"] == pytest.approx(np.percentile(second, 95), rel=1e-12)


def test_a_condition_with_and_and_or_leaves_the_studies_that_fulfil_it(client: FlaskClient, engine: Engine) -> None:
    exams = hospital(engine)
    condition = {"any": ["PatientSex = F", {"all": ["PatientSex = M", "dose.irradiation_event_count > 2"]}]}
    found = figures(client, made(client, studies=condition))
    fulfil = values(
        exams,
        lambda number: number % 6 != 3 and (number % 2 == 0 or number % 3 == 2),
    )
    assert found["whole"]["n"] == len(fulfil)
    assert found["whole"]["median"] == pytest.approx(np.median(fulfil), rel=1e-12)
    not_women = figures(client, made(client, name="n", studies={"not": "PatientSex = F"}))
    assert not_women["whole"]["n"] == len(values(exams, lambda number: number % 2 == 1 and number % 6 != 3))


def test_a_condition_on_standard_names_reads_the_same_tables_twice(client: FlaskClient, engine: Engine) -> None:
    exams = hospital(engine)
    with transaction(engine) as connection:
        number = standard(connection, "Chest CT")
        which = exam_name.c.id == name_of_exams(connection, "Chest")
        connection.execute(update(exam_name).where(which).values(standard_name_id=number))
    found = figures(client, made(client, studies="dose.standard_name = 'Chest CT'"))
    there = values(exams, lambda number: number % 4 != 0 and number % 6 != 3)
    assert found["whole"]["n"] == len(there)
    by_name = figures(client, made(client, name="by name", standard_name="chest ct"))
    assert by_name["whole"]["n"] == len(values(exams, lambda number: number % 4 != 0))


def test_days_are_those_of_the_day_on_which_it_is_opened(client: FlaskClient, engine: Engine) -> None:
    exams = hospital(engine)
    found = figures(client, made(client, period="this_month"))
    assert found["whole"]["n"] == len(values(exams, lambda number: number % 2 == 1))
    both = figures(client, made(client, name="d", period="this_month", study_date_from="2026-11-10"))
    assert both["whole"]["n"] == sum(date(2026, 11, 10) <= (one.study_date or date.max) for one in exams)


def test_a_histogram_bars_and_a_line_have_what_they_draw(client: FlaskClient, engine: Engine) -> None:
    exams = hospital(engine)
    histogram = figures(client, made(client, name="h", chart="histogram", by=None))
    assert sum(one["count"] for one in histogram["bins"]) == 60
    bars = figures(client, made(client, name="bars", chart="bars", by="name", statistic="p75"))
    chest = values(exams, lambda number: number % 4 != 0)
    assert {one["label"] for one in bars["groups"]} == {"Chest", "Head"}
    assert bars["groups"][0]["p75"] == pytest.approx(np.percentile(chest, 75), rel=1e-12)
    line = figures(client, made(client, name="line", chart="line", by="month", statistic="median"))
    assert [one["of"] for one in line["groups"]] == ["2026-10", "2026-11"]
    events = figures(client, made(client, name="e", level="event", quantity="mean_ctdi_vol_mgy", phantom="body"))
    assert events["whole"]["n"] == sum(len(one.events) for one in exams)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"quantity": "nothing"}, "document"),
        ({"quantity": "dlp_mgy_cm"}, "document"),  # by phantom, and none is named
        ({"phantom": "body"}, "document"),  # it says its phantom by its name
        ({"level": "event"}, "document"),
        ({"by": None}, "document"),
        ({"statistic": "median"}, "document"),
        ({"chart": "line", "by": "device", "statistic": "median"}, "document"),
        ({"chart": "histogram"}, "document"),
        ({"chart": "pie"}, "document.chart"),
        ({"modality": ""}, "document.modality"),
        ({"studies": "PatientSex ="}, "document.studies"),
        ({"studies": {"all": ["no_field = 1"]}}, "document.studies.all[0]"),
        ({"studies": {"all": "x"}}, "document.studies"),
        ({"studies": 5}, "document.studies"),
        ({"study_date_from": "2026-11-20", "study_date_to": "2026-11-19"}, "document.study_date_to"),
        ({"unknown": 1}, "document.unknown"),
    ],
)
def test_what_no_chart_can_be_is_refused_at_its_place(client: FlaskClient, change: dict[str, Any], place: str) -> None:
    answer = client.post(API, json={"document": {**BOXES, **change}})
    assert answer.status_code == 400, answer.text
    assert place in answer.text


def test_every_choice_of_the_form_is_a_chart() -> None:
    for level, quantity, phantom in choices_of_values():
        Chart.model_validate({**BOXES, "level": level, "quantity": quantity, "phantom": phantom})


def test_one_that_is_off_or_of_a_name_that_is_gone_is_not_drawn(client: FlaskClient, engine: Engine) -> None:
    hospital(engine)
    number = made(client, standard_name="Nothing")
    assert (figures(client, number)["has_name"], figures(client, number)["whole"]["n"]) == (False, 0)
    assert "No such standard name" in client.get(f"{PAGE}/{number}").text
    assert client.put(f"{API}/{number}/state", json={"is_on": False}).status_code == 200
    assert client.get(f"{API}/{number}/figures").status_code == 409
    assert "not drawn" in client.get(f"{PAGE}/{number}").text
    assert client.delete(f"{API}/{number}").status_code in (200, 204)
    assert client.get(f"{API}/{number}/figures").status_code == 404
    assert client.get(f"{PAGE}/{number}").status_code == 200
    assert client.get(f"{PAGE}?removed=true").status_code == 200


FORM = {
    "name": "composed",
    "why": "for the meeting",
    "chart": "bars",
    "values": "exam dlp_body_mgy_cm",
    "by": "device",
    "statistic": "median",
    "modality": "CT",
    "c.join": "any",
    "c.level": "study",
    "c.0.field": "PatientSex",
    "c.0.operator": "=",
    "c.0.value": "F",
    "c.1.field": "dose.irradiation_event_count",
    "c.1.operator": ">",
    "c.1.value": "2",
}


def post(client: FlaskClient, address: str, **form: str) -> Any:
    return client.post(address, data=form, headers={"Sec-Fetch-Site": "same-origin"})


def test_a_person_composes_one_looks_at_it_keeps_it_and_others_open_it(client: FlaskClient, engine: Engine) -> None:
    hospital(engine)
    looked = post(client, f"{PAGE}/new", **FORM, act="look").text
    assert 'data-kind="bars"' in looked
    assert client.get(API).get_json()["items"] == []  # looking keeps nothing
    saved = post(client, f"{PAGE}/new", **FORM, act="save")
    assert saved.status_code in (200, 204, 303), saved.text
    (kept,) = client.get(API).get_json()["items"]
    assert kept["document"] == {
        "name": "composed",
        "why": "for the meeting",
        "chart": "bars",
        "level": "exam",
        "quantity": "dlp_body_mgy_cm",
        "modality": "CT",
        "by": "device",
        "statistic": "median",
        "with_doubted": False,
        "studies": {"any": ["PatientSex = F", "dose.irradiation_event_count > 2"]},
    }
    html = client.get(f"{PAGE}/{kept['id']}").text
    assert 'data-kind="bars"' in html
    assert "Maker CT1" in html
    assert "composed" in client.get(PAGE).text
    form = client.get(f"{PAGE}/{kept['id']}/edit").text
    assert 'value="PatientSex"' in form
    table = client.get(f"{PAGE}/{kept['id']}/figures/csv").get_data(as_text=True)
    assert {one["label"] for one in csv.DictReader(table.splitlines())} == {"Maker CT1", "Maker CT2"}


def test_what_is_wrong_in_the_form_stands_at_its_input(client: FlaskClient) -> None:
    wrong = {**FORM, "name": "", "c.0.field": "NoSuchField"}
    html = post(client, f"{PAGE}/new", **wrong, act="save").text
    assert 'href="#name"' in html
    named = post(client, f"{PAGE}/new", **{**wrong, "name": "x"}, act="save").text
    assert 'href="#c.0.field"' in named
    another = post(client, f"{PAGE}/new", **FORM, act="add-row c").text
    assert 'name="c.2.field"' in another
    junk = post(client, f"{PAGE}/new", **{**FORM, "values": "junk of no level", "chart": "pie"}, act="save")
    assert junk.status_code == 200
    assert client.get(API).get_json()["items"] == []


def test_an_earlier_version_holds_again(client: FlaskClient, engine: Engine) -> None:
    hospital(engine)
    number = made(client, why="first")
    edited = client.put(f"{API}/{number}", json={"document": {**BOXES, "why": "second"}, "version": 1})
    assert edited.status_code == 200, edited.text
    assert post(client, f"{PAGE}/{number}/restore", version="1").status_code == 303
    assert client.get(f"{API}/{number}").get_json()["document"]["why"] == "first"
    assert post(client, f"{PAGE}/{number}/restore", version="99").status_code == 404


def test_every_chart_is_a_text_that_is_taken_again(client: FlaskClient, engine: Engine) -> None:
    hospital(engine)
    number = made(client, studies={"all": ["PatientSex = F"]})
    text = client.get(f"{PAGE}.yaml").text
    assert "PatientSex = F" in text
    again = client.put(f"{API}/text", json={"text": text.replace("by: device", "by: age"), "dry_run": False})
    assert again.status_code == 200, again.text
    assert client.get(f"{API}/{number}").get_json()["document"]["by"] == "age"


def test_a_file_says_of_which_chart_which_values_and_in_which_unit(client: FlaskClient, engine: Engine) -> None:
    hospital(engine)
    groups = made(client, name="Women", studies="PatientSex = F")
    bins = made(client, name="All", chart="histogram", by=None)
    for number, unit, studies in ((groups, "mGy.cm", "PatientSex = F"), (bins, "mGy.cm", "")):
        text = client.get(f"{PAGE}/{number}/figures/csv").get_data(as_text=True).removeprefix("\ufeff")
        rows = list(csv.DictReader(text.splitlines()))
        assert rows
        for row in rows:
            said = (row["quantity"], row["unit"], row["phantom"], row["modality"], row["asked_studies"])
            assert said == ("dlp_body_mgy_cm", unit, "", "CT", studies)


def test_the_page_says_a_condition_in_words_as_its_form_does(client: FlaskClient, engine: Engine) -> None:
    hospital(engine)
    studies = {"any": ["PatientSex = F", {"all": ["PatientSex = M", "dose.irradiation_event_count > 2"]}]}
    page = client.get(f"{PAGE}/{made(client, studies=studies)}?lang=en").get_data(as_text=True)
    said = page.split('class="cond-said"', 1)[1].split("</dl>")[0]
    assert "at least one of these must hold for the study" in " ".join(said.split())
    assert "is above" in said
    assert "{&#34;" not in said
    assert "&gt;" not in said


def test_the_history_says_a_chart_and_its_condition_in_the_words_of_its_page(
    client: FlaskClient, engine: Engine
) -> None:
    hospital(engine)
    studies = {"any": ["PatientSex = F", {"all": ["PatientSex = M", "dose.irradiation_event_count > 2"]}]}
    number = made(client)
    changed = {**BOXES, "studies": studies, "with_doubted": True}
    assert client.put(f"{API}/{number}", json={"document": changed, "version": 1}).status_code == 200
    page = client.get(f"{PAGE}/{number}").text
    lines = [unescape(re.sub("<[^>]+>", "", one)) for one in re.findall(r"<ins>(.*?)</ins>", page)]
    lines = [one.removeprefix("added: + ") for one in lines]
    assert lines[:2] == ["Doubted doses count too: yes", "Only studies in the archive that fulfil:"]
    assert len(lines) == 2 + 5  # two groups with three comparisons
    said = unescape(re.sub("<[^>]+>", "", page[page.index('class="cond-said"') : page.index('id="history"')]))
    words = " ".join(said.split())
    assert all(" ".join(line.split()) in words for line in lines[2:]), (lines, words)
    assert "PatientSex = F" not in "".join(lines)
    korean = client.get(f"{PAGE}/{number}", headers={"Accept-Language": "ko"}).text
    assert "+ 다음을 충족하는 보관된 검사만:" in korean
    typed = {"name": "b", "chart": "histogram", "values": "exam dlp_mgy_cm body", "modality": "CT", "version": "1"}
    late = client.post(f"{PAGE}/{number}/edit", data={**typed, "act": "save"}).text
    assert "Somebody else changed this meanwhile" in late
    assert "− Only studies in the archive that fulfil:" in unescape(late)
