"""A column of sentences: a phrase comes back as a phrase, another text as it is, and neither is longer than it may."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, select

from treegarth.database.engine import transaction
from treegarth.database.phrase_column import LONGEST, PhraseColumn
from treegarth.phrases import P_, Phrase, in_language

KOREAN = {"It refused the object: %(meaning)s.": "객체를 거부했습니다: %(meaning)s.", "out of resources": "자원 부족"}

Keep = Callable[[str | None], str | None]


@pytest.fixture
def keep(engine: Engine) -> Keep:
    """Write a text, and read what was written."""
    said = Table("said", MetaData(), Column("id", Integer, primary_key=True), Column("why", PhraseColumn))
    with transaction(engine) as connection:
        said.create(connection)

    def kept(text: str | None) -> str | None:
        with transaction(engine) as connection:
            number = connection.execute(said.insert().values(why=text).returning(said.c.id)).scalar_one()
            assert connection.execute(select(said.c.why.is_(None)).where(said.c.id == number)).scalar() is (
                text is None
            )
            found: str | None = connection.execute(select(said.c.why).where(said.c.id == number)).scalar_one()
        return found

    return kept


def test_a_phrase_can_still_be_said_in_another_language(keep: Keep) -> None:
    found = keep(P_("It refused the object: %(meaning)s.", meaning=P_("out of resources")))
    assert found == "It refused the object: out of resources."
    assert in_language(found, lambda message: KOREAN.get(message, message)) == "객체를 거부했습니다: 자원 부족."
    several = keep(Phrase("%(done)s of %(count)s", {"done": (P_("out of resources"), "b"), "count": 3}))
    assert several == "out of resources, b of 3"


def test_another_text_stays_as_it_is_and_nothing_is_null(keep: Keep) -> None:
    assert keep("디스크 100 % full") == "디스크 100 % full"
    assert not isinstance(keep("disk full"), Phrase)
    assert keep("") == ""
    assert keep(None) is None


def test_what_somebody_else_said_is_cut_and_loses_what_json_cannot_hold(keep: Keep) -> None:
    strange = "a\x00b\ud800c\nd" + "x" * 2 * LONGEST
    cut = "a b c d" + "x" * (LONGEST - 7)
    assert keep(strange) == cut
    assert keep(P_("It said: %(what)s.", what=strange)) == f"It said: {cut}."
