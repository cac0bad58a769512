"""A proof counts for the content that was sent, and for no newer one: whatever is stored, delivered, asked and pruned,
in any order, nothing leaves the archive whose content its destination does not have."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

from tests.bad_objects import ct_image
from tests.delivery_support import Ledger, dicom_settings
from tests.dose_builder import as_file
from tests.index_support import NOON
from treegarth.assembly import vocabulary
from treegarth.database.engine import transaction
from treegarth.dicom.headers import orthanc_identifiers, read_header
from treegarth.documents.store import Author
from treegarth.errors import NotFound
from treegarth.features.archive.store import removal
from treegarth.features.archive.store.batches import write_instances
from treegarth.features.deliveries.addresses import Kind
from treegarth.features.deliveries.model import ObjectState, Proof
from treegarth.features.deliveries.store import leases, send_results
from treegarth.features.deliveries.store.destinations import read_destination
from treegarth.features.deliveries.transitions import after_find, arrived, confirmed
from treegarth.features.retention.deletion import Pruner, numbered_policy
from treegarth.features.retention.follower import LedgerFollower
from treegarth.features.retention.model import Cause
from treegarth.features.retention.rules import decide
from treegarth.features.retention.store import ledger as prune_ledger
from treegarth.features.retention.store.decision import states_of
from treegarth.features.retention.store.deletion import DueObject
from treegarth.features.retention.store.policies import POLICIES
from treegarth.index.instances import IndexedInstance, Level, Origin
from treegarth.index.tables import arrival
from treegarth.index.tables import instance as instance_table

ROUNDS, STEPS = (100, 200) if os.environ.get("TREEGARTH_SOAK") == "1" else (3, 120)
LEDGER = LedgerFollower()


@dataclass(frozen=True, kw_only=True)
class Content:
    """What an object is at some time: `header` and `pixels` are numbers of what stands in it."""

    orthanc_instance_id: str
    sop_instance_uid: str
    header: int
    pixels: int


@dataclass(frozen=True, kw_only=True)
class Stored:
    content: Content
    received_at: datetime


class World:
    """An Orthanc, its index and ledgers, and a node that knows objects by their UIDs only."""

    def __init__(self, engine: Engine, seed: int = 0, *, node_overwrites: bool = True) -> None:
        self.is_restless = False
        self.engine, self.chance, self.node_overwrites = engine, random.Random(seed), node_overwrites
        self.ahead = timedelta(0)
        self.numbers = 0
        self.happened: Counter[str] = Counter()
        self.described = {one.orthanc_instance_id: one for one in _objects()}
        self.objects = sorted(self.described)
        self.orthanc: dict[str, Stored] = {}
        self.node: dict[str, Content] = {}
        self.lost: list[Content] = []
        self.ledger = Ledger(engine)
        self.destination = self.ledger.add(dicom_settings("LONGTERM", 104))
        document = {"name": "p", "why": "w", "keep": "nothing", "minimum age": "0 minutes", "grace": "0 minutes"}
        with transaction(engine) as connection:
            document["proof"] = {"at": "LONGTERM", "within": "300 days"}  # type: ignore[assignment]
            author = Author(name=None, now=NOON)
            self.policy = POLICIES.create(connection, document, author)
            POLICIES.switch(connection, self.policy.id, author, is_on=True)

    def clock(self) -> datetime:
        """As far ahead as every lease and pause is over; what orders stores and sends is the database's own clock."""
        return datetime.now(UTC) + self.ahead

    # What happens to Orthanc

    def store(self, name: str, *, header: int | None = None) -> None:
        """Something new: with another header, or with other pixels under this one."""
        self.numbers += 1
        uid = self.described[name].sop_instance_uid
        content = Content(
            orthanc_instance_id=name,
            sop_instance_uid=uid,
            header=self.numbers if header is None else header,
            pixels=self.numbers,
        )
        self._keep(content)

    def store_other_pixels(self, name: str) -> None:
        before = self.orthanc.get(name)
        self.store(name, header=before.content.header if before else None)

    def delete_in_orthanc(self, name: str) -> None:
        self.orthanc.pop(name, None)

    def bring_back(self, name: str) -> None:
        """As the node has it; it only gives back what is asked of it by its UID."""
        there = self.node.get(self.described[name].sop_instance_uid)
        if name in self.orthanc or there is None or there.orthanc_instance_id != name:
            return
        with transaction(self.engine) as connection:
            gone = prune_ledger.select_entries(sop_instance_uid=there.sop_instance_uid, state="deleted")
            found = connection.execute(gone.order_by("id")).all()
            entries = [prune_ledger.LedgerEntry(**row._mapping) for row in found if row.orthanc_instance_id == name]
            entry = entries[-1] if entries else None
            wish = entry and prune_ledger.ask_back(connection, entry, "object", asked_by=None, now=self.clock())
            if not wish:
                return
            wanted = prune_ledger.still_wanted(connection, wish.id)
        self._keep(there)
        if self.chance.random() < 0.5:  # the index may follow before it is seen in Orthanc, or behind
            self.index()
        with transaction(self.engine) as connection:
            ids = [one.ledger_id for one in wanted]
            prune_ledger.note_arrived(connection, wish.id, ids, "LONGTERM", self.clock())
        self.happened["brought back"] += 1

    def _keep(self, content: Content) -> None:
        self.numbers += 1
        received_at = NOON + timedelta(seconds=self.numbers)
        self.orthanc[content.orthanc_instance_id] = Stored(content=content, received_at=received_at)

    # What follows Orthanc

    def index(self) -> None:
        with transaction(self.engine) as connection:
            known = set(connection.execute(select(instance_table.c.orthanc_instance_id)).scalars())
            gone = sorted(known - set(self.orthanc))
            if gone:
                removed = removal.remove(connection, Level.INSTANCE, gone)
                LEDGER.left(connection, removed, self.clock())
                removal.remove_empty(connection, removed)
            found = [self._indexed(name) for name in sorted(self.orthanc)]
            if found:
                written = write_instances(connection, found, lambda _: None)
                LEDGER.indexed(connection, written, self.clock())
            connection.execute(arrival.delete())

    def _indexed(self, name: str) -> IndexedInstance:
        stored = self.orthanc[name]
        return replace(
            self.described[name], received_at=stored.received_at, header_checksum=stored.content.header, size_bytes=500
        )

    def request(self) -> None:
        self.ledger.request([self.destination])

    def send(self, *, dies: bool = False) -> None:
        self.ahead += timedelta(hours=1)
        with transaction(self.engine) as connection:
            claim = leases.claim_to_send(
                connection, self.destination, uuid4().hex, self.clock(), most_open=99, most_objects=2
            )
            node = read_destination(connection, self.destination)
        if not isinstance(claim, leases.Claim):
            return
        if self.is_restless and self.chance.random() < 0.1:  # meanwhile
            self.store(self.chance.choice(self.objects))
        for one in claim.objects:
            self._carry(one.orthanc_instance_id)
        if dies:
            return
        now = self.clock()
        with transaction(self.engine) as connection:
            changes = [arrived(one, Proof.STATUS, node, now) for one in claim.objects]
            send_results.record_changes(connection, self.destination, claim.batch, changes)
            send_results.end_batch(connection, claim.batch, outcome="arrived", reason=None, at=now)

    def _carry(self, name: str) -> None:
        stored = self.orthanc.get(name)
        if stored is None:
            return
        uid = stored.content.sop_instance_uid
        if self.node_overwrites or uid not in self.node:
            self.node[uid] = stored.content

    def ask(self) -> None:
        """Of what was sent, and of what nobody knows; by C-FIND or by storage commitment."""
        self.ahead += timedelta(minutes=10)
        with transaction(self.engine) as connection:
            node, now = read_destination(connection, self.destination), self.clock()
            claim = leases.claim_unsure(connection, self.destination, uuid4().hex, now, 9)
            claim = claim or leases.claim_to_ask(connection, self.destination, uuid4().hex, now, 9)
            if claim is None:
                return
            changes = []
            for one in claim.objects:
                listed = one.sop_instance_uid in self.node
                if listed and self.chance.random() < 0.3:
                    changes.append(confirmed(one, Proof.COMMITMENT, now))
                else:
                    changes.append(
                        after_find(one, listed=listed, destination=node, kind=Kind.DICOM, now=now, chance=0.5)
                    )
            send_results.record_changes(connection, self.destination, claim.batch, changes)

    # What a policy does

    def prune(self) -> None:
        self.ahead += timedelta(hours=25)
        Pruner(
            engine=self.engine,
            orthanc=self,
            vocabulary=vocabulary,
            destinations=Node(self),
            clock=self.clock,
            zone=ZoneInfo("UTC"),
            wait=lambda _: None,
        ).work(seconds=2)

    def exists(self, path: str) -> bool:
        return path.rpartition("/")[2] in self.orthanc

    def get_bytes(self, path: str, *, timeout_s: float | None = None) -> bytes:
        stored = self.orthanc.get(path.split("/")[2])
        if stored is None:
            raise NotFound
        return stored.received_at.strftime("%Y%m%dT%H%M%S").encode()

    def delete(self, path: str, *, timeout_s: float | None = None) -> None:
        stored = self.orthanc.pop(path.rpartition("/")[2], None)
        if stored is None:
            raise NotFound
        self.happened["pruned"] += 1
        if self.node.get(stored.content.sop_instance_uid) != stored.content:
            self.lost.append(stored.content)

    def causes(self, name: str) -> set[Cause]:
        """Why the policy keeps the object."""
        with transaction(self.engine) as connection:
            (stored,) = POLICIES.all(connection)
            numbered = numbered_policy(stored, vocabulary())
            state = states_of(connection, numbered, vocabulary(), self.clock(), [name])[name]
        return {reason.cause for reason in decide(state, numbered.policy, self.clock()).against}

    def deliver(self) -> None:
        """From the wish to the proof."""
        self.index()
        self.request()
        for _ in self.objects:
            self.send()
            self.ask()

    def state(self, name: str) -> str:
        return {one.orthanc_instance_id: one.state for one in self.ledger.objects(self.destination)}[name]

    def step(self) -> None:
        name = self.chance.choice(self.objects)
        steps = {
            "store": (2, lambda: self.store(name)),
            "store pixels": (1 * self.node_overwrites, lambda: self.store_other_pixels(name)),
            "delete": (1, lambda: self.delete_in_orthanc(name)),
            "bring back": (3, lambda: self.bring_back(name)),
            "index": (8, self.index),
            "request": (4, self.request),
            "send": (6, self.send),
            "send and die": (1, lambda: self.send(dies=True)),
            "ask": (6, self.ask),
            "deliver": (3, self.deliver),
            "prune": (4, self.prune),
        }
        (chosen,) = self.chance.choices(list(steps), [weight for weight, _ in steps.values()])
        steps[chosen][1]()
        self.happened[chosen] += 1


