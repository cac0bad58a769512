"""From a policy to deleted objects: marked, rescued or held, asked about once more, deleted, and agreed upon after any
interruption. Orthanc is a set of identifiers here; tests/orthanc has the real one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, func, insert, select

from tests.index_support import NOON, write_study
from tests.retention_support import table
from treegarth.assembly import vocabulary
from treegarth.documents.store import Author
from treegarth.errors import NotFound, OrthancUnavailable
from treegarth.features.archive.store import removal
from treegarth.features.retention.deletion import LATER, LEASE, Pruner
from treegarth.features.retention.follower import LedgerFollower
from treegarth.features.retention.model import HoldKind
from treegarth.features.retention.store import marks
from treegarth.features.retention.store.deletion import DueObject
from treegarth.features.retention.store.holds import set_holds
from treegarth.features.retention.store.policies import POLICIES
from treegarth.features.retention.tables import prune_ledger, prune_mark
from treegarth.index.instances import Level
from treegarth.index.studies import the_study
from treegarth.index.tables import instance

AFTER = NOON + timedelta(days=100)
UID = "1.2.840.99999.1.1"
PLAIN = {"name": "p", "why": "w", "keep": "nothing", "after": "90 days since received", "proof": "none"}
PROVED = {**PLAIN, "proof": {"at": "LONGTERM", "within": "1 day"}}


class Killed(BaseException):
    """The worker ends here."""


@dataclass
class KnownOrthanc:
    """The identifiers that Orthanc has; `dies` is what a deletion does instead, `late` after it was done."""

    there: set[str]
    received_at: dict[str, datetime] = field(default_factory=dict)
    dies: BaseException | None = None
    late: bool = False
    deleted: list[str] = field(default_factory=list)

    def exists(self, path: str) -> bool:
        return path.rpartition("/")[2] in self.there

    def get_bytes(self, path: str, *, timeout_s: float | None = None) -> bytes:
        name = path.split("/")[2]
        if name not in self.there:
            raise NotFound
        return self.received_at.get(name, NOON).strftime("%Y%m%dT%H%M%S").encode()

    def delete(self, path: str, *, timeout_s: float | None = None) -> None:
        name = path.rpartition("/")[2]
        if self.dies is not None and not self.late:
            raise self.dies
        if name not in self.there:
            raise NotFound
        self.there.remove(name)
        self.deleted.append(name)
        if self.dies is not None:
            raise self.dies


@dataclass
class KnownDestinations:
    """What the destination says that it has; None: it cannot be asked."""

    has: set[str] | None = field(default_factory=set)
    error: Exception | None = None
    asked: int = 0

    def ask(self, name: str, objects: Sequence[DueObject]) -> Mapping[str, str] | None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        if self.has is None:
            return None
        return {one.orthanc_instance_id: "find" for one in objects if one.orthanc_instance_id in self.has}


class Site:
    """Two studies of two objects each, one policy, and a clock."""

    def __init__(self, engine: Engine, document: Mapping[str, Any] = PLAIN, *, studies: int = 2) -> None:
        self.engine, self.now = engine, AFTER
        self.waited: list[float] = []
        with engine.begin() as connection:
            for number in range(1, studies + 1):
                write_study(connection, number)
            self.identifiers = set(connection.execute(select(instance.c.orthanc_instance_id)).scalars())
            author = Author(name="alice", now=NOON)
            self.policy = POLICIES.create(connection, document, author)
            POLICIES.switch(connection, self.policy.id, author, is_on=True)
        self.orthanc = KnownOrthanc(set(self.identifiers))
        self.destinations = KnownDestinations(set(self.identifiers))
        self.pruner = Pruner(
            engine=engine,
            orthanc=self.orthanc,
            vocabulary=vocabulary,
            destinations=self.destinations,
            clock=self.clock,
            zone=ZoneInfo("Asia/Seoul"),
            wait=self.waited.append,
        )

    def clock(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def work(self, *, after: timedelta = timedelta(0)) -> None:
        self.now += after
        self.pruner.work(seconds=5)

    def ledger(self) -> list[tuple[str, str]]:
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(prune_ledger.c.orthanc_instance_id, prune_ledger.c.state).order_by(prune_ledger.c.id)
            )
            return [(row[0], row[1]) for row in rows]

    def marked(self) -> int:
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(prune_mark)).scalar_one()

    def prove(self, *identifiers: str, proof: str = "find", at: datetime = NOON) -> None:
        with self.engine.begin() as connection:
            connection.execute(insert(table("destination")).values(id=1, name="LONGTERM", kind="dicom", address={}))
            for one in identifiers:
                connection.execute(
                    insert(table("delivery_object")).values(
                        destination_id=1,
                        orthanc_instance_id=one,
                        orthanc_series_id="s",
                        orthanc_study_id="s",
                        study_instance_uid="1",
                        series_instance_uid="1",
                        sop_instance_uid=f"1.{one}",
                        size_bytes=1,
                        proof_wanted="best",
                        state="confirmed",
                        proof=proof,
                        begun_at=at,
                        confirmed_at=at,
                    )
                )

    def let_the_index_follow(self) -> None:
        with self.engine.begin() as connection:
            gone = sorted(self.identifiers - self.orthanc.there)
            removed = removal.remove(connection, Level.INSTANCE, gone)
            LedgerFollower().left(connection, removed, self.now)
            removal.remove_empty(connection, removed)


def test_what_is_old_is_marked_and_deleted_only_after_the_period_of_grace(engine: Engine) -> None:
    site = Site(engine)
    site.work()
    assert (site.marked(), site.orthanc.deleted) == (4, [])
    site.work(after=timedelta(days=8))
    assert site.orthanc.there == set()
    assert [state for _, state in site.ledger()] == ["deleted"] * 4
    assert site.marked() == 0
    assert max(site.waited) == pytest.approx(0.1, abs=0.01)  # 600 a minute


def test_a_rescued_object_stays_and_is_not_marked_again_for_a_while(engine: Engine) -> None:
    site = Site(engine)
    site.work()
    with engine.begin() as connection:
        found = marks.rescue(
            connection,
            prune_mark.c.orthanc_study_id == "study-00001",
            rescued_by="alice",
            now=site.now,
            lasts=timedelta(days=30),
        )
    assert found == 2
    site.work(after=timedelta(days=8))
    assert site.orthanc.there == {"instance-00001-1", "instance-00001-2"}
    site.let_the_index_follow()
    site.work(after=timedelta(days=2))
    assert site.marked() == 0
    site.work(after=timedelta(days=30))
    assert site.marked() == 2


def test_a_hold_set_after_marking_keeps_the_objects(engine: Engine) -> None:
    site = Site(engine)
    site.work()
    with engine.begin() as connection:
        studies = [the_study(connection, UID)]
        set_holds(connection, studies, kind=HoldKind.LEGAL, reason="r", until=None, set_by=None, now=site.now)
    site.work(after=timedelta(days=8))
    assert site.orthanc.there == {"instance-00001-1", "instance-00001-2"}


@pytest.mark.parametrize("proof", ["find", "commitment"])
def test_what_its_destination_still_has_is_deleted_and_the_ledger_says_on_which_proof(
    engine: Engine, proof: str
) -> None:
    site = Site(engine, PROVED)
    site.prove("instance-00001-1", proof=proof)
    site.work()
    assert site.marked() == 1
    site.work(after=timedelta(days=8))
    assert site.orthanc.deleted == ["instance-00001-1"]
    with engine.connect() as connection:
        (given,) = connection.execute(select(prune_ledger.c.proof)).scalars()
    assert [(one["destination"], one["kind"], one["at"][:10]) for one in given] == [
        ("LONGTERM", "find", str(site.now.date()))
    ]


def test_the_status_of_a_c_store_lets_nothing_be_marked(engine: Engine) -> None:
    site = Site(engine, PROVED)
    site.prove(*sorted(site.identifiers), proof="status")
    site.work()
    assert site.marked() == 0


def test_what_its_destination_has_lost_is_kept(engine: Engine) -> None:
    site = Site(engine, PROVED)
    site.prove(*sorted(site.identifiers))
    site.work()
    site.destinations.has = {"instance-00002-1"}
    site.work(after=timedelta(days=8))
    assert site.orthanc.deleted == ["instance-00002-1"]
    assert site.marked() == 0


def test_while_its_destination_is_silent_an_object_waits(engine: Engine) -> None:
    site = Site(engine, PROVED)
    site.prove("instance-00001-1")
    site.work()
    site.destinations.error = OrthancUnavailable("no answer")
    site.work(after=timedelta(days=8))
    assert (site.orthanc.deleted, site.marked()) == ([], 1)
    site.destinations.error = None
    site.work(after=LATER + timedelta(minutes=1))
    assert site.orthanc.deleted == ["instance-00001-1"]


@pytest.mark.parametrize(("age", "goes"), [(timedelta(hours=1), True), (timedelta(days=2), False)])
def test_where_a_destination_cannot_be_asked_its_commitment_counts_while_it_is_fresh(
    engine: Engine, age: timedelta, goes: bool
) -> None:
    site = Site(engine, {**PROVED, "grace": "0 minutes"})
    site.prove("instance-00001-1", proof="commitment", at=AFTER - age)
    site.destinations.has = None
    site.work()
    assert bool(site.orthanc.deleted) is goes


@pytest.mark.parametrize("late", [False, True], ids=["before Orthanc deleted", "after Orthanc deleted"])
@pytest.mark.parametrize("error", [Killed(), OrthancUnavailable("no answer")], ids=["killed", "no answer"])
def test_after_an_interrupted_deletion_the_ledger_and_orthanc_agree(
    engine: Engine, late: bool, error: BaseException
) -> None:
    site = Site(engine, {**PLAIN, "grace": "0 minutes"})
    site.orthanc.dies, site.orthanc.late = error, late
    try:
        site.work()
    except Killed:
        assert isinstance(error, Killed)
    assert {state for _, state in site.ledger()} == {"intended"}
    gone = site.identifiers - site.orthanc.there
    site.orthanc.dies = None
    site.now += LEASE + timedelta(seconds=1)
    site.pruner.settle()
    assert {name for name, state in site.ledger() if state == "deleted"} == gone
    assert {name for name, state in site.ledger() if state == "kept"} == site.identifiers - gone
    site.let_the_index_follow()
    site.work()
    assert site.orthanc.there == set()
    assert sorted(name for name, state in site.ledger() if state == "deleted") == sorted(site.identifiers)


def test_an_intention_that_somebody_took_back_is_not_carried_out(engine: Engine) -> None:
    site = Site(engine, {**PLAIN, "grace": "0 minutes"}, studies=1)

    def hold_meanwhile(_: float) -> None:
        with engine.begin() as connection:
            studies = [the_study(connection, UID)]
            set_holds(connection, studies, kind=HoldKind.PROJECT, reason="r", until=None, set_by=None, now=site.now)

    site.pruner = Pruner(**{**site.pruner.__dict__, "wait": hold_meanwhile})
    site.work()
    assert len(site.orthanc.deleted) == 1
    assert [state for _, state in site.ledger()] == ["deleted", "kept"]


def test_an_open_delivery_that_appears_at_the_last_moment_keeps_the_object(engine: Engine) -> None:
    site = Site(engine, {**PLAIN, "grace": "0 minutes"}, studies=1)

    def deliver_meanwhile(_: float) -> None:
        if not site.waited:
            site.prove("instance-00001-2")
        site.waited.append(0)
        with engine.begin() as connection:
            connection.execute(table("delivery_object").update().values(state="waiting"))

    site.pruner = Pruner(**{**site.pruner.__dict__, "wait": deliver_meanwhile})
    site.work()
    assert site.ledger() == [("instance-00001-1", "deleted"), ("instance-00001-2", "kept")]
    with engine.begin() as connection:
        said = select(prune_ledger.c.kept_because).where(prune_ledger.c.state == "kept")
        assert connection.execute(said).scalar_one() == "its delivery to LONGTERM is open"
        connection.execute(table("delivery_object").update().values(state="confirmed"))
    site.pruner = Pruner(**{**site.pruner.__dict__, "wait": site.waited.append})
    site.work()
    assert len(site.ledger()) == 2
    site.work(after=timedelta(minutes=2))  # long before the policy looks at the whole archive again
    assert site.ledger()[2:] == [("instance-00001-2", "deleted")]


@pytest.mark.parametrize("document", [PLAIN, PROVED], ids=["no proof", "proof"])
def test_what_orthanc_stored_again_before_the_index_knows_it_is_kept(
    engine: Engine, document: Mapping[str, Any]
) -> None:
    site = Site(engine, {**document, "grace": "0 minutes"}, studies=1)
    site.prove(*site.identifiers)
    again = min(site.identifiers)
    site.orthanc.received_at = {again: NOON + timedelta(seconds=1)}
    site.work()
    assert site.orthanc.there == {again}
    assert dict(site.ledger())[again] == "kept"
    site.work(after=timedelta(minutes=2))
    assert (site.marked(), len(site.ledger())) == (0, 2)  # not once more every minute


def test_outside_its_hours_a_policy_deletes_nothing(engine: Engine) -> None:
    site = Site(engine, {**PLAIN, "grace": "0 minutes", "hours": "22:00-23:00"})  # it is 21:00 in Seoul
    site.work()
    assert (site.marked(), site.orthanc.deleted) == (4, [])
    site.work(after=timedelta(hours=1, minutes=30))
    assert len(site.orthanc.deleted) == 4


def test_a_policy_by_space_that_found_nothing_looks_again_before_long(engine: Engine) -> None:
    by_space = {"space": {"high": "0.0015 MB", "low": "0.001 MB"}, "grace": "0 minutes"}
    site = Site(engine, {**PROVED, **by_space})
    site.work()
    assert site.orthanc.deleted == []  # nothing is proved to be elsewhere
    site.prove(*sorted(site.identifiers))
    site.work(after=timedelta(seconds=2))
    assert site.orthanc.deleted


def test_a_policy_by_space_deletes_the_least_used_until_the_low_mark_is_reached(engine: Engine) -> None:
    document = {**PLAIN, "space": {"high": "0.0035 MB", "low": "0.002 MB"}, "grace": "0 minutes"}
    del document["after"]
    site = Site(engine, document, studies=3)
    with engine.begin() as connection:
        for number in (4, 5):
            write_study(connection, number, last_received_at=NOON - timedelta(days=number))
        rows = connection.execute(select(instance.c.orthanc_instance_id, instance.c.received_at)).all()
    site.orthanc.received_at = {row[0]: row[1] for row in rows}
    site.identifiers = set(site.orthanc.received_at)
    site.orthanc.there = set(site.identifiers)
    site.work()
    site.work()  # the index has not followed yet: nothing is deleted twice for the same space
    site.let_the_index_follow()
    site.work()
    assert set(site.orthanc.deleted) == {
        *(f"instance-{number:05}-{position}" for number in (5, 4, 1) for position in (1, 2))
    }


def test_switching_a_policy_off_takes_its_marks_back_and_its_history_tells(engine: Engine) -> None:
    site = Site(engine)
    site.work()
    with engine.begin() as connection:
        POLICIES.switch(connection, site.policy.id, Author(name="bob", now=site.now), is_on=False)
        changes = POLICIES.history(connection, site.policy.id)
    assert site.marked() == 0
    assert [(one.change, one.changed_by) for one in changes] == [
        ("switched off", "bob"),
        ("switched on", "alice"),
        ("created", "alice"),
    ]
