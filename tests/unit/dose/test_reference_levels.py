"""What a set of reference levels may say, which level holds when, what a median says of it, and its rows as CSV."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from treegarth.errors import DocumentRefused
from treegarth.features.dose.analysis.distribution import NOTHING
from treegarth.features.dose.analysis.levels.comparison import is_above, verdict_of
from treegarth.features.dose.analysis.levels.documents import EXAMPLE, changes
from treegarth.features.dose.analysis.levels.holding import levels_of, levels_on
from treegarth.features.dose.analysis.levels.model import LevelRow, LevelSet
from treegarth.features.dose.analysis.levels.quantities import LEVEL_QUANTITIES
from treegarth.features.dose.analysis.levels.rows_csv import COLUMNS, MARK, read_rows, write_rows
from treegarth.features.dose.analysis.levels.screening import flags
from treegarth.features.dose.analysis.levels.sets import KeptSet
from treegarth.features.dose.analysis.levels.store import ExamDose
from treegarth.web.validation import InvalidFields, validated

ROOT = Path(__file__).resolve().parents[3]
CHEST = {"modality": "CT", "quantity": "dlp_mgy_cm", "phantom": "body", "standard_name": "Chest", "level": 400}
HEAD = "modality,quantity,phantom,standard_name,age_from_years,age_to_years,level,unit,achievable\n"


def a_set(number: int = 1, *rows: dict[str, Any], is_on: bool = True, **says: Any) -> KeptSet:
    document = {**EXAMPLE, "name": f"set {number}", "valid_from": None, **says, "rows": rows or (CHEST,)}
    return KeptSet(number=number, is_on=is_on, says=validated(LevelSet, document))


# ---- what may be said ----


@pytest.mark.parametrize(
    "wrong",
    [
        {"phantom": None},
        {"phantom": "both"},
        {"quantity": "dose"},
        {"quantity": "dose_area_product_gy_m2"},  # has no phantom
        {"level": 0},
        {"level": "many"},
        {"level": float("inf")},
        {"achievable": 400.1},
        {"age_from_years": 5, "age_to_years": 5},
        {"weight_from_kg": 70, "weight_to_kg": 50},
        {"age_from_years": -1},
        {"modality": "ct"},
        {"standard_name": " "},
        {"colour": "red"},
    ],
)
def test_a_row_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    assert validated(LevelRow, CHEST).level == 400
    with pytest.raises(InvalidFields):
        validated(LevelRow, CHEST | wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"publication": {**EXAMPLE["publication"], "table": ""}},  # type: ignore[dict-item]
        {"publication": None},
        {"valid_from": "2020-01-02", "valid_to": "2020-01-01"},
        {"least_exams": 5},
        {"rows": [CHEST, CHEST | {"level": 500}]},
    ],
)
def test_a_set_says_where_its_numbers_are_from_and_nothing_twice(wrong: dict[str, Any]) -> None:
    assert validated(LevelSet, EXAMPLE).least_exams == 20
    with pytest.raises(InvalidFields):
        validated(LevelSet, EXAMPLE | wrong)


def test_head_and_body_are_rows_of_their_own() -> None:
    both = validated(LevelSet, EXAMPLE | {"rows": [CHEST, CHEST | {"phantom": "head"}]})
    assert len({row.key for row in both.rows}) == 2


# ---- which levels hold ----


def test_a_set_holds_on_its_first_and_its_last_day() -> None:
    one = a_set(valid_from="2020-01-01", valid_to="2020-12-31")
    days = [date(2019, 12, 31), date(2020, 1, 1), date(2020, 12, 31), date(2021, 1, 1)]
    assert [len(levels_on([one], day)) for day in days] == [0, 1, 1, 0]


def test_what_is_off_does_not_hold() -> None:
    assert levels_on([a_set(is_on=False)], date(2020, 1, 1)) == []


def test_a_later_set_of_the_same_place_supersedes_an_older_one_name_by_name() -> None:
    old = a_set(1, CHEST, CHEST | {"standard_name": "Abdomen"}, valid_from="2015-01-01")
    new = a_set(2, CHEST | {"age_from_years": 18, "level": 300}, valid_from="2020-01-01")
    before = levels_on([old, new], date(2019, 12, 31))
    assert {(held.row.standard_name, held.superseded_by) for held in before} == {("Chest", None), ("Abdomen", None)}
    after = {
        (held.of.number, held.row.standard_name): held.superseded_by for held in levels_on([old, new], date(2020, 1, 1))
    }
    assert after == {(1, "Chest"): "set 2", (1, "Abdomen"): None, (2, "Chest"): None}


def test_sets_of_two_places_hold_side_by_side_and_one_without_a_first_day_is_the_oldest() -> None:
    country, site = a_set(1), a_set(2, place="Our hospital", valid_from="2010-01-01")
    again = a_set(3, place="our HOSPITAL")
    found = {held.of.number: held.superseded_by for held in levels_on([country, site, again], date(2020, 1, 1))}
    assert found == {1: None, 2: None, 3: "set 2"}


def test_a_set_that_does_not_hold_can_be_looked_at() -> None:
    over = a_set(valid_to="2010-12-31")
    (held,) = levels_of(over, [over], date(2020, 1, 1))
    assert (held.row.level, held.superseded_by) == (400, None)


# ---- what a median says ----


@pytest.mark.parametrize(
    ("n", "low", "high", "verdict"),
    [
        (0, None, None, "no_exams"),
        (19, 60.0, 150.0, "too_few"),
        (20, 60.0, 100.0, "below"),  # the level itself is not exceeded
        (20, 60.0, 100.1, "straddles"),
        (20, 100.0, 150.0, "straddles"),
        (20, 100.1, 150.0, "above"),
    ],
)
def test_a_median_is_above_where_its_whole_interval_is(
    n: int, low: float | None, high: float | None, verdict: str
) -> None:
    found = NOTHING.model_copy(update={"n": n, "median_low": low, "median_high": high})
    assert verdict_of(found, 100.0, 20) == verdict


def test_a_dose_that_is_the_level_but_for_noise_is_not_above_it() -> None:
    assert [is_above(one, 0.3) for one in (0.1 + 0.2, 0.3, 0.299, 0.3001)] == [False, False, False, True]


# ---- single exams ----


def dose(value: float = 401.0, **other: Any) -> ExamDose:
    given = {"quantity": "dlp_mgy_cm", "modality": "CT", "phantom": "body", "standard_name": "Chest", "value": value}
    about = {"study_date": date(2020, 6, 1), "patient_age_years": 5.0, "patient_weight_kg": None}
    return ExamDose.model_validate(given | about | other)


def test_an_exam_is_flagged_above_the_level_of_its_name_only() -> None:
    (flag,) = flags([dose()], [a_set()])
    assert (flag.value, flag.held.row.level, flag.unit) == (401.0, 400.0, "mGy·cm")
    others = [
        dose(400.0),
        dose(phantom="head"),
        dose(phantom="both"),
        dose(standard_name="Abdomen"),
        dose(modality="PT"),
        dose(study_date=None),
    ]
    assert flags(others, [a_set()]) == []


def test_an_exam_is_flagged_by_what_the_site_calls_the_name_of_the_level() -> None:
    level = a_set(1, CHEST | {"standard_name": "CHEST"})
    assert flags([dose()], [level]) == []
    assert len(flags([dose()], [level], {("CT", "CHEST"): "Chest"})) == 1


def test_sets_of_one_place_that_write_a_name_in_capitals_or_not_supersede_each_other() -> None:
    old, new = a_set(1, valid_from="2015-01-01"), a_set(2, CHEST | {"standard_name": "CHEST"}, valid_from="2020-01-01")
    found = {held.of.number: held.superseded_by for held in levels_on([old, new], date(2020, 1, 1))}
    assert found == {1: "set 2", 2: None}


@pytest.mark.parametrize(("age", "is_in"), [(4.99, False), (5.0, True), (9.99, True), (10.0, False), (None, False)])
def test_bands_are_half_open_and_unknown_ages_are_in_none(age: float | None, is_in: bool) -> None:
    banded = a_set(1, CHEST | {"age_from_years": 5, "age_to_years": 10})
    assert bool(flags([dose(patient_age_years=age)], [banded])) == is_in


def test_an_exam_is_held_against_what_held_on_its_day() -> None:
    old, new = a_set(1, valid_from="2015-01-01"), a_set(2, CHEST | {"level": 500}, valid_from="2020-06-02")
    assert [flag.held.of.number for flag in flags([dose()], [old, new])] == [1]
    assert flags([dose(study_date=date(2020, 6, 2))], [old, new]) == []


def test_units_are_those_shown() -> None:
    dap = {"modality": "XA", "quantity": "dose_area_product_gy_m2", "standard_name": "Coronary", "level": 35}
    given = dose(0.0036, quantity="dose_area_product_gy_m2", modality="XA", standard_name="Coronary", phantom=None)
    (flag,) = flags([given], [a_set(1, dap)])
    assert (round(flag.value, 9), flag.unit) == (36.0, "Gy·cm²")


# ---- CSV ----


def test_rows_come_back_from_csv_as_they_were() -> None:
    rows = [
        validated(LevelRow, one)
        for one in (
            CHEST | {"achievable": 312.5},
            CHEST | {"standard_name": "흉부, 저선량 “CT”", "age_from_years": 0.25, "age_to_years": 1},
            CHEST | {"standard_name": "=1+1", "weight_from_kg": 50, "weight_to_kg": 90},
            CHEST | {"standard_name": "'=1+1"},
            {"modality": "XA", "quantity": "dose_area_product_gy_m2", "standard_name": "심장", "level": 1e-7},
        )
    ]
    text = write_rows(rows)
    assert "\r\nCT,dlp_mgy_cm,body,Chest,,,,,400,mGy·cm,312.5\r\n" in text
    assert "'=1+1" in text
    assert read_rows(text) == rows
    assert read_rows(MARK + text.replace("\r\n", "\n")) == rows


def test_the_example_of_the_documentation_is_read() -> None:
    text = (ROOT / "docs" / "reference-levels-made-up.csv").read_text(encoding="utf-8")
    assert write_rows(read_rows(text)) == text.replace("\n", "\r\n")


def test_the_documentation_names_every_quantity_and_column() -> None:
    text = (ROOT / "docs" / "reference-levels.md").read_text(encoding="utf-8")
    assert {name for name in (*LEVEL_QUANTITIES, *COLUMNS) if f"`{name}`" not in text} == set()


def refused(text: str) -> list[str]:
    with pytest.raises(DocumentRefused) as error:
        read_rows(text)
    return [str(one) for one in error.value.problems]


COMMA = "has a comma: the decimal mark is a point"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + 'CT,dlp_mgy_cm,body,Chest,,,"412,5",mGy·cm,\n', f"line 2, column level: “412,5” {COMMA}"),
        (HEAD + 'CT,dlp_mgy_cm,body,Chest,,,"1,412",mGy·cm,\n', f"line 2, column level: “1,412” {COMMA}"),
        (
            HEAD + "CT,dlp_mgy_cm,body,Chest,,,412,5,mGy·cm,\n",
            "line 2: has 10 cells, and the head 9: is a comma a decimal",
        ),
        (HEAD.replace(",", ";") + "CT;dlp_mgy_cm;body;Chest;;;412,5;;\n", "line 1: Cells are divided by commas"),
        (HEAD + "CT,dlp_mgy_cm,body,Chest,,,4e2000,,\n", "“4e2000” is no number"),
        (HEAD + "CT,dlp_mgy_cm,body,Chest,,,4e200,,\n", "line 2, column level: must be at most"),
        (HEAD + "CT,dlp_mgy_cm,body,Chest,,,nan,,\n", "line 2, column level: “nan” is no number."),
        (HEAD + "CT,dlp_mgy_cm,body,Chest,,,-4,,\n", "line 2, column level: must be more than 0"),
        (HEAD + "CT,dlp_mgy_cm,body,Chest,,,,,\n", "line 2, column level: is missing."),
        (HEAD + "CT,dlp_mgy_cm,body,Chest,,,4,Gy·cm²,\n", "line 2, column unit: “Gy·cm²” is not the unit"),
        (HEAD + "CT,dose,body,Chest,,,4,,\n", "line 2, column quantity: is none of the quantities"),
        (HEAD + "CT,dlp_mgy_cm,,Chest,,,4,,\n", "line 2: Say of which phantom this is"),
        (HEAD + "CT,dlp_mgy_cm,body,Chest,,,4,,\nCT,dlp_mgy_cm,body,Chest,,,5,,\n", "line 3: line 2 says a level"),
        ("modality,quantity,standard_name\nCT,dlp_mgy_cm,Chest\n", "line 1, column level: is missing."),
        (HEAD.replace("phantom", "fantom"), "line 1, column fantom: is not known here."),
        (HEAD.replace("unit", "level"), "line 1, column level: stands twice."),
        ("", "column modality: is missing."),
        (HEAD + "CT,dlp_mgy_cm,body,\ufffd\ufffd,,,4,,\n", "This is no UTF-8"),
        (HEAD + 'CT,dlp_mgy_cm,body,"Chest,,,4,,\n', "is no CSV"),
    ],
)
def test_a_mistake_in_csv_is_told_at_its_line_and_column(text: str, said: str) -> None:
    assert any(said in one for one in refused(text)), refused(text)


def test_every_mistake_is_told_at_once() -> None:
    text = HEAD + "ct,dlp_mgy_cm,body,Chest,x,,4,,\n\nCT,dlp_mgy_cm,body,Chest,9,5,4,,5\n"
    said = refused(text)
    assert [one.split(":")[0] for one in said] == [
        "line 2, column age_from_years",
        "line 2, column modality",
        "line 4, column age_to_years",
        "line 4, column achievable",
    ]


def test_what_csv_changes_is_known_row_by_row() -> None:
    make: Callable[..., LevelRow] = lambda **other: validated(LevelRow, CHEST | other)  # noqa: E731
    before = [make(), make(standard_name="A"), make(standard_name="B")]
    after = [make(level=300), make(standard_name="B"), make(standard_name="C")]
    assert [(one.outcome, one.row.standard_name) for one in changes(before, after)] == [
        ("changed", "Chest"),
        ("same", "B"),
        ("new", "C"),
        ("gone", "A"),
    ]
    assert changes(before, after)[0].before == before[0]
