"""The dispatcher's questions: whether what was sent, or may have been sent, is there. The answer is recorded."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from uuid import uuid4

from treegarth.database.engine import connect, transaction
from treegarth.errors import NotFound, OrthancRefused, OrthancUnavailable, SettingsRefused
from treegarth.features.deliveries.addresses import Kind
from treegarth.features.deliveries.destinations import Destination
from treegarth.features.deliveries.dispatch import TURN, DeliveryDispatcher
from treegarth.features.deliveries.model import Asking, DeliveryObject, ObjectState, choose_asking
from treegarth.features.deliveries.senders.protocol import CommitmentForgotten, DestinationUnreachable, Sender
from treegarth.features.deliveries.store import leases, send_results
from treegarth.features.deliveries.store.destinations import read_destination
from treegarth.features.deliveries.transitions import (
    Change,
    after_commitment,
    after_find,
    committing,
    is_patient,
    keep_waiting,
    send_again,
    unprovable,
)

_MOST_ASKED = 500
_COMMITMENT_TRIAL_S = 3.0
"""How long a destination of which it is not known has to show that it does storage commitment."""
_AFTER_TROUBLE = timedelta(seconds=5)

logger = logging.getLogger(__name__)


def ask(dispatcher: DeliveryDispatcher, destination_id: int) -> bool:
    """Ask the destination about what is unsure and about what was sent, until nothing is due; whether there is more.

    Raises DatabaseUnavailable.
    """
    ends_at = monotonic() + TURN.total_seconds()
    while monotonic() < ends_at:
        destination = dispatcher.read(destination_id)
        if destination.next_attempt_at is not None and destination.next_attempt_at > dispatcher.clock():
            return False  # it does not answer: what is to be asked waits with what is to be sent
        with transaction(dispatcher.engine) as connection:
            now = dispatcher.clock()
            claim = leases.claim_unsure(connection, destination_id, uuid4().hex, now, _MOST_ASKED)
            is_unsure = claim is not None
            claim = claim or leases.claim_to_ask(connection, destination_id, uuid4().hex, now, _MOST_ASKED)
        if claim is None:
            return False
        with dispatcher.holding(claim):
            changes = _ask_about(dispatcher, destination, claim.objects, is_unsure)
        with transaction(dispatcher.engine) as connection:
            send_results.record_changes(connection, destination_id, claim.batch, changes)
    return True


def _ask_about(
    dispatcher: DeliveryDispatcher, destination: Destination, objects: Sequence[DeliveryObject], is_unsure: bool
) -> list[Change]:
    """Those that an alternate took are asked of the alternate."""
    changes: list[Change] = []
    for via in sorted({one.via for one in objects}, key=lambda one: one or 0):
        members = [one for one in objects if one.via == via]
        node = destination if via is None else _node(dispatcher, via)
        try:
            changes += _Questions(dispatcher, destination, node, is_unsure).changes(members)
        except (DestinationUnreachable, OrthancUnavailable, OrthancRefused, SettingsRefused) as error:
            if isinstance(error, DestinationUnreachable | SettingsRefused):
                dispatcher.failed(node, error.sentence)
            changes += [_later(dispatcher, one, is_unsure, error.sentence) for one in members]
    return changes


def _node(dispatcher: DeliveryDispatcher, destination_id: int) -> Destination:
    with connect(dispatcher.engine) as connection:
        return read_destination(connection, destination_id)


def _later(dispatcher: DeliveryDispatcher, one: DeliveryObject, is_unsure: bool, reason: str) -> Change:
    change = keep_waiting(one, dispatcher.clock() + _AFTER_TROUBLE * (0.75 + dispatcher.chance() / 2))
    return replace(change, state=ObjectState.SENDING if is_unsure else ObjectState.SENT, last_error=reason)


class _Questions:
    """Asks one node about objects of one destination."""

    def __init__(
        self, dispatcher: DeliveryDispatcher, destination: Destination, node: Destination, is_unsure: bool
    ) -> None:
        self._pump, self._destination, self._node, self._is_unsure = dispatcher, destination, node, is_unsure
        self._sender: Sender = dispatcher.sender(node)

    def changes(self, objects: Sequence[DeliveryObject]) -> list[Change]:
        if self._is_unsure:
            with connect(self._pump.engine) as connection:
                jobs = leases.open_jobs(connection, self._pump.clock())
            self._sender.settle(objects, jobs)
        ways: dict[Asking, list[DeliveryObject]] = defaultdict(list)
        for one in objects:
            ways[self._way(one)].append(one)
        changes = self._by_commitment(ways[Asking.COMMITMENT])
        changes += self._by_find(ways[Asking.FIND])
        changes += [self._without_answer(one) for one in ways[Asking.NOT_AT_ALL]]
        return changes

    def _way(self, one: DeliveryObject) -> Asking:
        """What is unsure is asked about in any way that there is, even if nobody wants a proof; so is what it said it
        has already: where the answer is proof enough, nothing else is asked about."""
        node = self._node
        wanted = "best" if one.proof_wanted == "status" else one.proof_wanted
        if self._is_unsure and node.can_find is not False:
            return Asking.FIND
        patient = is_patient(one, self._pump.clock())
        return choose_asking(wanted, can_commit=node.can_commit, can_find=node.can_find, patient=patient)

    def _by_find(self, objects: Sequence[DeliveryObject]) -> list[Change]:
        if not objects:
            return []
        found = self._sender.find(objects)
        self._learn(can_find=found is not None)
        self._answers()
        now, chance = self._pump.clock(), self._pump.chance
        if found is None:
            return [self._without_answer(one) for one in objects]
        if self._node.can_commit is None and self._node.kind is Kind.DICOM and not self._is_unsure:
            self._try_commitment(objects)
        return [
            after_find(
                one,
                listed=one.orthanc_instance_id in found,
                destination=self._destination,
                kind=self._node.kind,
                now=now,
                chance=chance(),
            )
            for one in objects
        ]

    def _without_answer(self, one: DeliveryObject) -> Change:
        if self._is_unsure or one.sent_at is None:
            return send_again(one, self._destination, self._pump.clock(), self._pump.chance())
        return unprovable(one, self._pump.clock())

    def _by_commitment(self, objects: Sequence[DeliveryObject]) -> list[Change]:
        """Ask for what was not asked for yet; look for answers to the rest."""
        new = [one for one in objects if one.transaction_uid is None]
        changes = self._ask_commitment(new) if new else []
        asked: dict[str, list[DeliveryObject]] = defaultdict(list)
        for one in objects:
            if one.transaction_uid is not None:
                asked[one.transaction_uid].append(one)
        for transaction_uid, members in asked.items():
            changes += self._committed(transaction_uid, members)
        return changes

    def _ask_commitment(self, objects: Sequence[DeliveryObject]) -> list[Change]:
        transaction_uid = self._sender.commit(objects)
        now = self._pump.clock()
        if transaction_uid is not None:
            return [committing(one, transaction_uid, now) for one in objects]
        self._learn(can_commit=False)
        others = [one for one in objects if one.proof_wanted != "commitment"]
        return self._by_find(others) + [unprovable(one, now) for one in objects if one not in others]

    def _committed(self, transaction_uid: str, objects: Sequence[DeliveryObject]) -> list[Change]:
        now = self._pump.clock()
        try:
            answer = self._sender.committed(transaction_uid)
        except CommitmentForgotten:
            logger.info("A storage commitment of %s is lost and asked for again.", self._node.name)
            return self._ask_commitment(objects)
        if answer is None and not all(is_patient(one, now) for one in objects):
            return self._ask_commitment(objects)  # only where nothing else would do: see _way
        if answer is not None:
            self._learn(can_commit=True)
        return [
            after_commitment(
                one,
                committed=None if answer is None else answer.get(one.sop_instance_uid, False),
                destination=self._destination,
                now=now,
                chance=self._pump.chance(),
            )
            for one in objects
        ]

    def _try_commitment(self, objects: Sequence[DeliveryObject]) -> None:
        """Once for a destination: many accept the question and never answer it."""
        try:
            transaction_uid = self._sender.commit(objects[:1])
            answer = None
            deadline = monotonic() + _COMMITMENT_TRIAL_S
            while transaction_uid is not None and answer is None and monotonic() < deadline:
                self._pump.wait(0.1)
                answer = self._sender.committed(transaction_uid)
        except (CommitmentForgotten, DestinationUnreachable, NotFound) as error:
            logger.info("Whether %s does storage commitment did not turn out: %s", self._node.name, error)
            return
        self._learn(can_commit=answer is not None)

    def _answers(self) -> None:
        if self._node.failures:
            with transaction(self._pump.engine) as connection:
                send_results.note_success(connection, self._node.id, self._pump.clock())

    def _learn(self, *, can_find: bool | None = None, can_commit: bool | None = None) -> None:
        if (can_find is not None and can_find != self._node.can_find) or (
            can_commit is not None and can_commit != self._node.can_commit
        ):
            with transaction(self._pump.engine) as connection:
                send_results.learn(connection, self._node.id, can_find=can_find, can_commit=can_commit)
