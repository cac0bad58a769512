"""Decide whether an object may be pruned. Pure: one object's state, a policy and the time in; a decision out.

`store/deciding.py` decides the same over the whole archive in SQL; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from treegarth.features.retention.model import (
    SUFFICIENT_PROOFS,
    Age,
    Cause,
    Decision,
    ObjectState,
    Policy,
    Proof,
    ProofDemand,
    Reason,
    Since,
)


def decide(state: ObjectState, policy: Policy, now: datetime) -> Decision:
    """Prune or keep, with everything that speaks for it and against it: what forbids it always, and what the policy
    itself asks. The marks of a policy by space are not looked at: those are decided for the archive as a whole."""
    reasons = [*_of_policy(state, policy, now), *_always(state, policy, now)]
    proofs = [proof for demand in policy.proofs if (proof := _best(state, demand)) is not None]
    reasons.extend(reason for demand in policy.proofs for reason in _of_proof(state, demand, now))
    speaks_for = {Cause.MEANT, Cause.OLD_ENOUGH, Cause.SPACE_WANTED, Cause.PROVED}
    return Decision(
        orthanc_instance_id=state.orthanc_instance_id,
        in_favour=tuple(reason for reason in reasons if reason.cause in speaks_for),
        against=tuple(reason for reason in reasons if reason.cause not in speaks_for),
        proofs=tuple(proofs),
    )


def _of_policy(state: ObjectState, policy: Policy, now: datetime) -> Iterator[Reason]:
    if state.matches:
        yield Reason(cause=Cause.MEANT)
    else:
        yield Reason(cause=Cause.NOT_MEANT)
    if state.is_kept:
        yield Reason(cause=Cause.KEPT)
    if policy.age is not None:
        yield _of_age(state, policy.age, now)
    if policy.space is not None:
        yield Reason(cause=Cause.SPACE_WANTED)
    if state.rescued_until is not None and state.rescued_until > now:
        yield Reason(cause=Cause.RESCUED, at=state.rescued_until)


def _of_age(state: ObjectState, age: Age, now: datetime) -> Reason:
    begin = age_begins(state, age.since)
    if begin is not None and begin < now - age.least:
        return Reason(cause=Cause.OLD_ENOUGH, about=age.since)
    return Reason(cause=Cause.TOO_RECENT, about=age.since)


def age_begins(state: ObjectState, since: Since) -> datetime | None:
    """The moment from which an age is counted; a study date begins at midnight, UTC."""
    if since is Since.RECEIVED:
        return state.received_at
    if since is Since.LAST_USE:
        return state.last_used_at
    if state.study_date is None:
        return None
    return datetime.combine(state.study_date, time(), tzinfo=state.received_at.tzinfo)


def _always(state: ObjectState, policy: Policy, now: datetime) -> Iterator[Reason]:
    if state.is_arriving:
        yield Reason(cause=Cause.ARRIVING)
    if state.rules_wait:
        yield Reason(cause=Cause.RULES_WAIT)
    for kind in state.holds:
        yield Reason(cause=Cause.HELD, about=kind)
    for destination in state.open_deliveries:
        yield Reason(cause=Cause.DELIVERY_OPEN, about=destination)
    if state.is_dose_unread:
        yield Reason(cause=Cause.DOSE_UNREAD)
    if state.received_at >= now - policy.minimum_age:
        yield Reason(cause=Cause.TOO_YOUNG, at=state.received_at)


def _of_proof(state: ObjectState, demand: ProofDemand, now: datetime) -> Iterator[Reason]:
    proof = _best(state, demand)
    if proof is None:
        void = [one.void for one in state.proofs if one.destination == demand.destination and one.void is not None]
        yield Reason(cause=Cause(void[0]) if void else Cause.PROOF_MISSING, about=demand.destination)
    elif now - proof.at > demand.fresh:
        yield Reason(cause=Cause.PROOF_STALE, about=demand.destination, at=proof.at)
    else:
        yield Reason(cause=Cause.PROVED, about=demand.destination, at=proof.at)


def _best(state: ObjectState, demand: ProofDemand) -> Proof | None:
    """The latest proof of a sufficient kind at the demanded destination that still holds."""
    found = [
        proof
        for proof in state.proofs
        if proof.destination == demand.destination and proof.kind in SUFFICIENT_PROOFS and proof.void is None
    ]
    return max(found, key=lambda proof: proof.at, default=None)


def is_within_hours(policy: Policy, local_time: time) -> bool:
    """Whether the policy may delete at this time of the day."""
    return policy.hours is None or policy.hours.include(local_time)


def pause_between(policy: Policy) -> timedelta:
    """From one deletion to the next, so that Orthanc stays quick."""
    return timedelta(minutes=1) / policy.per_minute


def needs_number_typed(policy: Policy, size_bytes: int, archive_bytes: int) -> bool:
    """Whether what the policy would delete is so much of the archive that its number must be typed."""
    return size_bytes > policy.asks_twice_above * archive_bytes
