"""The decision on one object: nothing that is forbidden is ever pruned, whatever a policy says."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from treegarth.features.retention.model import (
    FORBIDDING,
    SUFFICIENT_PROOFS,
    Age,
    Cause,
    Hours,
    ObjectState,
    Policy,
    Proof,
    ProofDemand,
    Since,
)
from treegarth.features.retention.rules import decide, is_within_hours, needs_number_typed

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CASES = 10_000 if os.environ.get("TREEGARTH_SOAK") == "1" else 300
LONG_AGO = NOW - timedelta(days=400)

moments = st.integers(0, 800).map(lambda days: NOW - timedelta(days=days))
proofs = st.builds(
    Proof,
    destination=st.sampled_from(["LONGTERM", "OTHER"]),
    kind=st.sampled_from(["commitment", "find", "qido", "stored", "status"]),
    at=moments,
)
some_states = st.builds(
    ObjectState,
    orthanc_instance_id=st.just("one"),
    received_at=moments,
    last_used_at=moments,
    study_date=st.none() | st.dates(date(2023, 1, 1), date(2026, 11, 20)),
    matches=st.booleans(),
    is_kept=st.booleans(),
    is_arriving=st.booleans(),
    rules_wait=st.booleans(),
    is_dose_unread=st.booleans(),
    open_deliveries=st.sampled_from([(), (), ("LONGTERM",)]),
    holds=st.sampled_from([(), (), ("legal",), ("legal", "project")]),
    proofs=st.lists(proofs, max_size=3).map(tuple),
    rescued_until=st.none() | st.just(NOW + timedelta(days=1)) | st.just(LONG_AGO),
)
demands = st.builds(
    ProofDemand,
    destination=st.sampled_from(["LONGTERM", "OTHER"]),
    fresh=st.integers(1, 500).map(lambda days: timedelta(days=days)),
)
policies = st.builds(
    Policy,
    name=st.just("prune"),
    why=st.just("space"),
    age=st.none()
    | st.builds(Age, since=st.sampled_from(Since), least=st.integers(0, 500).map(lambda days: timedelta(days=days))),
    minimum_age=st.integers(0, 30).map(lambda days: timedelta(days=days)),
    proofs=st.lists(demands, max_size=2).map(tuple),
)


def free(**given: object) -> ObjectState:
    """An object that nothing forbids to prune."""
    values: dict[str, object] = {
        "orthanc_instance_id": "one",
        "received_at": LONG_AGO,
        "last_used_at": LONG_AGO,
        "study_date": LONG_AGO.date(),
        **given,
    }
    return ObjectState(**values)  # type: ignore[arg-type]


def is_forbidden(state: ObjectState, policy: Policy) -> bool:
    """The list of the requirement, said once more and apart from the code."""
    proved = [
        any(
            proof.destination == demand.destination and proof.kind != "status" and NOW - proof.at <= demand.fresh
            for proof in state.proofs
        )
        for demand in policy.proofs
    ]
    return (
        state.is_arriving
        or state.rules_wait
        or state.is_dose_unread
        or bool(state.open_deliveries)
        or bool(state.holds)
        or NOW - state.received_at <= policy.minimum_age
        or not all(proved)
    )


@settings(max_examples=CASES)
@given(state=some_states, policy=policies)
def test_no_state_with_a_forbidding_fact_is_ever_pruned(state: ObjectState, policy: Policy) -> None:
    decision = decide(state, policy, NOW)
    assert is_forbidden(state, policy) == bool({reason.cause for reason in decision.against} & FORBIDDING)
    if is_forbidden(state, policy) or not state.matches or state.is_kept:
        assert not decision.prune


def test_an_object_that_nothing_forbids_is_pruned_and_says_why() -> None:
    policy = Policy(name="p", why="w", age=Age(since=Since.RECEIVED, least=timedelta(days=90)))
    decision = decide(free(), policy, NOW)
    assert decision.prune
    assert [reason.cause for reason in decision.in_favour] == [Cause.MEANT, Cause.OLD_ENOUGH]


def test_every_objection_is_told_at_once() -> None:
    state = free(is_arriving=True, holds=("legal",), open_deliveries=("A", "B"))
    words = decide(state, Policy(name="p", why="w"), NOW).words
    assert words == (
        "its study is still arriving; its study is on hold (legal); "
        "its delivery to A is open; its delivery to B is open"
    )


def test_the_status_of_a_c_store_is_no_proof() -> None:
    assert "status" not in SUFFICIENT_PROOFS
    policy = Policy(name="p", why="w", proofs=(ProofDemand(destination="A", fresh=timedelta(days=1)),))
    by_status = decide(free(proofs=(Proof(destination="A", kind="status", at=NOW),)), policy, NOW)
    assert [reason.cause for reason in by_status.against] == [Cause.PROOF_MISSING]
    by_find = decide(free(proofs=(Proof(destination="A", kind="find", at=NOW),)), policy, NOW)
    assert by_find.prune


def test_an_old_proof_lets_an_object_be_marked_but_not_deleted() -> None:
    policy = Policy(name="p", why="w", proofs=(ProofDemand(destination="A", fresh=timedelta(days=1)),))
    state = free(proofs=(Proof(destination="A", kind="find", at=LONG_AGO),))
    assert decide(state, policy.for_marking, NOW).prune
    assert [reason.cause for reason in decide(state, policy, NOW).against] == [Cause.PROOF_STALE]


def test_a_study_without_a_date_never_gets_old_by_its_date() -> None:
    policy = Policy(name="p", why="w", age=Age(since=Since.STUDY_DATE, least=timedelta(days=1)))
    assert not decide(free(study_date=None), policy, NOW).prune


def test_hours_may_go_over_midnight() -> None:
    policy = Policy(name="p", why="w", hours=Hours(begin=time(22), end=time(6)))
    assert [is_within_hours(policy, time(hour)) for hour in (21, 22, 3, 6)] == [False, True, True, False]


def test_much_of_the_archive_asks_twice() -> None:
    policy = Policy(name="p", why="w", asks_twice_above=0.1)
    assert not needs_number_typed(policy, 10, 100)
    assert needs_number_typed(policy, 11, 100)
