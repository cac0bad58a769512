"""Carry policies out: look at the archive, mark, ask for proof once more, delete in Orthanc at the set rate.

Every step is a state in the database, and may be interrupted anywhere: an intention stands in the ledger before its
object is deleted, and `settle` makes the ledger and Orthanc agree on those that nobody finished.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.database.engine import connect, transaction
from treegarth.errors import NotFound, OrthancRefused, OrthancUnavailable, TreegarthError
from treegarth.features.retention.model import Cause, Decision, ObjectState, Policy, Proof
from treegarth.features.retention.policy_text import PolicyRefused, parse_policy
from treegarth.features.retention.rules import decide, is_within_hours, pause_between
from treegarth.features.retention.store import deletion, ledger_sums, marks
from treegarth.features.retention.store.decision import NumberedPolicy, states_of
from treegarth.features.retention.store.deletion import DueObject, Intention
from treegarth.features.retention.store.marks import Candidate
from treegarth.features.retention.store.policies import POLICIES, StoredPolicy

EVERY = timedelta(hours=24)
"""Between two looks of a policy at the whole archive."""
BATCH_S = 20.0
LARGEST_BATCH = 200
LEASE = timedelta(minutes=2)
"""A batch takes BATCH_S, and a request to Orthanc half a minute at most; who takes longer has vanished."""
LATER = timedelta(hours=1)
"""After a destination could not be asked."""
SOON = timedelta(minutes=1)
"""After something came to forbid a deletion just before: then it is decided anew."""
PAUSE_OF_LOOKS = 20
"""Where less could go than a policy by space wants, it looks again after so many times as long as a look took, after
LATER at most: objects that arrive, are delivered or read may go soon, and looking takes a twentieth of the time."""
INDEX_LAG = timedelta(minutes=10)
"""In which the index has surely followed a deletion."""
MOST_AT_ONCE = 5000
_OLD_CLOCKS = timedelta(seconds=2)
"""Older versions wrote when an object was received by another clock than Orthanc's, which is in whole seconds."""
DELETE_TIMEOUT_S = 30.0

logger = logging.getLogger(__name__)


class Archive(Protocol):
    """Orthanc, as far as it is needed here."""

    def exists(self, path: str) -> bool: ...
    def get_bytes(self, path: str, *, timeout_s: float | None = None) -> bytes: ...
    def delete(self, path: str, *, timeout_s: float | None = None) -> None: ...


class Destinations(Protocol):
    """Where copies are. The deliveries feature's, handed over by whoever puts the parts together."""

    def ask(self, name: str, objects: Sequence[DueObject]) -> Mapping[str, str] | None:
        """Which of the objects the destination has now: Orthanc's identifier → the kind of proof that this is. None:
        it cannot be asked. Raises TreegarthError where it does not answer or is not there."""


