"""A record keeps what it is given: what pages say in another language stays a sentence, nothing can be changed."""

from __future__ import annotations

import pytest
from pydantic import Field, ValidationError

from treegarth.phrases import P_, Phrase
from treegarth.record import Record


class Work(Record):
    """Some work."""

    reason: str | None = None
    """Why it failed."""
    problems: list[str] = Field(default_factory=list)


def test_a_sentence_stays_one_and_is_plain_text_in_an_answer() -> None:
    made = Work(reason=P_("%(count)s are too many", count=3), problems=[P_("no"), "as it is"])
    assert isinstance(made.reason, Phrase)
    assert made.reason.message == "%(count)s are too many"
    assert [type(one) for one in made.problems] == [Phrase, str]
    assert made.model_dump(mode="json") == {"reason": "3 are too many", "problems": ["no", "as it is"]}


def test_nothing_of_a_record_can_be_changed_or_added() -> None:
    with pytest.raises(ValidationError):
        Work().reason = "else"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Work.model_validate({"reasons": "else"})