@dataclass(frozen=True)
class Node:
    """What the node says when it is asked."""

    world: World

    def ask(self, name: str, objects: Sequence[DueObject]) -> Mapping[str, str]:
        return {one.orthanc_instance_id: "find" for one in objects if one.sop_instance_uid in self.world.node}


def _objects() -> list[IndexedInstance]:
    """Four of one patient, and one of another with the UIDs of the first of them."""
    found = []
    for patient, number in (("A", 1), ("A", 2), ("A", 3), ("A", 4), ("B", 1)):
        made = ct_image(number)
        made.PatientID, made.SOPInstanceUID = patient, f"1.2.3.{number}"
        made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.3", "1.2.3.9"
        header = read_header(as_file(made))
        by_orthanc = orthanc_identifiers(header)
        found.append(
            IndexedInstance(
                orthanc_patient_id=by_orthanc.patient,
                orthanc_study_id=by_orthanc.study,
                orthanc_series_id=by_orthanc.series,
                orthanc_instance_id=by_orthanc.instance,
                header=header,
                size_bytes=500,
                received_at=NOON,
                origin=Origin(kind=2),
            )
        )
    return found


@pytest.mark.parametrize("node_overwrites", [True, False], ids=["overwrites", "keeps the first"])
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_nothing_goes_whose_content_the_destination_does_not_have(
    engine: Engine, seed: int, node_overwrites: bool
) -> None:
    world = World(engine, seed, node_overwrites=node_overwrites)
    world.is_restless = True
    untouched = next(name for name in world.objects if world.described[name].sop_instance_uid == "1.2.3.4")
    world.objects.remove(untouched)
    for _ in range(STEPS):
        world.step()
        assert world.lost == [], (seed, world.happened)
    world.is_restless = False
    world.objects.append(untouched)
    world.store(untouched)
    world.deliver()
    world.prune()
    assert (untouched in world.orthanc, world.lost) == (False, [])


