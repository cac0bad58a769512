"""Wishes for pruned objects: tried at each destination that has them, again after a failure, and then given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, insert

from tests.index_support import NOON, write_study
from tests.retention_support import table
from tests.works import latest_of, runner
from treegarth.errors import ObjectsKeptBack, OrthancUnavailable
from treegarth.features.retention.retrieval import BRINGING_BACK, Bringer
from treegarth.features.retention.store import ledger
from treegarth.features.retention.store.deletion import DueObject
from treegarth.features.retention.tables import prune_ledger, retention_policy
from treegarth.work.kinds import Outside
from treegarth.work.store import LongWork

BACKOFF = BRINGING_BACK.backoff
NAMES = ("gone-1", "gone-2", "gone-3")


@dataclass
class KnownSources:
    """Destinations that give back what they have; one that is silent raises."""

    has: dict[str, set[str]]
    arrived: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    keeps_back: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def exists(self, path: str) -> bool:
        return path.rpartition("/")[2] in self.arrived

    def retrieve(self, name: str, objects: Sequence[DueObject]) -> None:
        self.asked.append(name)
        if name in self.silent:
            raise OrthancUnavailable("no answer")
        wanted = {one.orthanc_instance_id for one in objects}
        self.arrived |= (wanted & self.has.get(name, set())) - self.keeps_back
        if wanted & self.keeps_back:
            raise ObjectsKeptBack("too deep")


def wish(engine: Engine) -> int:
    """All three objects of a study back; NEAR is proved to have two of them, FAR all."""
    with engine.begin() as connection:
        write_study(connection, 1)
        connection.execute(insert(retention_policy).values(id=1, name="p", version=1))
        for number, name in ((1, "NEAR"), (2, "FAR")):
            connection.execute(insert(table("destination")).values(id=number, name=name, kind="peer", address={}))
        for name in NAMES:
            identifiers = {
                "orthanc_instance_id": name,
                "orthanc_series_id": "series-00001",
                "orthanc_study_id": "study-00001",
                "study_instance_uid": "1.2.840.99999.1.1",
                "series_instance_uid": "1.2.840.99999.2.1",
                "sop_instance_uid": f"1.2.3.{name[-1]}",
                "size_bytes": 5,
            }
            connection.execute(
                insert(prune_ledger).values(
                    received_at=NOON, state="deleted", deleted_at=NOON, policy_id=1, policy_version=1, **identifiers
                )
            )
            for number in (1, 2) if name != "gone-3" else (2,):
                connection.execute(
                    insert(table("delivery_object")).values(
                        destination_id=number,
                        proof_wanted="find",
                        state="confirmed",
                        proof="stored",
                        confirmed_at=NOON,
                        **identifiers,
                    )
                )
        (row,) = connection.execute(ledger.select_entries(sop_instance_uid="1.2.3.1"))
        entry = ledger.read_entry(connection, row.id)
        asked = ledger.ask_back(connection, entry, "study", asked_by="alice", now=NOON)
    assert asked is not None
    return asked.id


def work(engine: Engine, sources: KnownSources, now: datetime = NOON) -> LongWork:
    bringer = Bringer(engine=engine, orthanc=sources, sources=sources, clock=lambda: now)
    runner(engine, lambda: now, [BRINGING_BACK], {BRINGING_BACK.name: Outside(act=bringer.bring)}).work()
    return latest_of(engine, BRINGING_BACK, "study-00001")


def test_every_destination_that_has_them_is_asked_for_what_is_still_missing(engine: Engine) -> None:
    wish(engine)
    sources = KnownSources({"NEAR": {"gone-1"}, "FAR": {"gone-1", "gone-2"}})
    found = work(engine, sources)
    assert sources.asked == ["FAR", "NEAR"]
    assert (found.state, found.done, found.total) == ("running", 2, 3)
    sources.has["FAR"] = set(NAMES)
    found = work(engine, sources, NOON + BACKOFF.first)
    assert (found.state, found.done, found.last_error) == ("done", 3, None)


def test_a_silent_destination_is_tried_again_with_growing_pauses_and_then_given_up(engine: Engine) -> None:
    wish(engine)
    sources = KnownSources({}, silent={"NEAR", "FAR"})
    now = NOON
    assert BACKOFF.most_attempts is not None
    for attempt in range(1, BACKOFF.most_attempts + 1):
        found = work(engine, sources, now)
        assert found.attempts == attempt % BACKOFF.most_attempts  # the last one ends it
        assert work(engine, sources, now) == found, "its turn has not come"
        now += BACKOFF.first * 2**attempt
    assert (found.state, found.last_error) == ("failed", "FAR: no answer · NEAR: no answer")


def test_an_object_that_would_end_orthanc_keeps_none_of_the_others_back(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treegarth.features.retention.retrieval.AT_ONCE", 1)
    wish(engine)
    sources = KnownSources({"FAR": set(NAMES)}, keeps_back={"gone-1"})
    found = work(engine, sources)
    assert (found.state, found.done) == ("running", 2)
    assert "FAR: too deep" in str(found.last_error)


def test_what_came_back_by_itself_is_not_asked_for(engine: Engine) -> None:
    wish(engine)
    sources = KnownSources({}, arrived=set(NAMES))
    assert work(engine, sources, NOON + timedelta(days=1)).state == "done"
    assert sources.asked == []


def test_what_is_asked_back_of_a_study_twice_is_one_work(engine: Engine) -> None:
    number = wish(engine)
    with engine.begin() as connection:
        entry = ledger.read_entry(connection, 1)
        again = ledger.ask_back(connection, entry, "object", asked_by="bert", now=NOON)
    assert again is not None
    assert (again.id, again.total, again.asked_by) == (number, 3, "alice")


def test_of_what_never_arrives_it_is_said_that_the_rest_did(engine: Engine) -> None:
    wish(engine)
    sources = KnownSources({"FAR": {"gone-1", "gone-2"}})
    now = NOON
    for attempt in range(1, (BACKOFF.most_attempts or 0) + 1):
        found = work(engine, sources, now)
        now += BACKOFF.first * 2**attempt
    assert (found.state, found.done, found.total, found.last_error) == ("partly", 2, 3, "1 objects did not arrive.")
