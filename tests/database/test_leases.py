"""Rows that are work: several workers, each row with one of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Column, DateTime, Engine, Integer, MetaData, Table, Text, insert, select

import treegarth
from treegarth.database.engine import connect, transaction
from treegarth.tasks import leases

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LEASE = timedelta(minutes=1)

work = Table(
    "work",
    MetaData(),
    Column("place", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
)


@pytest.fixture
def worked(engine: Engine) -> Engine:
    """A table with ten rows of work, whose turns came one minute after the other; the last one's has not."""
    with transaction(engine) as connection:
        work.create(connection)
        turns = [NOON + timedelta(minutes=number - 9.5) for number in range(11)]
        rows = [{"place": "hall", "number": number, "next_attempt_at": turn} for number, turn in enumerate(turns)]
        connection.execute(insert(work), rows)
    return engine


def claimed(engine: Engine, now: datetime, limit: int) -> list[tuple[int, int]]:
    with transaction(engine) as connection:
        columns = [work.c.number, work.c.attempts]
        rows = leases.claim(connection, work, now, LEASE, work.c.place == "hall", limit=limit, returning=columns)
    return sorted((row.number, row.attempts) for row in rows)


def test_those_that_waited_longest_are_claimed_and_come_up_again_when_the_lease_ends(worked: Engine) -> None:
    assert claimed(worked, NOON, 3) == [(0, 1), (1, 1), (2, 1)]
    assert claimed(worked, NOON, 100) == [(number, 1) for number in range(3, 10)], "what has its turn later waits"
    assert claimed(worked, NOON, 100) == []
    assert claimed(worked, NOON + LEASE, 100) == [(number, 2) for number in range(10)] + [(10, 1)]


def test_what_another_worker_is_at_is_passed_over(worked: Engine) -> None:
    columns = [work.c.number]
    with transaction(worked) as one, transaction(worked) as other:
        first = leases.claim(one, work, NOON, LEASE, limit=4, returning=columns)
        second = leases.claim(other, work, NOON, LEASE, limit=4, returning=columns)
        assert sorted(row.number for row in first) == [0, 1, 2, 3]
        assert sorted(row.number for row in second) == [4, 5, 6, 7]


def test_what_is_taken_is_back_when_the_transaction_fails(worked: Engine) -> None:
    turn = work.c.next_attempt_at
    with connect(worked) as connection:
        assert sorted(row.number for row in leases.take(connection, work, turn, limit=2, returning=work)) == [0, 1]
        connection.rollback()
    with transaction(worked) as connection:
        assert [row.number for row in leases.take(connection, work, turn, limit=1, returning=work)] == [0]
    with connect(worked) as connection:
        assert connection.execute(select(work.c.number).order_by(turn).limit(1)).scalar_one() == 1


def test_rows_are_passed_over_in_one_place_only() -> None:
    package = Path(treegarth.__file__).parent
    found = [
        path.relative_to(package).as_posix()
        for path in sorted(package.rglob("*.py"))
        if "skip_locked" in (text := path.read_text(encoding="utf-8")) or "SKIP LOCKED" in text
    ]
    assert found == ["tasks/leases.py"]
