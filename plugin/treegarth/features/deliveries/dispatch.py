"""The dispatcher: carry what the ledger wants to one destination, and find out whether it arrived.

Every step is claimed first and recorded after, so a worker may be killed anywhere: what it held is unsure when its
lease ends, and what is unsure is asked about before it is sent again. Nothing here waits for another destination.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from time import monotonic
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from treegarth.database.engine import connect, transaction
from treegarth.errors import DatabaseUnavailable, OrthancRefused, OrthancUnavailable, SettingsRefused, TreegarthError
from treegarth.features.deliveries.destinations import Destination
from treegarth.features.deliveries.factory import make_sender
from treegarth.features.deliveries.model import ALTERNATE_AFTER, BACKOFF_WHILE_DOWN, MOST_OBJECTS, Outcome
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable, Sender
from treegarth.features.deliveries.store import leases, send_results
from treegarth.features.deliveries.store.destinations import destination_named, read_destination
from treegarth.features.deliveries.transitions import after_send
from treegarth.features.deliveries.windows import is_open
from treegarth.orthanc.client import OrthancClient
from treegarth.outgoing.gate import Gate
from treegarth.phrases import P_
from treegarth.tasks.shutdown import WorkerEnding, pause

TURN = timedelta(seconds=30)
"""After so long a task ends and another goes on, so that a worker that is told to end does."""
_PROLONG_EVERY_S = 5.0
_PROBE_OBJECTS = 5
"""Of the first send to a destination that did not answer."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class DeliveryDispatcher:
    """What carrying needs. `announce(task, destination_id)` tells the workers that there is something to do."""

    engine: Engine
    orthanc: OrthancClient
    gate: Gate
    zone: ZoneInfo
    clock: Callable[[], datetime]
    announce_question: Callable[[int], None] = field(default=lambda destination_id: None)
    chance: Callable[[], float] = random.random
    wait: Callable[[float], None] = pause

    def sender(self, destination: Destination) -> Sender:
        return make_sender(destination, self.orthanc, self.gate)

    def read(self, destination_id: int) -> Destination:
        with connect(self.engine) as connection:
            return read_destination(connection, destination_id)

    @contextmanager
    def holding(self, claim: leases.Claim) -> Iterator[None]:
        """Keep the lease while the body works."""
        done = Event()
        thread = Thread(target=self._prolong, args=(claim, done), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _prolong(self, claim: leases.Claim, done: Event) -> None:
        while not done.wait(_PROLONG_EVERY_S):
            try:
                with transaction(self.engine) as connection:
                    leases.prolong(connection, claim, self.clock())
            except DatabaseUnavailable:
                logger.warning("A lease could not be prolonged: the database does not answer.")

    def failed(self, destination: Destination, reason: str) -> None:
        """The destination does not answer: the next try comes after a growing pause."""
        logger.warning("Destination %s does not answer: %s", destination.name, reason)
        pause = BACKOFF_WHILE_DOWN.pause(destination.failures + 1, self.chance())
        with transaction(self.engine) as connection:
            send_results.note_failure(connection, destination.id, reason, self.clock(), pause)


def deliver(dispatcher: DeliveryDispatcher, destination_id: int) -> bool:
    """Send what waits for the destination, until nothing is due or the turn is over; whether there is more to do.

    Raises DatabaseUnavailable.
    """
    ends_at = monotonic() + TURN.total_seconds()
    destination = dispatcher.read(destination_id)
    way = _way(dispatcher, destination)
    if way is None:
        return False
    associations = way.destination.max_associations if way.destination.failures == 0 else 1
    if associations == 1:
        return _send_until(dispatcher, destination, way, ends_at)
    with ThreadPoolExecutor(associations, thread_name_prefix="association") as threads:
        sending = [threads.submit(_send_until, dispatcher, destination, way, ends_at) for _ in range(associations)]
        moved = [one.result() for one in sending]
    return any(moved)


@dataclass(frozen=True, kw_only=True)
class _Way:
    """By whom objects of a destination go now: itself, or its alternate."""

    destination: Destination
    sender: Sender


def _way(dispatcher: DeliveryDispatcher, destination: Destination) -> _Way | None:
    """How to send now; None where it may not be sent, or must not yet."""
    if not is_sendable(dispatcher, destination):
        return _alternate(dispatcher, destination)
    try:
        sender = dispatcher.sender(destination)
        echo = sender.echo() if destination.failures else None
    except (SettingsRefused, OrthancRefused) as error:
        dispatcher.failed(destination, error.sentence)
        return None
    except OrthancUnavailable as error:
        logger.warning("%s", error)
        return None
    if echo is not None and not echo.answers:
        dispatcher.failed(destination, echo.reason or P_("It does not answer."))
        return None
    if echo is not None:
        with transaction(dispatcher.engine) as connection:
            send_results.note_echo(connection, destination.id)
    return _Way(destination=destination, sender=sender)


def is_sendable(dispatcher: DeliveryDispatcher, destination: Destination) -> bool:
    """Whether anything may be sent there now."""
    now = dispatcher.clock()
    if (
        destination.removed_at is not None
        or destination.is_paused
        or not is_open(destination.windows, now, dispatcher.zone)
    ):
        return False
    return destination.next_attempt_at is None or destination.next_attempt_at <= now


def _alternate(dispatcher: DeliveryDispatcher, destination: Destination) -> _Way | None:
    """The destination that takes over while this one is down."""
    down = destination.down_since is not None and dispatcher.clock() - destination.down_since >= ALTERNATE_AFTER
    if not down or destination.is_paused or destination.removed_at is not None or destination.alternate is None:
        return None
    with connect(dispatcher.engine) as connection:
        other = destination_named(connection, destination.alternate)
    if other is None or other.failures or not is_sendable(dispatcher, other):
        return None
    try:
        return _Way(destination=other, sender=dispatcher.sender(other))
    except SettingsRefused as error:
        dispatcher.failed(other, error.sentence)
        return None


def _send_until(dispatcher: DeliveryDispatcher, destination: Destination, way: _Way, ends_at: float) -> bool:
    """Send batch after batch; whether more is due when the turn is over.

    Who keeps to the bandwidth waits only after a send of its own: one that waits for a destination is enough.
    """
    node, has_sent = way.destination, False
    while monotonic() < ends_at:
        with transaction(dispatcher.engine) as connection:
            claim = leases.claim_to_send(
                connection,
                destination.id,
                uuid4().hex,
                dispatcher.clock(),
                most_open=node.max_associations if node.failures == 0 else 1,
                most_objects=MOST_OBJECTS if node.failures == 0 else _PROBE_OBJECTS,
                max_mbit_per_s=node.max_mbit_per_s,
            )
        if isinstance(claim, leases.Rest) and has_sent:
            dispatcher.wait(min((claim.until - dispatcher.clock()).total_seconds(), ends_at - monotonic()))
            continue
        if not isinstance(claim, leases.Claim) or not _send(dispatcher, destination, way, claim):
            return False
        has_sent = True
        node = dispatcher.read(node.id)
        if (node.is_paused or not is_open(node.windows, dispatcher.clock(), dispatcher.zone)) or node.failures:
            return False
    return True


def _send(dispatcher: DeliveryDispatcher, destination: Destination, way: _Way, claim: leases.Claim) -> bool:
    """Send one batch and record how it ended; whether to go on."""

    def recorded(orthanc_job_id: str) -> None:
        with transaction(dispatcher.engine) as connection:
            if not leases.record_job(connection, claim.batch, orthanc_job_id):
                raise LeaseLost

    down: str | None
    with dispatcher.holding(claim):
        try:
            outcomes = way.sender.send(claim.objects, recorded)
        except DestinationUnreachable as error:
            outcomes, down = _none_begun(claim, error.sentence), error.sentence
        except (OrthancUnavailable, LeaseLost, WorkerEnding) as error:
            # Whether Orthanc still sends is unknown: the rows stay as they are, and are asked about after the lease.
            logger.warning("A send to %s could not be watched to its end: %s", destination.name, error)
            return False
        except OrthancRefused as error:
            outcomes, down = _none_begun(claim, error.sentence), error.sentence
        else:
            down = _all_broken(outcomes)
    _record(dispatcher, destination, way, claim, outcomes)
    if down is not None:
        dispatcher.failed(way.destination, down)
        return False
    return True


class LeaseLost(TreegarthError):
    """Another worker has taken this send for lost."""


def _none_begun(claim: leases.Claim, reason: str) -> list[Outcome]:
    return [
        Outcome(orthanc_instance_id=one.orthanc_instance_id, arrived=False, reason=reason, begun=False)
        for one in claim.objects
    ]


def _all_broken(outcomes: Sequence[Outcome]) -> str | None:
    """The reason, where the association broke and nothing arrived: the destination is in trouble, not an object."""
    if any(one.arrived or one.gone or _has_answered(one) for one in outcomes):
        return None
    if not any(one.arrived is None for one in outcomes):
        return None
    return next((one.reason for one in outcomes if one.reason), P_("No object arrived."))


def _has_answered(outcome: Outcome) -> bool:
    """Whether the destination said something about the object, be it that it refuses it."""
    return outcome.has_it or outcome.answered or (outcome.arrived is False and outcome.begun and not outcome.gone)


def _record(
    dispatcher: DeliveryDispatcher,
    destination: Destination,
    way: _Way,
    claim: leases.Claim,
    outcomes: Sequence[Outcome],
) -> None:
    now, by_id = dispatcher.clock(), {one.orthanc_instance_id: one for one in outcomes}
    changes = [
        after_send(one, by_id[one.orthanc_instance_id], destination, way.destination, now, dispatcher.chance())
        for one in claim.objects
    ]
    arrived = sum(1 for one in outcomes if one.arrived)
    trouble = next((one.reason for one in outcomes if not one.arrived and not one.gone and one.reason), None)
    outcome = "arrived" if arrived == len(outcomes) else "partly" if arrived else "failed"
    with transaction(dispatcher.engine) as connection:
        send_results.record_changes(connection, destination.id, claim.batch, changes)
        send_results.end_batch(connection, claim.batch, outcome=outcome, reason=trouble, at=now)
        if arrived:
            send_results.note_success(connection, way.destination.id, now)
        elif any(_has_answered(one) for one in outcomes):
            send_results.note_answer(connection, way.destination.id)
        if trouble:
            send_results.note_trouble(connection, way.destination.id, trouble, now)
    if any(one.arrived is not False for one in outcomes):
        dispatcher.announce_question(destination.id)
