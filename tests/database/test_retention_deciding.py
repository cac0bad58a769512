"""The decision in SQL is the decision in memory, and both see what stands in the database."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from tests.retention_support import NOW, POLICY_ID, VERSION, RandomArchive, policy, table, write_destinations
from treegarth.assembly import vocabulary
from treegarth.conditions.text import parse_condition
from treegarth.features.retention.model import Age, Keep, Policy, ProofDemand, Since
from treegarth.features.retention.rules import decide
from treegarth.features.retention.store.decision import NumberedPolicy, free_objects, read_states

ROUNDS = 50 if os.environ.get("TREEGARTH_SOAK") == "1" else 2
STUDIES = 100  # of some two objects each: 10,000 objects in the full number of rounds


def random_policy(chance: random.Random) -> Policy:
    found = policy(
        condition=parse_condition("Modality = CT", vocabulary()),
        keep=Keep(dose_and_representatives=True),
        minimum_age=timedelta(days=chance.choice([0, 7, 30])),
    )
    if chance.random() < 0.6:
        found = replace(found, age=Age(since=chance.choice(list(Since)), least=timedelta(days=chance.randrange(300))))
    fresh = timedelta(days=chance.choice([1, 100, 400]))
    demands = [ProofDemand(destination=name, fresh=fresh) for name in ("LONGTERM", "OTHER")]
    return replace(found, proofs=tuple(demands[: chance.choice([0, 0, 1, 2])]))


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_memory_and_sql_decide_alike_about_what_is_in_the_database(engine: Engine, seed: int) -> None:
    chance = random.Random(seed)
    with engine.begin() as connection:
        write_destinations(connection)
        archive = RandomArchive(connection, seed)
        archive.write(STUDIES)
        states: list[object] = []
        pruned = 0
        for _ in range(8):
            chosen = random_policy(chance)
            for given in (chosen, chosen.for_marking):
                numbered = NumberedPolicy(id=POLICY_ID, version=VERSION, policy=given)
                where = table("instance").c.orthanc_instance_id.is_not(None)
                states = list(read_states(connection, numbered, vocabulary(), NOW, where))
                decided = {one.orthanc_instance_id for one in states if decide(one, given, NOW).prune}  # type: ignore[attr-defined, arg-type]
                query = free_objects(numbered, vocabulary(), NOW, table("instance").c.orthanc_instance_id)
                found = connection.execute(query).scalars().all()
                assert set(found) == decided
                assert len(found) == len(decided)
                pruned += len(found)
    by_name = {one.orthanc_instance_id: one for one in states}  # type: ignore[attr-defined]
    assert {
        name: replace(one, proofs=tuple(sorted(one.proofs, key=lambda proof: proof.destination)))
        for name, one in by_name.items()
    } == archive.expected
    assert pruned > 0
