"""Destinations and wishes written straight into a running server's ledger, and waiting for what becomes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from tests.servers import OrthancServer
from treegarth.database.embedded import EmbeddedServer
from treegarth.database.engine import DatabaseAddress, create_engine, transaction
from treegarth.documents.store import Author
from treegarth.errors import DatabaseUnavailable
from treegarth.features.deliveries.destinations import DestinationSettings
from treegarth.features.deliveries.store.archive_index import read_candidates
from treegarth.features.deliveries.store.destinations import DESTINATIONS
from treegarth.features.deliveries.store.requests import request_delivery
from treegarth.features.deliveries.tasks import SWEEP
from treegarth.tasks.app import NETWORK_QUEUE, TaskHints


def dicom_settings(name: str, port: int, *, ae_title: str = "NODE", timeout_s: int = 5, **given: Any) -> dict[str, Any]:
    """What a person sets of a node on this machine."""
    address = {"ae_title": ae_title, "host": "127.0.0.1", "port": port, "timeout_s": timeout_s}
    return {"name": name, "kind": "dicom", "address": address, **given}


def add_destination(connection: Connection, settings: dict[str, Any]) -> int:
    """A destination, whatever the site's settings allow; its number."""
    document = DestinationSettings.model_validate(settings).document()
    return DESTINATIONS.create(connection, document, Author(name=None, now=datetime.now(UTC))).id


