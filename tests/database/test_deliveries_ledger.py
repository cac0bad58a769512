"""The ledger: wishes, claims by lease, who may record, what a person may do; and the API over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from tests.delivery_support import Ledger, dicom_settings
from tests.index_support import write_study
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.errors import NotFound, RequestConflict
from treegarth.features.deliveries.deliveries import DELIVERIES
from treegarth.features.deliveries.model import ObjectState, Proof, Standing
from treegarth.features.deliveries.objects import OBJECTS
from treegarth.features.deliveries.store import leases, send_results
from treegarth.features.deliveries.store.ledger import cancel_object, resend_object, sums_by_destination
from treegarth.features.deliveries.store.retrying import send_again
from treegarth.features.deliveries.store.standing import conditions
from treegarth.features.deliveries.store.standing import standing as standing_of
from treegarth.features.deliveries.tables import delivery_object, destination
from treegarth.features.deliveries.transitions import confirmed
from treegarth.index.tables import instance
from treegarth.web.paths import API_PATH

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2126, 11, 20, 12, tzinfo=UTC)  # after every wish, which are made at the clock's time
LATER = NOW + leases.LEASE


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    """Two studies of two instances each."""
    with transaction(engine) as connection:
        write_study(connection, 1)
        write_study(connection, 2)
    return Ledger(engine)


@pytest.fixture
def node(ledger: Ledger) -> int:
    return ledger.add(dicom_settings("node", 104))


def claim(ledger: Ledger, node: int, batch: str, now: datetime = NOW, most_open: int = 9) -> leases.Claim | None:
    with transaction(ledger.engine) as connection:
        found = leases.claim_to_send(connection, node, batch, now, most_open=most_open, most_objects=3)
    assert not isinstance(found, leases.Rest)
    return found


def claim_slowly(
    ledger: Ledger, node: int, batch: str, now: datetime, max_mbit_per_s: float
) -> leases.Claim | leases.Rest | None:
    with transaction(ledger.engine) as connection:
        return leases.claim_to_send(
            connection, node, batch, now, most_open=9, most_objects=3, max_mbit_per_s=max_mbit_per_s
        )


def record_confirmed(ledger: Ledger, held: leases.Claim, now: datetime = NOW) -> int:
    changes = [confirmed(one, Proof.FIND, now) for one in held.objects]
    with transaction(ledger.engine) as connection:
        return send_results.record_changes(connection, held.destination_id, held.batch, changes)


def ids(held: leases.Claim | None) -> Sequence[str]:
    return [] if held is None else [one.orthanc_instance_id for one in held.objects]


def test_the_same_wish_of_several_rules_is_one_row_an_object(ledger: Ledger, node: int) -> None:
    assert ledger.request([node]) == 4
    assert ledger.request([node]) == 0
    assert ledger.request([node], rule_id=3) == 0
    with transaction(ledger.engine) as connection:
        counts = connection.execute(text("SELECT count(*), count(DISTINCT delivery_id) FROM delivery_member")).one()
    assert tuple(counts) == (8, 4)


def test_a_stronger_proof_that_is_wanted_later_counts_and_a_weaker_one_does_not(ledger: Ledger, node: int) -> None:
    ledger.request([node], proof="find")
    ledger.request([node], proof="status", rule_id=2)
    assert {one.proof_wanted for one in ledger.objects(node)} == {"find"}
    ledger.request([node], proof="commitment", rule_id=3)
    assert {one.proof_wanted for one in ledger.objects(node)} == {"commitment"}


def test_what_is_claimed_is_claimed_once_and_only_so_many_sends_are_open(ledger: Ledger, node: int) -> None:
    ledger.request([node])
    first, second = claim(ledger, node, "one"), claim(ledger, node, "two")
    assert (len(ids(first)), len(ids(second))) == (3, 1)
    assert not set(ids(first)) & set(ids(second))
    assert claim(ledger, node, "three") is None


def test_no_more_sends_are_begun_than_may_be_open(ledger: Ledger, node: int) -> None:
    ledger.request([node])
    assert claim(ledger, node, "one", most_open=1) is not None
    assert claim(ledger, node, "two", most_open=1) is None
    assert claim(ledger, node, "two", LATER, most_open=1) is not None  # the first is lost


def test_the_bandwidth_is_shared_by_every_worker_that_sends(ledger: Ledger, node: int) -> None:
    ledger.request([node])
    slow = 0.006  # three objects of 500 bytes in two seconds
    assert isinstance(claim_slowly(ledger, node, "one", NOW, slow), leases.Claim)
    with transaction(ledger.engine) as connection:
        send_results.end_batch(connection, "one", outcome="arrived", reason=None, at=NOW)
    rest = claim_slowly(ledger, node, "two", NOW + timedelta(seconds=1), slow)
    assert rest == leases.Rest(until=NOW + timedelta(seconds=2))
    assert isinstance(claim_slowly(ledger, node, "two", NOW + timedelta(seconds=2), slow), leases.Claim)


def test_what_a_lost_worker_held_is_unsure_and_its_late_word_is_not_heard(ledger: Ledger, node: int) -> None:
    ledger.request([node])
    held = claim(ledger, node, "one")
    assert held is not None
    with transaction(ledger.engine) as connection:
        assert leases.claim_unsure(connection, node, "early", NOW, 9) is None
        unsure = leases.claim_unsure(connection, node, "asking", LATER, 9)
    assert ids(unsure) == ids(held)
    assert record_confirmed(ledger, held) == 0
    assert unsure is not None
    assert record_confirmed(ledger, unsure) == 3
    with transaction(ledger.engine) as connection:
        assert not leases.record_job(connection, "one", "job")
        outcomes = connection.execute(text("SELECT batch, outcome FROM delivery_batch")).all()
    assert [tuple(one) for one in outcomes] == [("one", "lost")]


def test_a_worker_that_lives_keeps_its_lease(ledger: Ledger, node: int) -> None:
    ledger.request([node])
    held = claim(ledger, node, "one")
    assert held is not None
    with transaction(ledger.engine) as connection:
        leases.prolong(connection, held, NOW + timedelta(seconds=20))
        assert leases.claim_unsure(connection, node, "two", LATER, 9) is None
        assert leases.count_open(connection, node, LATER) == 1


def test_what_is_confirmed_is_never_claimed_again_unless_a_person_asks(ledger: Ledger, node: int) -> None:
    ledger.request([node])
    for batch in ("one", "two"):
        held = claim(ledger, node, batch)
        assert held is not None
        record_confirmed(ledger, held)
    ledger.request([node], rule_id=5, proof="commitment")
    far = NOW + timedelta(days=3650)
    assert claim(ledger, node, "three", far) is None
    with transaction(ledger.engine) as connection:
        resend_object(connection, node, "instance-00001-1", far)
    assert ids(claim(ledger, node, "three", far)) == ["instance-00001-1"]


def test_what_was_gone_waits_again_when_it_is_wished_again(ledger: Ledger, node: int) -> None:
    ledger.request([node])
    held = claim(ledger, node, "one")
    assert held is not None
    gone = [replace(confirmed(one, Proof.FIND, NOW), state=ObjectState.GONE) for one in held.objects]
    with transaction(ledger.engine) as connection:
        send_results.record_changes(connection, node, "one", gone)
    assert ledger.request([node]) == 3


def test_an_object_can_be_canceled_while_it_waits_and_not_while_it_is_sent(ledger: Ledger, node: int) -> None:
    ledger.request([node])
    held = claim(ledger, node, "one")
    assert held is not None
    with transaction(ledger.engine) as connection, pytest.raises(RequestConflict, match="sending"):
        cancel_object(connection, node, held.objects[0].orthanc_instance_id, "kim")
    (waiting,) = {one.orthanc_instance_id for one in ledger.objects(node)} - set(ids(held))
    with transaction(ledger.engine) as connection:
        cancel_object(connection, node, waiting, "kim")
        with pytest.raises(NotFound):
            cancel_object(connection, node, "nothing", "kim")
    assert ledger.states(node) == {("sending", None): 3, ("given up", None): 1}


@pytest.mark.parametrize(
    ("state", "proof", "standing"),
    [
        *(("waiting", None, "waiting"), ("sending", None, "sending"), ("sent", None, "sending")),
        *(("sent", "status", "unproved"), ("confirmed", "find", "arrived"), ("confirmed", "status", "arrived")),
        *(("given up", None, "given up"), ("gone", None, "given up")),
    ],
)
def test_every_row_of_the_ledger_is_called_by_one_of_five_words_alone(
    ledger: Ledger, node: int, state: str, proof: str | None, standing: str
) -> None:
    ledger.request([node])
    known = list(conditions().values())
    with transaction(ledger.engine) as connection:
        connection.execute(delivery_object.update().values(state=state, proof=proof))
        assert list(connection.execute(select(standing_of()).distinct()).scalars()) == [standing]
        held = connection.execute(select(*known).select_from(delivery_object)).first()
    assert held is not None
    assert [name for name, holds in zip(conditions(), held, strict=True) if holds] == [standing]


def test_the_next_try_is_what_the_destination_allows_too(ledger: Ledger, node: int) -> None:
    ledger.request([node])
    client = make_application(make_services(ROOT / "web", engine=lambda: ledger.engine)).test_client()

    def told() -> set[str | None]:
        objects = client.get(f"{API_PATH}/deliveries").get_json()["items"]
        studies = client.get(f"{API_PATH}/deliveries/studies").get_json()["items"]
        return {one["next_attempt_at"] for one in (*objects, *studies)}

    far = {"next_attempt_at": LATER, "down_since": NOW, "failures": 1}
    with transaction(ledger.engine) as connection:
        connection.execute(destination.update().values(far))
    assert told() == {LATER.isoformat().replace("+00:00", "Z")}
    with transaction(ledger.engine) as connection:
        connection.execute(destination.update().values(is_on=False))
    assert told() == {None}


def test_what_left_orthanc_is_sent_again_when_it_is_back_and_not_before(ledger: Ledger, node: int) -> None:
    ledger.request([node])
    with transaction(ledger.engine) as connection:
        connection.execute(delivery_object.update().values(state="gone"))
        connection.execute(instance.delete().where(instance.c.orthanc_instance_id == "instance-00001-1"))
        assert send_again(connection, NOW, destination_id=node, states=[Standing.GIVEN_UP]) == 3


def test_objects_are_listed_by_pages_with_state_destination_and_study(ledger: Ledger, node: int) -> None:
    other = ledger.add(dicom_settings("other", 105))
    ledger.request([node, other])
    claim(ledger, node, "one")
    client = make_application(make_services(ROOT / "web", engine=lambda: ledger.engine)).test_client()

    def listed(**asked: Any) -> dict[str, Any]:
        answer: dict[str, Any] = client.get(f"{API_PATH}/deliveries", query_string=asked).get_json()
        return answer

    for sort in OBJECTS.sorts:
        seen, cursor = [], ""
        while cursor is not None:
            page = listed(limit=3, cursor=cursor, sort=sort)
            seen += [(one["destination"], one["orthanc_instance_id"]) for one in page["items"]]
            cursor = page["next"]
        assert len(seen) == len(set(seen)) == 8, sort
    assert len(listed(state="sending", destination="node")["items"]) == 3
    study = listed(study_instance_uid="1.2.840.99999.1.2", destination="other")
    assert [one["state"] for one in study["items"]] == ["waiting", "waiting"]
    for sort in DELIVERIES.sorts:
        by_study = client.get(f"{API_PATH}/deliveries/studies", query_string={"sort": sort}).get_json()["items"]
        counts = [(one["destination_name"], one["counts"], one["size_bytes"]) for one in by_study]
        assert sorted(counts, key=str) == [
            ("node", {"sending": 1, "waiting": 1}, 1000),
            ("node", {"sending": 2}, 1000),
            ("other", {"waiting": 2}, 1000),
            ("other", {"waiting": 2}, 1000),
        ], sort
    of_one = listed(delivery=by_study[0]["id"])["items"]
    assert [one["study_instance_uid"] for one in of_one] == [by_study[0]["study_instance_uid"]] * 2
    assert {one["destination"] for one in of_one} == {by_study[0]["destination_name"]}
    with transaction(ledger.engine) as connection:
        sums = {one.destination: one.objects for one in sums_by_destination(connection, NOW)}
    none = dict.fromkeys(Standing, 0)
    assert sums == {"node": {**none, "sending": 3, "waiting": 1}, "other": {**none, "waiting": 4}}
