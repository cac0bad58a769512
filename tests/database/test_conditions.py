"""A condition decides the same in memory and in SQL, whatever the studies and whatever is asked of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, case, select
from sqlalchemy.engine import Engine

from tests.condition_builder import NOW, Row, conditions, facts_of, names, studies
from tests.condition_rows import write_studies
from treegarth.assembly import vocabulary
from treegarth.conditions.compilation import compile_for
from treegarth.conditions.decision import decide, explain
from treegarth.conditions.facts import read_facts
from treegarth.conditions.model import Condition, Facts, Level
from treegarth.conditions.text import condition_document

STUDIES, CONDITIONS = 5, 8
ROUNDS = 150 if os.environ.get("TREEGARTH_SOAK") else 5  # each decides 40 cases
several_studies = st.lists(studies(), min_size=STUDIES, max_size=STUDIES)
quick = settings(
    max_examples=ROUNDS,
    phases=(Phase.explicit, Phase.generate),  # a smaller example costs PostgreSQL's planning of eight conditions again
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def several(level: Level) -> st.SearchStrategy[list[Condition]]:
    return st.lists(conditions(vocabulary(), level), min_size=CONDITIONS, max_size=CONDITIONS)


@contextmanager
def written(engine: Engine, found: list[Row]) -> Iterator[tuple[Connection, list[str]]]:
    """A connection that sees these studies, and their keys; taken back at the end."""
    with engine.connect() as connection:
        yield connection, write_studies(connection, vocabulary(), found)


def disagreements(asked: list[Condition], sql: dict[str, list[bool]], memory: dict[str, list[bool]]) -> list[str]:
    """Where the two faces differ, the shortest condition first: each stands alone, so it is small without shrinking."""
    assert sql.keys() == memory.keys()
    found = [
        f"{condition_document(one)} of {key}: SQL says {sql[key][at]}, memory {memory[key][at]}"
        for key in memory
        for at, one in enumerate(asked)
        if sql[key][at] != memory[key][at]
    ]
    return sorted(found, key=len)


def by_sql(connection: Connection, level: Level, asked: list[Condition]) -> dict[str, list[bool]]:
    """What each condition is, by the key of each row of a level."""
    place = vocabulary().levels[level]
    compiled = [case((compile_for(level, one, vocabulary(), NOW), True), else_=False) for one in asked]
    columns = [column.label(f"holds_{at}") for at, column in enumerate(compiled)]
    rows = connection.execute(select(place.key, *columns).select_from(place.table))
    return {key: holds for key, *holds in rows}


@quick
@given(found=several_studies, asked=several(Level.STUDY))
def test_a_condition_decides_the_same_in_memory_and_in_sql(
    engine: Engine, found: list[Row], asked: list[Condition]
) -> None:
    with written(engine, found) as (connection, keys):
        decided = by_sql(connection, Level.STUDY, asked)
    facts = {key: facts_of(one, key) for key, one in zip(keys, found, strict=True)}
    assert disagreements(asked, decided, {key: [decide(one, facts[key], NOW) for one in asked] for key in keys}) == []


@quick
@given(found=several_studies, asked=several(Level.SERIES))
def test_a_condition_of_a_series_decides_the_same_in_memory_and_in_sql(
    engine: Engine, found: list[Row], asked: list[Condition]
) -> None:
    with written(engine, found) as (connection, keys):
        decided = by_sql(connection, Level.SERIES, asked)
    whole = [facts_of(one, key) for key, one in zip(keys, found, strict=True)]
    expected = {
        beneath.key: [decide(one, beneath, NOW, level=Level.SERIES, above=[facts]) for one in asked]
        for facts in whole
        for beneath in facts.below
    }
    assert disagreements(asked, decided, expected) == []


@quick
@given(found=several_studies, asked=several(Level.INSTANCE))
def test_a_condition_of_an_instance_decides_the_same_in_memory_and_in_sql(
    engine: Engine, found: list[Row], asked: list[Condition]
) -> None:
    with written(engine, found) as (connection, keys):
        decided = by_sql(connection, Level.INSTANCE, asked)
    whole = [facts_of(one, key) for key, one in zip(keys, found, strict=True)]
    expected = {
        lowest.key: [decide(one, lowest, NOW, level=Level.INSTANCE, above=[beneath, facts]) for one in asked]
        for facts in whole
        for beneath in facts.below
        for lowest in beneath.below
    }
    assert disagreements(asked, decided, expected) == []


@quick
@given(found=several_studies)
def test_facts_that_are_read_are_those_that_were_written(engine: Engine, found: list[Row]) -> None:
    every = [name for level in names().values() for name in level]
    with written(engine, found) as (connection, keys):
        read = read_facts(connection, vocabulary(), [], keys, NOW, also=every, deepest=Level.INSTANCE)
    assert read == {key: facts_of(one, key) for key, one in zip(keys, found, strict=True)}


@quick
@given(found=several_studies, asked=several(Level.STUDY))
def test_only_the_fields_that_conditions_name_are_read_and_suffice(
    engine: Engine, found: list[Row], asked: list[Condition]
) -> None:
    with written(engine, found) as (connection, keys):
        read = read_facts(connection, vocabulary(), asked, keys, NOW)
    for key, one in zip(keys, found, strict=True):
        whole: Facts = facts_of(one, key)
        for condition in asked:
            assert decide(condition, read[key], NOW) == decide(condition, whole, NOW)
            assert explain(condition, read[key], NOW).holds == decide(condition, whole, NOW)


def test_every_field_can_be_read_and_compiled(engine: Engine) -> None:
    with written(engine, []) as (connection, _):
        every = list(vocabulary().terms)
        assert read_facts(connection, vocabulary(), [], ["study-0"], NOW, also=every) == {}
