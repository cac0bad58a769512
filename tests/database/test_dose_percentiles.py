"""Where a dose lies among those of exams that are called the same: what counts, what is told of it, what it costs."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import numpy
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, insert, text, update

from tests.bench import dose_percentiles
from tests.database.test_dose_pages import API
from tests.dose_statistics import MadeExam, keep, name_of_exams, standard
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.analysis.store.percentiles import ENOUGH, Percentile, _statement, percentiles_of
from treegarth.features.dose.analysis.tables import exam_name
from treegarth.index.tables import patient, study

ROOT = Path(__file__).resolve().parents[2]
HEAD, BODY = "dlp_head_mgy_cm", "dlp_body_mgy_cm"
WHOLE = "dlp_mgy_cm"


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def made(engine: Engine, *exams: MadeExam) -> list[str]:
    with transaction(engine) as connection:
        keep(connection, exams)
    return [one.orthanc_study_id for one in exams]


def told(engine: Engine, *studies: str) -> list[Percentile]:
    with connect(engine) as connection:
        found = percentiles_of(connection, studies)
    return [one for study in studies for one in found[study]]


def chests(values: Sequence[float], quantity: str = BODY, **given: object) -> list[MadeExam]:
    return [MadeExam(doses={quantity: value}, **given) for value in values]  # type: ignore[arg-type]


def rank(value: float, values: Sequence[float]) -> float:
    """As `scipy.stats.percentileofscore(values, value, "mean")` has it."""
    array = numpy.array(values)
    return float(50 * ((array < value).sum() + (array <= value).sum()) / len(values))


def test_each_percentile_is_the_rank_among_all_values_with_half_of_the_equal_ones(engine: Engine) -> None:
    chance = Random(1)
    values = [float(round(chance.lognormvariate(5, 0.5), -1)) for _ in range(60)]
    assert len(set(values)) < len(values)
    studies = made(engine, *chests(values))
    found = told(engine, *studies)
    assert [one.percentile for one in found] == [pytest.approx(rank(value, values)) for value in values]
    assert {(one.exam_count, one.is_sample, one.name_kind, one.name) for one in found} == {(60, False, "exam", "Chest")}


def test_of_fewer_than_20_nothing_is_told(engine: Engine) -> None:
    studies = made(engine, *chests(range(1, 20)))
    assert told(engine, *studies) == []
    more = made(engine, *chests([20.0]))
    assert len(told(engine, *studies, *more)) == 20


def test_a_doubted_value_has_no_percentile_and_is_none_of_the_others(engine: Engine) -> None:
    studies = made(engine, *chests(range(1, 21)))
    doubted = made(engine, *chests([0.5], doubted=(BODY,)))
    assert told(engine, *doubted) == []
    assert {one.exam_count for one in told(engine, *studies)} == {20}


def test_head_and_body_phantom_are_never_mixed_and_what_is_of_both_or_of_none_has_no_percentile(engine: Engine) -> None:
    body = made(engine, *chests(range(101, 131), WHOLE, phantom="body"))
    head = made(engine, *chests(range(1, 26), WHOLE, phantom="head"))
    mixed = [made(engine, *chests(range(50, 80), WHOLE, phantom=phantom)) for phantom in ("both", "unknown")]
    assert told(engine, *mixed[0], *mixed[1]) == []
    (lowest_of_body,), (highest_of_head,) = told(engine, body[0]), told(engine, head[-1])
    assert (lowest_of_body.percentile, lowest_of_body.exam_count) == (pytest.approx(50 / 30), 30)
    assert (highest_of_head.percentile, highest_of_head.exam_count) == (pytest.approx(98), 25)
    assert (lowest_of_body.phantom, highest_of_head.phantom) == ("body", "head")


def test_exams_of_one_standard_name_are_held_against_each_other_whatever_they_are_called(engine: Engine) -> None:
    with transaction(engine) as connection:
        number = standard(connection, "Chest CT")
        for name in ("Chest", "Thorax"):
            name_of_exams(connection, name, standard_name_id=number)
    chest = made(engine, *chests(range(1, 16)))
    thorax = made(engine, *chests(range(16, 31), name="Thorax"))
    found = told(engine, chest[0], thorax[-1])
    assert [(one.name_kind, one.name_id, one.name, one.exam_count) for one in found] == [
        ("standard", number, "Chest CT", 30)
    ] * 2
    assert [one.percentile for one in found] == [pytest.approx(50 / 30), pytest.approx(100 - 50 / 30)]


def test_exams_without_any_name_are_not_held_against_each_other(engine: Engine) -> None:
    studies = made(engine, *chests(range(1, 31)))
    with transaction(engine) as connection:
        connection.execute(update(exam_name).values(study_description=None))
    assert told(engine, *studies) == []


MANY = """
INSERT INTO exam_dose (orthanc_study_id, quantity, modality, exam_name_id, value, is_doubted, scope_id)
SELECT md5('many' || n), quantity, 'CT', :name, n, false, 1
FROM generate_series(1, :count) n, unnest(ARRAY['dlp_body_mgy_cm', 'ssde_mgy']) quantity
"""


def many(engine: Engine, count: int) -> list[str]:
    """Studies, the first and the last with the least and the greatest value."""
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(MANY), {"name": name_of_exams(connection, "Chest"), "count": count})
        found = connection.execute(text("SELECT md5('many' || n) FROM generate_series(1, :count) n"), {"count": count})
        return list(found.scalars())


def test_of_very_many_exams_some_are_chosen_by_chance_the_same_ones_each_time_and_it_is_said(engine: Engine) -> None:
    studies = many(engine, 8_000)
    asked = studies[::400]
    found = [one for one in told(engine, *asked) if one.quantity == BODY]
    assert [one.percentile for one in found] == pytest.approx([place * 5 for place in range(20)], abs=8)
    assert {one.is_sample for one in found} == {True}
    assert all(ENOUGH / 2 < one.exam_count < ENOUGH * 2 for one in found)
    assert found == [one for one in told(engine, *asked) if one.quantity == BODY]
    assert found[3:4] == [one for one in told(engine, asked[3]) if one.quantity == BODY]


def test_a_page_of_exams_is_one_statement_that_reads_indexes_alone(engine: Engine) -> None:
    studies = many(engine, 8_000)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE exam_dose"))
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    with connect(engine) as connection:
        percentiles_of(connection, studies[:100])
        asked = [one for one in statements if "exam_dose" in one]
        assert len(asked) == 1
        statement = _statement(studies[:20]).compile(engine)
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", statement.params).scalars())
    assert "Index Only Scan using ix_exam_dose_name" in plan
    assert "Seq Scan on exam_dose" not in plan
    for part in ("counted", "bounded", "found"):
        assert f"CTE {part}" in plan, "it would be worked out for each dose of the page"


def looked_up(plan: dict[str, Any]) -> Iterator[int]:
    """How often each part of a plan looks into the index of names."""
    if plan.get("Index Name") == "ix_exam_dose_name":
        yield plan["Actual Loops"]
    for below in plan.get("Plans", ()):
        yield from looked_up(below)


def test_of_a_page_of_exams_of_many_names_each_name_is_looked_up_twice_for_a_quantity(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in dose_percentiles.STATEMENTS:
            connection.execute(text(statement), {"count": 10_000})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE exam_dose, exam_name"))
    with transaction(engine) as connection:
        studies = connection.execute(text("SELECT md5('t' || n) FROM generate_series(1, 9800, 98) n")).scalars().all()
        found = percentiles_of(connection, studies)
        statement = _statement(studies).compile(engine)
        explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", statement.params)
        times = list(looked_up(explained.scalar_one()[0]["Plan"]))
    assert sum(len(one) for one in found.values()) > 300
    assert len(times) == 2  # to know how many there are, and for their values
    assert max(times) <= dose_percentiles.RAW_NAMES * 5


def test_the_list_the_exam_and_their_endpoints_say_the_percentile_and_lead_to_the_analysis(
    client: FlaskClient, engine: Engine
) -> None:
    exams = chests(range(1, 26), WHOLE, protocol=None)
    made(engine, *exams)
    page = client.get("/treegarth/dose?lang=en").text
    marks = re.findall(r'<a class="percentile" href="([^"]*)" title="([^"]*)"\s+aria-label="([^"]*)">([^<]*)</a>', page)
    assert sorted(int(one[3].removeprefix("P")) for one in marks) == list(range(2, 100, 4))
    url, words, label, _ = next(one for one in marks if one[3] == "P98")
    assert words == label == "P98 of 25 exams called “Chest”: DLP"
    assert client.get(url.replace("&amp;", "&")).status_code == 200
    assert "phantom=body" in url
    of_kind = client.get("/treegarth/dose?kind=ct&lang=ko").text
    assert of_kind.count('class="percentile"') == 25
    item = next(one for one in client.get(f"{API}/studies").get_json()["items"] if one["best"][WHOLE] == 25)
    (told_of_it,) = item["percentiles"]
    assert (told_of_it["percentile"], told_of_it["exam_count"], told_of_it["quantity"]) == (98.0, 25, WHOLE)
    with transaction(engine) as connection:
        connection.execute(insert(patient).values(orthanc_patient_id="p"))
        archived = {"orthanc_study_id": item["orthanc_study_id"], "study_instance_uid": item["study_instance_uid"]}
        connection.execute(insert(study).values(**archived, orthanc_patient_id="p", modalities=["CT"]))
    of_exam = client.get(f"{API}/studies/{item['study_instance_uid']}").get_json()
    assert of_exam["percentiles"] == item["percentiles"]
    row = next(csv.DictReader(StringIO(client.get(f"{API}/studies/export/csv").text)))
    assert "percentiles" not in row
