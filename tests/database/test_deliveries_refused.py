"""What waits for a destination that the settings refuse goes on waiting, with the reason, and costs no attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from tests.delivery_support import Ledger
from tests.index_support import write_study
from tests.places import gate
from treegarth.database.engine import transaction
from treegarth.errors import TreegarthError
from treegarth.features.deliveries.copies import Copies
from treegarth.features.deliveries.destinations import Destination
from treegarth.features.deliveries.dispatch import DeliveryDispatcher, deliver
from treegarth.features.deliveries.model import DeliveryObject
from treegarth.features.deliveries.store.destinations import read_destination
from treegarth.features.deliveries.verification import ask
from treegarth.orthanc.client import OrthancAddress, OrthancClient

NOWHERE = OrthancClient(OrthancAddress(url="http://127.0.0.1:9"), pause_s=0)
OUTSIDE = {"name": "outside", "kind": "folder", "address": {"path": "/usr/lib/python3"}}
REASON = "Files may not be written to /usr/lib/python3: neither it nor a folder above it is listed in "


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    with transaction(engine) as connection:
        write_study(connection, 1)
    return Ledger(engine)


def pump_of(ledger: Ledger) -> DeliveryDispatcher:
    return DeliveryDispatcher(
        engine=ledger.engine, orthanc=NOWHERE, gate=gate(), zone=ZoneInfo("UTC"), clock=lambda: datetime.now(UTC)
    )


def read(ledger: Ledger, number: int) -> Destination:
    with transaction(ledger.engine) as connection:
        return read_destination(connection, number)


def test_a_delivery_waits_and_the_destination_says_why(ledger: Ledger) -> None:
    number = ledger.add(OUTSIDE)
    ledger.request([number])
    assert deliver(pump_of(ledger), number) is False
    assert ledger.states(number) == {("waiting", None): 2}
    assert {one.attempts for one in ledger.objects(number)} == {0}
    found = read(ledger, number)
    assert found.last_error == f"{REASON}Treegarth.DestinationPlaces.Folders."
    assert found.next_attempt_at is not None
    assert found.next_attempt_at < datetime.now(UTC) + timedelta(minutes=3)  # soon after the setting was made


def test_an_alternate_that_is_refused_says_why_and_what_waits_goes_on_waiting(ledger: Ledger, tmp_path: Path) -> None:
    alternate = ledger.add(OUTSIDE)
    number = ledger.add({**OUTSIDE, "name": "down", "address": {"path": str(tmp_path)}, "alternate": "outside"})
    ledger.request([number])
    with transaction(ledger.engine) as connection:
        down = (
            "UPDATE destination SET down_since = now() - interval '1 hour', failures = 9,"
            " next_attempt_at = now() + interval '1 hour' WHERE id = :one"
        )
        connection.execute(text(down), {"one": number})
    assert deliver(pump_of(ledger), number) is False
    assert ledger.states(number) == {("waiting", None): 2}
    assert (read(ledger, alternate).last_error or "").startswith(REASON)


def test_what_was_sent_is_asked_about_when_the_settings_allow_it(ledger: Ledger) -> None:
    number = ledger.add(OUTSIDE)
    ledger.request([number])
    with transaction(ledger.engine) as connection:
        connection.execute(text("UPDATE delivery_object SET state = 'sent', sent_at = now(), attempts = 1"))
    ask(pump_of(ledger), number)
    assert ledger.states(number) == {("sent", None): 2}
    assert {one.last_error["values"]["path"] for one in ledger.objects(number)} == {"/usr/lib/python3"}
    assert (read(ledger, number).last_error or "").startswith(REASON)


def test_no_copy_is_asked_for_or_brought_back(ledger: Ledger) -> None:
    number = ledger.add(OUTSIDE)
    ledger.request([number])
    [row, *_] = ledger.objects(number)
    one = DeliveryObject(**{name: getattr(row, name) for name in DeliveryObject.__dataclass_fields__})
    copies = Copies(engine=ledger.engine, orthanc=NOWHERE, gate=gate())
    for use in (copies.ask, copies.retrieve):
        with pytest.raises(TreegarthError, match="DestinationPlaces"):
            use("outside", [one])
