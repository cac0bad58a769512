"""Damaged reports reach the registry as what could be read of them, or as refused: never as failed."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from sqlalchemy.engine import Engine

from tests.dose_damage import mutated, originals
from tests.dose_registry_support import Archive, Instance, note, states
from treegarth.features.dose.registry.service import read_waiting

DAMAGED = 60


def test_whatever_is_read_of_a_damaged_report_can_be_stored(engine: Engine) -> None:
    chance = random.Random(7)
    sources = originals()
    files = {f"s{number}": mutated(chance.choice(sources), chance) for number in range(DAMAGED)}
    note(engine, *(Instance(name, f"1.2.{name[1:]}", study_instance_uid=f"1.{len(name)}") for name in files))
    later = datetime.now(UTC).replace(year=2124)
    assert read_waiting(engine, Archive(**files), limit=1000, clock=lambda: later) == DAMAGED
    assert set(states(engine).values()) == {"read", "refused"}
