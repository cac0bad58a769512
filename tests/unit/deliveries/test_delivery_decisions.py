"""What becomes of an object after a send, a question, a storage commitment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from treegarth.features.deliveries.addresses import DicomAddress, Kind
from treegarth.features.deliveries.destinations import Destination
from treegarth.features.deliveries.model import (
    BACKOFF,
    DARK,
    NEVER,
    DeliveryObject,
    ObjectState,
    Outcome,
    Proof,
    fitting,
    free_at,
)
from treegarth.features.deliveries.transitions import (
    INTERRUPTED_UNASKED,
    after_commitment,
    after_find,
    after_send,
    send_again,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NODE = Destination(
    id=1, name="NODE", kind=Kind.DICOM, address=DicomAddress(ae_title="NODE", host="node", port=104), max_attempts=3
)


def sending(**given: Any) -> DeliveryObject:
    values: dict[str, Any] = {
        "destination_id": 1,
        "orthanc_instance_id": "one",
        "orthanc_series_id": "series",
        "orthanc_study_id": "study",
        "study_instance_uid": "1.1",
        "series_instance_uid": "1.2",
        "sop_instance_uid": "1.3",
        "sop_class_uid": "1.4",
        "size_bytes": 1_000_000,
        "proof_wanted": "best",
        "attempts": 1,
        **given,
    }
    return DeliveryObject(**values)


def outcome(arrived: bool | None, **given: Any) -> Outcome:
    return Outcome(orthanc_instance_id="one", arrived=arrived, **given)


@pytest.mark.parametrize(
    ("wanted", "can_find", "can_commit", "state", "proof"),
    [
        ("status", None, None, ObjectState.CONFIRMED, "status"),
        ("best", None, None, ObjectState.SENT, None),
        ("best", False, None, ObjectState.SENT, "status"),
        ("best", False, True, ObjectState.SENT, None),
        ("find", False, True, ObjectState.SENT, "status"),
        ("commitment", True, False, ObjectState.SENT, None),
    ],
)
def test_what_was_taken_is_confirmed_only_by_the_proof_that_is_wanted(
    wanted: str, can_find: bool | None, can_commit: bool | None, state: ObjectState, proof: str | None
) -> None:
    node = replace(NODE, can_find=can_find, can_commit=can_commit)
    change = after_send(sending(proof_wanted=wanted), outcome(True, proof=Proof.STATUS), node, node, NOON, 0.5)
    assert (change.state, change.proof, change.sent_at) == (state, proof, NOON)


def test_what_was_refused_is_tried_again_after_a_pause_and_given_up_in_the_end() -> None:
    refused = outcome(False, reason="0xA700")
    again = after_send(sending(), refused, NODE, NODE, NOON, 0.5)
    assert (again.state, again.last_error) == (ObjectState.WAITING, "0xA700")
    assert again.next_attempt_at > NOON
    assert after_send(sending(attempts=3), refused, NODE, NODE, NOON, 0.5).state is ObjectState.GIVEN_UP


def test_what_was_never_begun_costs_no_attempt() -> None:
    change = after_send(sending(attempts=3), outcome(False, begun=False), NODE, NODE, NOON, 0.5)
    assert (change.state, change.attempts, change.next_attempt_at) == (ObjectState.WAITING, 2, NOON)


def test_what_may_have_arrived_stays_unsure_and_is_asked_about_at_once() -> None:
    change = after_send(sending(), outcome(None), NODE, NODE, NOON, 0.5)
    assert (change.state, change.next_attempt_at, change.sent_at) == (ObjectState.SENDING, NOON, None)


def test_what_left_orthanc_is_gone() -> None:
    assert after_send(sending(), outcome(False, gone=True), NODE, NODE, NOON, 0.5).state is ObjectState.GONE


def test_a_listing_confirms_and_a_missing_one_does_not_at_first() -> None:
    sent = sending(sent_at=NOON)
    given: dict[str, Any] = {"destination": NODE, "kind": Kind.DICOM, "chance": 0.5}
    found = after_find(sent, listed=True, now=NOON, **given)
    assert (found.state, found.proof, found.next_attempt_at) == (ObjectState.CONFIRMED, "find", NEVER)
    early = after_find(sent, listed=False, now=NOON + timedelta(seconds=3), **given)
    assert early.state is ObjectState.SENT
    late = after_find(sent, listed=False, now=NOON + DARK, **given)
    assert (late.state, late.sent_at) == (ObjectState.WAITING, None)


def test_an_interrupted_send_that_is_not_listed_goes_again_at_once() -> None:
    change = after_find(sending(), listed=False, destination=NODE, kind=Kind.DICOM, now=NOON, chance=0.5)
    assert (change.state, change.next_attempt_at) == (ObjectState.WAITING, NOON)
    given_up = send_again(sending(attempts=3), NODE, NOON, 0.5)
    assert (given_up.state, given_up.last_error) == (ObjectState.GIVEN_UP, INTERRUPTED_UNASKED)


def test_what_broke_off_and_is_not_listed_waits_with_what_ended_it() -> None:
    broken = sending(last_error="A-ABORT")
    listed: dict[str, Any] = {"destination": NODE, "kind": Kind.DICOM, "now": NOON, "chance": 0.5}
    again = after_find(broken, listed=False, **listed)
    assert (again.state, again.last_error) == (ObjectState.WAITING, "A-ABORT")
    assert again.next_attempt_at > NOON
    assert send_again(replace(broken, attempts=3), NODE, NOON, 0.5).last_error == "A-ABORT"
    assert after_find(broken, listed=True, **listed).state is ObjectState.CONFIRMED


@pytest.mark.parametrize("wanted", ["best", "status", "find", "commitment"])
def test_what_a_destination_says_it_has_is_asked_about_before_it_counts(wanted: str) -> None:
    has_it = outcome(None, has_it=True, reason="0111")
    change = after_send(sending(proof_wanted=wanted), has_it, NODE, NODE, NOON, 0.5)
    assert (change.state, change.proof, change.sent_at) == (ObjectState.SENT, None, NOON)
    assert (change.next_attempt_at, change.last_error) == (NOON, "0111")


def test_a_commitment_confirms_and_its_refusal_is_no_proof_of_absence_at_first() -> None:
    asked = sending(sent_at=NOON, transaction_uid="2.25.1", committing_since=NOON)
    yes = after_commitment(asked, committed=True, destination=NODE, now=NOON, chance=0.5)
    assert (yes.state, yes.proof) == (ObjectState.CONFIRMED, "commitment")
    no = after_commitment(asked, committed=False, destination=NODE, now=NOON, chance=0.5)
    assert (no.state, no.transaction_uid) == (ObjectState.SENT, None)
    later = after_commitment(asked, committed=False, destination=NODE, now=NOON + DARK, chance=0.5)
    assert later.state is ObjectState.WAITING


def test_pauses_grow_to_a_limit_and_are_spread() -> None:
    pauses = [BACKOFF.pause(attempts, 0.5) for attempts in range(1, 30)]
    assert all(one <= other for one, other in pairwise(pauses))
    assert pauses[-1] == BACKOFF.longest
    assert BACKOFF.pause(3, 0.0) < BACKOFF.pause(3, 1.0)


def test_a_limited_bandwidth_makes_small_sends_with_rests() -> None:
    objects = [sending(orthanc_instance_id=str(number)) for number in range(500)]
    assert fitting(objects, None) == 100
    assert fitting(objects, 16) == 4  # 2 MB a second, for two seconds
    assert fitting(objects, 0.1) == 1


def test_sends_that_go_on_at_once_share_the_bandwidth_and_what_was_not_used_is_not_saved_up() -> None:
    two_seconds, second = 4_000_000, timedelta(seconds=1)  # of 16 Mbit/s
    assert free_at([], 16) < NOON
    assert free_at([(NOON, two_seconds)], 16) == NOON + 2 * second
    assert free_at([(NOON, two_seconds), (NOON + second, two_seconds)], 16) == NOON + 4 * second
    assert free_at([(NOON, two_seconds), (NOON + 60 * second, two_seconds)], 16) == NOON + 62 * second


def test_a_rate_next_to_none_ends_no_calendar() -> None:
    assert free_at([(NOON, 4_000_000)] * 3, 5e-324) == NOON + 3 * timedelta(days=365)
    assert fitting([sending(orthanc_instance_id=str(number)) for number in range(3)], 5e-324) == 1
