"""A condition that is wrong is refused with the place and what would be right; a right one comes back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.condition_builder import conditions
from treegarth.assembly import vocabulary
from treegarth.conditions.model import Condition, Kind
from treegarth.conditions.patterns import matches
from treegarth.conditions.text import condition_document, parse_condition
from treegarth.conditions.values import OPERATORS
from treegarth.errors import ConditionRefused

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "conditions.md"


@settings(max_examples=100)
@given(conditions(vocabulary()))
def test_a_condition_reads_as_it_was_written(condition: Condition) -> None:
    assert parse_condition(condition_document(condition), vocabulary()) == condition


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("Modallity = CT", "Modality"),
        ("kpv = 120", "KVP"),
        ("SpacingBetweenSlice > 1", "SpacingBetweenSlices"),
        ("series_count > many", "a number such as"),
        ("StudyDate > 2026-13-01", "a day such as"),
        ("PatientID = 'x", "Quote a text"),
        ("series_count like 3", "can be compared by"),
        ("received_at = 2026-01-01", "can be compared by"),
        ("hold = legl", "Perhaps legal"),
        ("StudyDescription = CT Thorax", "'CT Thorax'"),
        ("Modality in CT", "in [one, another]"),
        ("StudyDate older than 3 hours", "whole days"),
        ("StudyDate", "can be compared by"),
        ("", "Modality = CT"),
    ],
)
def test_a_bad_comparison_is_refused_with_what_would_be_right(line: str, right: str) -> None:
    with pytest.raises(ConditionRefused) as refused:
        parse_condition({"all": ["Modality = CT", line]}, vocabulary(), "rules[0].if")
    (problem,) = refused.value.problems
    assert problem.place == "rules[0].if.all[1]"
    assert right in problem.right


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(ConditionRefused) as refused:
        parse_condition({"any": ["x = 1", {"foo": 1}, {"series": {"series": "Modality = CT"}}, 5]}, vocabulary())
    places = [problem.place for problem in refused.value.problems]
    assert places == ["if.any[0]", "if.any[1]", "if.any[2].series.series", "if.any[3]"]


def test_a_pattern_knows_capitals_of_a_to_z_only() -> None:
    assert matches("*ROUTINE*", "흉부 routine CT")
    assert matches("흉?", "흉부")
    assert not matches("Ü*", "ünal")


def test_every_field_and_every_operator_is_documented() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    missing = [field.name for field in vocabulary().fields() if f"`{field.name}`" not in text]
    missing += [operator.value for kind in Kind for operator in OPERATORS[kind] if f"`{operator.value}`" not in text]
    assert missing == []