def single(engine: Engine, *, node_overwrites: bool = True) -> tuple[World, str]:
    """A world with one object, which was delivered."""
    world = World(engine, node_overwrites=node_overwrites)
    world.objects = [name for name in world.objects if world.described[name].sop_instance_uid == "1.2.3.2"]
    (name,) = world.objects
    world.store(name)
    world.deliver()
    return world, name


def test_what_was_overwritten_since_its_proof_is_kept_until_it_is_delivered_again(engine: Engine) -> None:
    world, name = single(engine)
    assert world.state(name) == "confirmed"
    world.store_other_pixels(name)
    world.index()
    assert world.causes(name) == {Cause.STORED_SINCE}
    world.prune()
    assert name in world.orthanc
    world.request()
    assert world.state(name) == ObjectState.WAITING
    world.deliver()
    assert world.causes(name) == set()
    world.prune()
    assert (name in world.orthanc, world.lost) == (False, [])


def test_a_plain_duplicate_costs_no_proof_and_no_delivery(engine: Engine) -> None:
    world, name = single(engine)
    sends = world.ledger.sends(world.destination)
    world.index()
    world.deliver()
    assert world.ledger.sends(world.destination) == sends
    assert world.causes(name) == set()


@pytest.mark.parametrize("node_overwrites", [True, False], ids=["overwrites", "keeps the first"])
def test_a_node_that_was_sent_other_content_before_proves_nothing_by_the_uid(
    engine: Engine, node_overwrites: bool
) -> None:
    world, name = single(engine, node_overwrites=node_overwrites)
    world.store(name)
    world.deliver()
    assert world.state(name) == "confirmed"
    assert world.causes(name) == {Cause.OTHER_CONTENT}
    world.prune()
    assert name in world.orthanc