@dataclass(frozen=True, kw_only=True)
class Pruner:
    """Carries policies out, one process at a time."""

    engine: Engine
    orthanc: Archive
    vocabulary: Callable[[], Vocabulary]
    destinations: Destinations
    clock: Callable[[], datetime]
    zone: ZoneInfo
    wait: Callable[[float], None]

    def work(self, *, seconds: float) -> None:
        """Everything that is due, for about so long."""
        until = self.clock() + timedelta(seconds=seconds)
        self.settle()
        for stored, numbered in self._acting():
            if numbered.policy.space is None:
                self.look(stored, numbered)
        while self.clock() < until and self._one_round():
            logger.debug("More objects are due.")

    def _one_round(self) -> bool:
        """One batch of each policy; whether there was anything."""
        done = 0
        for stored, numbered in self._acting():
            if numbered.policy.space is not None:
                self.free_space(stored, numbered)
            if is_within_hours(numbered.policy, self.clock().astimezone(self.zone).time()):
                done += self.prune_batch(numbered)
        return done > 0

    def _acting(self) -> list[tuple[StoredPolicy, NumberedPolicy]]:
        """The policies that are on. One that can no longer be read acts no more, and says so."""
        with connect(self.engine) as connection:
            stored = POLICIES.all(connection, only_on=True)
        found = []
        for one in stored:
            try:
                policy = parse_policy(one.document, self.vocabulary())
            except PolicyRefused as error:
                logger.warning("Retention policy %d cannot be read and does nothing: %s", one.id, error)
                continue
            found.append((one, NumberedPolicy(id=one.id, version=one.version, policy=policy)))
        return found

    def look(self, stored: StoredPolicy, numbered: NumberedPolicy) -> int:
        """Look at the whole archive where it is time for it; how many objects were marked. A look that is interrupted
        begins anew at the next turn, and leaves out what it has marked."""
        now = self.clock()
        if stored.decided_at is not None and now - stored.decided_at < EVERY:
            return 0
        with transaction(self.engine) as reading:
            marked = self._mark(numbered, marks.read_candidates(reading, numbered, self.vocabulary(), now), now)
        with transaction(self.engine) as connection:
            marks.note_look(connection, numbered, now, self.clock() - now)
        return marked

    def _mark(self, numbered: NumberedPolicy, portions: Iterator[list[Candidate]], now: datetime) -> int:
        """Mark each portion in a transaction of its own, as long as the policy acts in this version."""
        marked = 0
        for portion in portions:
            with transaction(self.engine) as connection:
                count = marks.mark(connection, numbered, portion, now)
            if count is None:
                break
            marked += count
        return marked

    def free_space(self, stored: StoredPolicy, numbered: NumberedPolicy) -> int:
        """Mark the least used where the archive is above the high mark, until it would be at the low one."""
        now = self.clock()
        with transaction(self.engine) as connection:
            wanted = self._wanted_bytes(connection, stored, numbered)
        if wanted <= 0 or _is_too_soon(stored, now):
            return 0
        with transaction(self.engine) as reading:
            candidates = marks.read_least_used(reading, numbered, self.vocabulary(), now, wanted)
            marked = self._mark(numbered, candidates, now)
        with transaction(self.engine) as connection:
            if self._wanted_bytes(connection, stored, numbered) > 0:  # no more may go: ask again later, not every turn
                marks.note_look(connection, numbered, now, self.clock() - now)
        return marked

    def _wanted_bytes(self, connection: Connection, stored: StoredPolicy, numbered: NumberedPolicy) -> int:
        """What is to be marked beyond what is; notes whether the policy is freeing space."""
        space = numbered.policy.space
        assert space is not None
        leaving = marks.leaving_bytes(connection, self.clock() - INDEX_LAG)
        used = marks.archive_bytes(connection) - leaving
        if used <= (space.high_bytes if stored.freeing_since is None else space.low_bytes):
            if stored.freeing_since is not None:
                marks.note_freeing(connection, numbered.id, None)
            return 0
        if stored.freeing_since is None:
            marks.note_freeing(connection, numbered.id, self.clock())
        return used - marks.marked_bytes(connection, numbered.id) - space.low_bytes

    def prune_batch(self, numbered: NumberedPolicy) -> int:
        """Delete what is due of one policy, as much as fits into a batch; how many objects were looked at."""
        pause = pause_between(numbered.policy)
        size = max(1, min(LARGEST_BATCH, int(BATCH_S / pause.total_seconds())))
        with transaction(self.engine) as connection:
            due = deletion.claim_due(connection, numbered.id, self.clock(), limit=size, lease=LEASE)
        if not due:
            return 0
        free = self._verify(numbered, due)
        with transaction(self.engine) as connection:
            intentions = deletion.intend(connection, numbered, free, self.clock())
        for intention in intentions:
            begin = self.clock()
            if not self._carry_out(numbered, intention):
                break
            self.wait(max(0.0, (pause - (self.clock() - begin)).total_seconds()))
        self._tell([one.orthanc_study_id for one in intentions])
        return len(due)

    def _tell(self, orthanc_study_ids: Sequence[str]) -> None:
        """Have the ledger add up what became of these: not within a deletion, which would hold up other writers."""
        with transaction(self.engine) as connection:
            ledger_sums.tell_studies(connection, orthanc_study_ids)

    def _verify(self, numbered: NumberedPolicy, due: Sequence[DueObject]) -> list[Decision]:
        """Ask every destination that must have the objects, and decide anew; what may not go is marked no more."""
        with connect(self.engine) as connection:
            found = states_of(
                connection, numbered, self.vocabulary(), self.clock(), [one.orthanc_instance_id for one in due]
            )
        silent: set[str] = set()
        asked = [one for one in due if one.orthanc_instance_id in found]
        for demand in numbered.policy.proofs:
            found, is_silent = self._ask(demand.destination, asked, found)
            silent |= {demand.destination} if is_silent else set()
        decisions = [decide(state, numbered.policy, self.clock()) for state in found.values()]
        kept = [one for one in decisions if not one.prune]
        waiting = [one for one in kept if _only_for(one, silent)]
        with transaction(self.engine) as connection:
            for one in waiting:
                deletion.postpone(connection, [one.orthanc_instance_id], self.clock() + LATER, one.words)
            deletion.unmark(connection, [one.orthanc_instance_id for one in kept if one not in waiting])
        if kept:
            logger.info("%d objects whose time had come are kept: the decision came out otherwise.", len(kept))
        return [one for one in decisions if one.prune]

    def _ask(
        self, name: str, objects: Sequence[DueObject], states: Mapping[str, ObjectState]
    ) -> tuple[dict[str, ObjectState], bool]:
        """The states with what the destination says now instead of what the ledger says; whether it was silent."""
        try:
            has = self.destinations.ask(name, objects)
        except TreegarthError as error:
            logger.warning("Destination %s could not be asked what it has: %s", name, error)
            return {key: _without(state, name) for key, state in states.items()}, True
        if has is None:  # it cannot be asked: what it committed to counts, while it is fresh
            return dict(states), False
        now = self.clock()
        return {key: _asked(state, name, has.get(key), now) for key, state in states.items()}, False

    def _carry_out(self, numbered: NumberedPolicy, intention: Intention) -> bool:
        """Delete one object, if nothing speaks against it at this moment; False where Orthanc does not answer."""
        path = f"/instances/{intention.orthanc_instance_id}"
        try:
            with transaction(self.engine) as connection:
                if not deletion.hold_intention(connection, intention):
                    return True  # somebody held or rescued it meanwhile
                now = self.clock()
                received_at = deletion.received_at_if_free(connection, numbered, self.vocabulary(), now, intention)
                if received_at is None or self._was_stored_since(path, received_at):
                    self._keep(connection, numbered, intention, now)
                    return True
                try:
                    self.orthanc.delete(path, timeout_s=DELETE_TIMEOUT_S)
                except NotFound:
                    logger.debug("It had gone by itself.")
                deletion.record_deleted(connection, intention, self.clock())
        except (OrthancUnavailable, OrthancRefused) as error:
            logger.warning("An object was not deleted; the next sweep sees what became of it: %s", error)
            return False
        return True

    def _keep(self, connection: Connection, numbered: NumberedPolicy, intention: Intention, now: datetime) -> None:
        """Say in the ledger what speaks against it. What the database knows may pass, and is decided anew soon; where
        it knows nothing, Orthanc has another store than the index, and the next look of the policy decides."""
        marks = replace(numbered, policy=numbered.policy.for_marking)
        states = states_of(connection, marks, self.vocabulary(), now, [intention.orthanc_instance_id])
        against = [one.words for state in states.values() if not (one := decide(state, marks.policy, now)).prune]
        if against:
            deletion.record_kept(connection, intention, against[0])
            deletion.postpone(connection, [intention.orthanc_instance_id], now + SOON, against[0])
        else:
            deletion.record_kept(connection, intention, "something came to forbid it just before")
            deletion.unmark(connection, [intention.orthanc_instance_id])

    def _was_stored_since(self, path: str, received_at: datetime) -> bool:
        """Whether Orthanc has another store of the object than the index, which follows a little later."""
        try:
            said = self.orthanc.get_bytes(f"{path}/metadata/ReceptionDate").decode("ascii")
        except NotFound:
            return False
        there = datetime.strptime(said.strip(), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        return abs(there - received_at) > (_OLD_CLOCKS if received_at.microsecond else timedelta(0))

    def settle(self) -> None:
        """Make the ledger agree with Orthanc where a deletion was interrupted."""
        with connect(self.engine) as connection:
            left = deletion.interrupted(connection, self.clock() - LEASE, limit=MOST_AT_ONCE)
        for intention in left:
            with transaction(self.engine) as connection:
                if not deletion.hold_intention(connection, intention):
                    continue
                if self.orthanc.exists(f"/instances/{intention.orthanc_instance_id}"):
                    deletion.record_kept(connection, intention, "it was interrupted before it was deleted")
                else:
                    deletion.record_deleted(connection, intention, self.clock())
        with connect(self.engine) as connection:
            untold = ledger_sums.untold(connection, self.clock() - EVERY)
        self._tell([one.orthanc_study_id for one in left] + untold)


def _is_too_soon(stored: StoredPolicy, now: datetime) -> bool:
    """Whether the last look in vain was so little ago that another would find the same."""
    if stored.decided_at is None:
        return False
    return now - stored.decided_at < min(LATER, PAUSE_OF_LOOKS * timedelta(seconds=stored.look_s or 0))


def _asked(state: ObjectState, name: str, kind: str | None, now: datetime) -> ObjectState:
    """The state after the destination was asked: what it has makes a proof fresh that holds, and none of nothing. That
    it lists an object does not say that it has what the archive has now."""
    own = [proof for proof in state.proofs if proof.destination == name]
    if kind is None or not any(proof.void is None for proof in own):
        return replace(_without(state, name), proofs=(*_without(state, name).proofs, *(one for one in own if one.void)))
    return replace(_without(state, name), proofs=(*_without(state, name).proofs, _proof(name, kind, now)))


def _without(state: ObjectState, destination: str) -> ObjectState:
    return replace(state, proofs=tuple(proof for proof in state.proofs if proof.destination != destination))


def _proof(destination: str, kind: str, at: datetime) -> Proof:
    return Proof(destination=destination, kind=kind, at=at)


def _only_for(decision: Decision, silent: set[str]) -> bool:
    """Whether nothing but the silence of destinations speaks against it."""
    return all(reason.cause is Cause.PROOF_MISSING and reason.about in silent for reason in decision.against)


def numbered_policy(stored: StoredPolicy, vocabulary: Vocabulary) -> NumberedPolicy:
    """Raises PolicyRefused where what was valid once is not any more."""
    policy: Policy = parse_policy(stored.document, vocabulary)
    return NumberedPolicy(id=stored.id, version=stored.version, policy=policy)
