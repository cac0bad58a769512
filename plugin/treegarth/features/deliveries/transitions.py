"""Decide what becomes of an object after a send, a question or a storage commitment. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from treegarth.features.deliveries.addresses import Kind
from treegarth.features.deliveries.destinations import Destination
from treegarth.features.deliveries.kinds import KINDS
from treegarth.features.deliveries.model import (
    BACKOFF,
    COMMITMENT_PATIENCE,
    NEVER,
    Asking,
    DeliveryObject,
    ObjectState,
    Outcome,
    Proof,
    choose_asking,
    is_missing,
    next_question,
)
from treegarth.phrases import P_

NOT_LISTED = P_("It was taken, but the destination does not list it.")
NOT_COMMITTED = P_("The destination takes no responsibility for it.")
NOT_TO_BE_ASKED = P_("The destination cannot be asked for the proof that is wanted.")
INTERRUPTED = P_("Its send was interrupted; the destination does not list it.")
INTERRUPTED_UNASKED = P_("Its send was interrupted, and the destination cannot be asked.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What the ledger is to say of an object from now on."""

    orthanc_instance_id: str
    state: ObjectState
    next_attempt_at: datetime
    attempts: int
    proof: str | None = None
    last_error: str | None = None
    transaction_uid: str | None = None
    committing_since: datetime | None = None
    sent_at: datetime | None = None
    confirmed_at: datetime | None = None
    via: int | None = None


def after_send(
    one: DeliveryObject,
    outcome: Outcome,
    destination: Destination,
    node: Destination,
    now: datetime,
    chance: float,
) -> Change:
    """A send ended. `node` is who took the objects: the destination, or its alternate."""
    one = replace(one, via=None if node.id == destination.id else node.id)
    if outcome.gone:
        return replace(_change(one, ObjectState.GONE, NEVER), last_error=outcome.reason)
    if outcome.has_it:
        return replace(_change(replace(one, sent_at=now), ObjectState.SENT, now), last_error=outcome.reason)
    if outcome.arrived:
        return arrived(one, outcome.proof or Proof.STATUS, node, now)
    if outcome.arrived is None:
        return replace(_change(one, ObjectState.SENDING, now), last_error=outcome.reason)
    if not outcome.begun:
        back = replace(one, attempts=max(one.attempts - 1, 0))
        return replace(_change(back, ObjectState.WAITING, now), last_error=outcome.reason)
    return failed(one, outcome.reason, destination, now, chance)


def arrived(one: DeliveryObject, proof: Proof, node: Destination, now: datetime) -> Change:
    """The destination took it: the end where that is all that is wanted, or all that can be had."""
    sent = replace(one, sent_at=now)
    if one.proof_wanted == "status" or proof is not Proof.STATUS:
        return confirmed(sent, proof, now)
    asking = choose_asking(one.proof_wanted, can_commit=node.can_commit, can_find=node.can_find)
    if asking is Asking.NOT_AT_ALL:
        return unprovable(sent, now)
    return _change(sent, ObjectState.SENT, now)


def confirmed(one: DeliveryObject, proof: Proof | str, now: datetime) -> Change:
    done = replace(one, sent_at=one.sent_at or now)
    return replace(_change(done, ObjectState.CONFIRMED, NEVER), proof=str(proof), confirmed_at=now)


def unprovable(one: DeliveryObject, now: datetime) -> Change:
    """There is nothing better than the answer to its send. Where better was demanded the destination is asked again,
    should it have learnt to answer."""
    taken = replace(_change(one, ObjectState.SENT, NEVER), proof=str(Proof.STATUS), last_error=one.last_error)
    if one.proof_wanted in ("find", "commitment"):
        later = next_question(now, None) + COMMITMENT_PATIENCE
        return replace(taken, next_attempt_at=later, last_error=NOT_TO_BE_ASKED)
    return taken


def failed(one: DeliveryObject, reason: str | None, destination: Destination, now: datetime, chance: float) -> Change:
    """It did not arrive: another try after a pause, or the end of trying."""
    if one.attempts >= destination.max_attempts:
        return replace(_change(one, ObjectState.GIVEN_UP, NEVER), last_error=reason, sent_at=None)
    later = now + BACKOFF.pause(one.attempts, chance)
    return replace(_change(one, ObjectState.WAITING, later), last_error=reason, sent_at=None)


def after_find(
    one: DeliveryObject, *, listed: bool, destination: Destination, kind: Kind, now: datetime, chance: float
) -> Change:
    """A node of this kind was asked. `sent_at` is empty of what was being sent when its worker vanished."""
    if listed:
        return confirmed(one, KINDS[kind].listed, now)
    if one.sent_at is None:
        return send_again(one, destination, now, chance, INTERRUPTED)
    if is_missing(now, one.sent_at):
        return failed(one, NOT_LISTED, destination, now, chance)
    return replace(_change(one, ObjectState.SENT, next_question(now, one.sent_at)), last_error=NOT_LISTED)


def after_commitment(
    one: DeliveryObject, *, committed: bool | None, destination: Destination, now: datetime, chance: float
) -> Change:
    """An answer to a storage commitment; None: none yet."""
    if committed:
        return confirmed(one, Proof.COMMITMENT, now)
    if committed is None:
        return keep_waiting(one, next_question(now, one.committing_since))
    anew = replace(one, transaction_uid=None, committing_since=None)
    if is_missing(now, one.sent_at):
        return failed(anew, NOT_COMMITTED, destination, now, chance)
    return replace(_change(anew, ObjectState.SENT, next_question(now, one.sent_at)), last_error=NOT_COMMITTED)


def committing(one: DeliveryObject, transaction: str, now: datetime) -> Change:
    """A storage commitment was asked for. What was unsure counts as sent meanwhile."""
    asked = replace(one, transaction_uid=transaction, committing_since=now)
    return _change(asked, ObjectState.SENT, next_question(now, now))


def keep_waiting(one: DeliveryObject, until: datetime) -> Change:
    return _change(one, ObjectState.SENT, until)


def send_again(
    one: DeliveryObject, destination: Destination, now: datetime, chance: float, interrupted: str = INTERRUPTED_UNASKED
) -> Change:
    """It is not there, or nobody can say so. What ended its send is the reason; a worker that vanished left none, and
    costs no pause."""
    change = failed(one, one.last_error or interrupted, destination, now, chance)
    at_once = one.last_error is None and change.state is ObjectState.WAITING
    return replace(change, next_attempt_at=now) if at_once else change


def is_patient(one: DeliveryObject, now: datetime) -> bool:
    """Whether the storage commitment of the object may still be waited for."""
    return one.committing_since is None or now - one.committing_since < COMMITMENT_PATIENCE


def _change(one: DeliveryObject, state: ObjectState, next_attempt_at: datetime) -> Change:
    return Change(
        orthanc_instance_id=one.orthanc_instance_id,
        state=state,
        next_attempt_at=next_attempt_at,
        attempts=one.attempts,
        transaction_uid=one.transaction_uid,
        committing_since=one.committing_since,
        sent_at=one.sent_at,
        via=one.via,
    )