def test_what_was_deleted_and_stored_again_with_other_content_is_kept(engine: Engine) -> None:
    world, name = single(engine)
    world.delete_in_orthanc(name)
    world.index()
    world.store(name)
    world.index()
    assert world.causes(name) == {Cause.STORED_SINCE}
    world.prune()
    assert name in world.orthanc


def test_what_the_destination_gave_back_is_proved_there_when_it_was_delivered_again(engine: Engine) -> None:
    world, name = single(engine)
    world.prune()
    world.index()
    world.bring_back(name)
    world.index()
    assert world.causes(name) == {Cause.STORED_SINCE}  # that it is what was sent once, nobody can tell
    world.deliver()
    assert world.causes(name) == set()


def test_of_two_patients_with_one_uid_neither_is_proved_by_it(engine: Engine) -> None:
    world = World(engine)
    world.objects = twins = [name for name in world.objects if world.described[name].sop_instance_uid == "1.2.3.1"]
    world.store(twins[0])
    world.deliver()
    assert world.causes(twins[0]) == set()
    world.store(twins[1])
    world.index()
    assert world.causes(twins[0]) == {Cause.SHARED_UID}
    world.deliver()
    assert [world.causes(one) for one in twins] == [{Cause.SHARED_UID}] * 2
    world.prune()
    assert set(world.orthanc) == set(twins)
    world.delete_in_orthanc(twins[1])  # what the node has may still be that one's
    world.index()
    assert world.causes(twins[0]) == {Cause.SHARED_UID}