class Ledger:
    """A server's deliveries, seen from a test."""

    def __init__(self, engine: Engine, address: DatabaseAddress | None = None) -> None:
        self.engine = engine
        self._address = address

    def add(self, settings: dict[str, Any]) -> int:
        with transaction(self.engine) as connection:
            return add_destination(connection, settings)

    def study_ids(self) -> list[str]:
        with transaction(self.engine) as connection:
            return list(connection.execute(text("SELECT orthanc_study_id FROM study ORDER BY 1")).scalars())

    def request(
        self,
        destination_ids: Sequence[int],
        *,
        studies: Sequence[str] | None = None,
        proof: str = "best",
        rule_id: int = 0,
    ) -> int:
        """Wish every object of these studies, or of all, at the destinations; how many wishes were new."""
        new = 0
        for orthanc_study_id in self.study_ids() if studies is None else studies:
            with transaction(self.engine) as connection:
                for destination_id in destination_ids:
                    new += request_delivery(
                        connection,
                        destination_id=destination_id,
                        objects=read_candidates(connection, orthanc_study_id),
                        proof_wanted=proof,
                        now=datetime.now(UTC),
                        rule_id=rule_id,
                    ).new
        return new

    def announce(self) -> None:
        """Tell the workers of the wishes, as rules do."""
        assert self._address is not None, "the ledger of no server"
        hints = TaskHints(self._address)
        hints.announce(SWEEP, queue=NETWORK_QUEUE)
        hints.close()

    def states(self, destination_id: int) -> Counter[tuple[str, str | None]]:
        """How many objects are in which state with which proof."""
        query = "SELECT state, proof, count(*) FROM delivery_object WHERE destination_id = :one GROUP BY 1, 2"
        with transaction(self.engine) as connection:
            found = connection.execute(text(query), {"one": destination_id})
            return Counter({(row[0], row[1]): row[2] for row in found})

    def objects(self, destination_id: int) -> list[Any]:
        query = "SELECT * FROM delivery_object WHERE destination_id = :one ORDER BY orthanc_instance_id"
        with transaction(self.engine) as connection:
            return list(connection.execute(text(query), {"one": destination_id}))

    def age(self, destination_id: int, *, minutes: float) -> None:
        """As if what was sent and is not confirmed had been sent so long before, and every pause were over."""
        statement = (
            "UPDATE delivery_object SET next_attempt_at = now(), sent_at = sent_at - make_interval(secs => :secs)"
            " WHERE destination_id = :one AND batch IS NULL AND state IN ('sent', 'waiting') AND proof IS NULL"
        )
        with transaction(self.engine) as connection:
            connection.execute(text(statement), {"one": destination_id, "secs": minutes * 60})

    def wait_until_down(self, destination_id: int, timeout_s: float = 180) -> None:
        """Until a destination is noted to be down; then it is as if it had been for ten minutes."""
        statement = (
            "UPDATE destination SET down_since = down_since - interval '10 minutes'"
            " WHERE id = :one AND down_since IS NOT NULL"
        )
        deadline = monotonic() + timeout_s
        while monotonic() < deadline:
            with transaction(self.engine) as connection:
                if connection.execute(text(statement), {"one": destination_id}).rowcount:
                    return
            sleep(0.2)
        raise AssertionError("The destination is not noted to be down.")

    def sends(self, destination_id: int) -> int:
        """How many sends to a destination were begun."""
        query = "SELECT count(*) FROM delivery_batch WHERE destination_id = :one"
        with transaction(self.engine) as connection:
            return int(connection.execute(text(query), {"one": destination_id}).scalar_one())

    def most_sends_at_once(self, destination_id: int) -> int:
        """How many sends to a destination went on together at most: when one begins, with those that go on."""
        query = (
            "SELECT max((SELECT count(*) FROM delivery_batch other WHERE other.destination_id = :one"
            " AND other.started_at <= one.started_at AND other.ended_at > one.started_at))"
            " FROM delivery_batch one WHERE one.destination_id = :one"
        )
        with transaction(self.engine) as connection:
            return int(connection.execute(text(query), {"one": destination_id}).scalar_one())

    def sent_within_s(self, destination_ids: Sequence[int]) -> float:
        """Seconds from the beginning of the first send to these to the end of the last."""
        query = "SELECT max(ended_at) - min(started_at) FROM delivery_batch WHERE destination_id = ANY(:ids)"
        return self._seconds(query, destination_ids)

    def arrived_within_s(self, destination_ids: Sequence[int]) -> float:
        """Seconds from the first wish for these to the end of the last send."""
        query = (
            "SELECT max(ended_at) - (SELECT min(queued_at) FROM delivery_object WHERE destination_id = ANY(:ids))"
            " FROM delivery_batch WHERE destination_id = ANY(:ids)"
        )
        return self._seconds(query, destination_ids)

    def _seconds(self, query: str, destination_ids: Sequence[int]) -> float:
        with transaction(self.engine) as connection:
            took = connection.execute(text(query), {"ids": list(destination_ids)}).scalar_one()
        return float(took.total_seconds())

    def wait_until(
        self,
        destination_id: int,
        expected: dict[tuple[str, str | None], int],
        timeout_s: float = 180,
        each: Callable[[], None] = lambda: None,
    ) -> None:
        deadline, seen = monotonic() + timeout_s, None
        while monotonic() < deadline:
            try:
                seen = self.states(destination_id)
                if seen == expected:
                    return
                each()
            except (DatabaseUnavailable, DBAPIError) as error:
                seen = repr(error)
            sleep(0.2)
        troubles = Counter(str(one.last_error) for one in self.objects(destination_id))
        raise AssertionError(f"After {timeout_s} s: {seen}, not {expected}; {troubles.most_common(3)}")


@contextmanager
def ledger_of(server: OrthancServer) -> Iterator[Ledger]:
    """The ledger of a server with the embedded database."""
    address = EmbeddedServer(server.folder / "treegarth/postgresql").running_address()
    assert address is not None
    engine = create_engine(address, application_name="test")
    yield Ledger(engine, address)
    engine.dispose()


def is_up(server: OrthancServer) -> bool:
    """Whether the embedded database of a server answers."""
    address = EmbeddedServer(server.folder / "treegarth/postgresql").running_address()
    if address is None:
        return False
    try:
        with psycopg.connect(address.conninfo()) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True
