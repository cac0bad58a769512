"""What is said about a field that is not right."""

from __future__ import annotations

import inspect
from typing import Literal

import pytest
from pydantic import Field

from treegarth.database import keyset
from treegarth.web.lists import Day, PageQuery
from treegarth.web.problems import FROM_LOWER_FLOORS
from treegarth.web.routes import Text
from treegarth.web.validation import OWN_SENTENCES, InvalidFields, validated


class Everything(PageQuery):
    day: Day | None = None
    ratio: float | None = Field(default=None, allow_inf_nan=False)
    kind: Literal["ct", "mr"] | None = None
    word: Text | None = Field(default=None, max_length=3)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("limit", "0", "must be at least 1."),
        ("limit", "1001", "must be at most 1000."),
        ("limit", "1.5", "must be a whole number."),
        ("limit", "9" * 5000, "is too large a number."),
        ("day", "20261120", "must be a date like 2026-11-20."),
        ("day", "2026-02-30", "must be a date like 2026-11-20."),
        ("ratio", "many", "must be a number."),
        ("ratio", "nan", "must be a number."),
        ("kind", "us", "must be one of 'ct' or 'mr'."),
        ("word", "long", "must have at most 3 characters."),
        ("word", "\x00", "must be text without NUL and without half characters."),
        ("wrod", "x", "is not known here. Known: limit, cursor, day, ratio, kind, word."),
    ],
)
def test_a_sentence_says_what_would_be_right(field: str, value: str, sentence: str) -> None:
    with pytest.raises(InvalidFields) as caught:
        validated(Everything, {field: value})
    [fault] = caught.value.faults
    assert (fault.field, fault.said()) == (field, sentence)


def test_our_own_validators_say_what_can_be_translated() -> None:
    with pytest.raises(InvalidFields) as caught:
        validated(Everything, {"day": "x", "word": "\ud800"})
    assert {fault.message for fault in caught.value.faults} <= set(OWN_SENTENCES)
    assert all(sentence in inspect.getsource(keyset) for sentence in FROM_LOWER_FLOORS)
