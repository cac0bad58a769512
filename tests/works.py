"""Long work carried on in a test, as a worker does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine

from treegarth.database.engine import connect
from treegarth.features.dose.registry import works as dose
from treegarth.features.rules.service import RuleBook, application
from treegarth.work.kinds import Carry, WorkKind
from treegarth.work.runner import Runner
from treegarth.work.store import LongWork, latest


def runner(
    engine: Engine, clock: Callable[[], datetime], kinds: Sequence[WorkKind], carries: Mapping[str, Carry]
) -> Runner:
    return Runner(engine=engine, clock=clock, carried={one.name: (one, carries[one.name]) for one in kinds})


def dose_runner(engine: Engine, clock: Callable[[], datetime]) -> Runner:
    """Of re-reading, deciding anew and files of sizes."""
    return runner(engine, clock, [dose.REDECIDING, dose.REREADING, dose.SIZES], dose.carries())


def rules_runner(engine: Engine, book: RuleBook, clock: Callable[[], datetime]) -> Runner:
    """Of rules that are applied to the archive."""
    return runner(engine, clock, [application.APPLYING], application.carries(book, lambda: None))


def latest_of(engine: Engine, kind: WorkKind, subject: str = "") -> LongWork:
    with connect(engine) as connection:
        found = latest(connection, kind.name, subject)
    assert found is not None
    return found
