"""Orthanc is told of labels where it has labels, whatever goes wrong between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import Engine

from tests.index_support import write_study
from tests.rule_support import NOW, study_id
from treegarth.database.engine import DatabaseAddress, connect, transaction
from treegarth.features.archive.ingest.batch import BatchWriter
from treegarth.features.rules.followers import LabelFollower
from treegarth.features.rules.orthanc_labels import tell_orthanc
from treegarth.index.instances import Level
from treegarth.index.labels import change_labels, list_labels
from treegarth.index.parents import note_pruned
from treegarth.index.tables import label_change
from treegarth.orthanc.client import OrthancAddress, OrthancClient


class Labels(ThreadingHTTPServer):
    """Answers as an Orthanc with labels or without, and keeps what it was told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.has_labels = True
        self.fails = False
        self.told: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Labels

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/tools/labels":
            self.server.told.append((self.command, self.path))
        status = 404 if not self.server.has_labels else 500 if self.server.fails else 200
        body = json.dumps([]).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_DELETE = _answer  # noqa: N815 - the base class's names

    def log_message(self, *given: object) -> None:
        """Nothing: the test says what matters."""


@pytest.fixture
def orthanc() -> Iterator[Labels]:
    server = Labels()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def change(engine: Engine, *labels: str, is_set: bool = True) -> None:
    with transaction(engine) as connection:
        change_labels(connection, study_id(1), labels, is_set=is_set, by=None, now=NOW)


def tell(engine: Engine, orthanc: Labels, *, after_s: float = 0) -> int:
    client = OrthancClient(OrthancAddress(url=orthanc.url))
    try:
        return tell_orthanc(engine, client, lambda: NOW + timedelta(seconds=after_s))
    finally:
        client.close()


def waiting(engine: Engine) -> int:
    with connect(engine) as connection:
        return connection.execute(select(func.count()).select_from(label_change)).scalar_one()


def test_orthanc_is_told_what_it_can_take(engine: Engine, orthanc: Labels) -> None:
    change(engine, "a", "b", "긴급")
    change(engine, "b", is_set=False)
    assert tell(engine, orthanc) == 2
    path = f"/studies/{study_id(1)}/labels"
    assert sorted(orthanc.told) == [("DELETE", f"{path}/b"), ("PUT", f"{path}/a")]
    assert waiting(engine) == 0


def test_what_it_did_not_take_is_told_again_later(engine: Engine, orthanc: Labels) -> None:
    change(engine, "a")
    orthanc.fails = True
    assert tell(engine, orthanc) == 0
    orthanc.fails = False
    assert tell(engine, orthanc, after_s=5) == 0
    assert tell(engine, orthanc, after_s=31) == 1
    assert waiting(engine) == 0


def test_an_orthanc_without_labels_is_asked_and_told_nothing(engine: Engine, orthanc: Labels) -> None:
    change(engine, "a")
    orthanc.has_labels = False
    assert tell(engine, orthanc) == 0
    assert (orthanc.told, waiting(engine)) == ([], 0)


def test_labels_go_with_their_study_and_stay_where_something_is_known_of_pruned_objects(
    engine: Engine, database_address: DatabaseAddress, orthanc: Labels
) -> None:
    orthanc.has_labels = False  # nor anything else: what is to be removed is not there
    with transaction(engine) as connection:
        for number in (1, 2):
            write_study(connection, number)
            change_labels(connection, f"study-0000{number}", ["a"], is_set=True, by=None, now=NOW)
        note_pruned(connection, {"series-00002": (5, 5000)})
    client = OrthancClient(OrthancAddress(url=orthanc.url))
    writer = BatchWriter(engine=engine, orthanc=client, followers=[LabelFollower()], clock=lambda: NOW)
    assert writer.remove(Level.STUDY, ["study-00001", "study-00002"]) == 4
    client.close()
    with connect(engine) as connection:
        assert [list_labels(connection, f"study-0000{number}") != [] for number in (1, 2)] == [False, True]
    assert waiting(engine) == 1
