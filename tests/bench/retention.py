"""What a retention policy's look at a large archive takes, and whether ingest waits for it.

TREEGARTH_BENCH_STUDIES studies (1,000,000) of two objects each are made in SQL; each third object is proved to be
elsewhere. While the policy looks at all of it, another connection writes an object every tenth of a second.
"""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from tests.bench.report import Figure
from treegarth.assembly import vocabulary
from treegarth.database.embedded import EmbeddedServer
from treegarth.database.engine import create_engine, transaction
from treegarth.database.migration import migrate
from treegarth.documents.store import Author
from treegarth.features.retention.deletion import Pruner
from treegarth.features.retention.policy_text import parse_policy, policy_document
from treegarth.features.retention.store import forecast
from treegarth.features.retention.store.decision import NumberedPolicy
from treegarth.features.retention.store.policies import POLICIES

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
POLICY = {
    "name": "old CT",
    "why": "the long-term archive keeps them",
    "if": {"all": ["Modality = CT", "StudyDescription not like '*trial*'"]},
    "keep": "dose and one image per series",
    "after": "90 days since last use",
    "proof": {"at": "LONGTERM", "within": "30 days"},
}
_MADE = (
    "INSERT INTO patient (orthanc_patient_id) SELECT 'p' || n FROM generate_series(1, :count / 4 + 1) n",
    "INSERT INTO study (orthanc_study_id, orthanc_patient_id, study_instance_uid, study_date, study_description,"
    " modalities, series_count, instance_count, size_bytes, first_received_at, last_received_at)"
    " SELECT md5('t' || n), 'p' || (n / 4 + 1), '1.2.' || n, DATE '2020-01-01' + n % 2400,"
    " CASE WHEN n % 20 = 0 THEN 'trial 7' ELSE 'thorax' END, ARRAY[CASE WHEN n % 2 = 0 THEN 'CT' ELSE 'MR' END], 1, 2,"
    " 1000000, TIMESTAMPTZ '2020-01-01' + n % 2400 * INTERVAL '1 day',"
    " TIMESTAMPTZ '2020-01-01' + n % 2400 * INTERVAL '1 day' FROM generate_series(1, :count) n",
    "INSERT INTO series (orthanc_series_id, orthanc_study_id, series_instance_uid, modality, instance_count,"
    " size_bytes, header_orthanc_instance_id) SELECT md5('s' || n), md5('t' || n), '1.3.' || n,"
    " CASE WHEN n % 2 = 0 THEN 'CT' ELSE 'MR' END, 2, 1000000, md5('i1' || n) FROM generate_series(1, :count) n",
    "INSERT INTO instance (orthanc_instance_id, orthanc_series_id, sop_instance_uid, size_bytes, received_at,"
    " content_since) SELECT md5('i' || k || n), md5('s' || n), '1.4.' || n || '.' || k, 500000,"
    " TIMESTAMPTZ '2020-01-01' + n % 2400 * INTERVAL '1 day', NULL"
    " FROM generate_series(1, :count) n, generate_series(1, 2) k",
    "INSERT INTO destination (id, name, kind, address) SELECT 1, 'LONGTERM', 'dicom', '{}' WHERE :count > 0",
    "INSERT INTO delivery_object (destination_id, orthanc_instance_id, orthanc_series_id, orthanc_study_id,"
    " study_instance_uid, series_instance_uid, sop_instance_uid, size_bytes, proof_wanted, state, proof, confirmed_at,"
    " begun_at) SELECT 1, md5('i2' || n), md5('s' || n), md5('t' || n), '1', '1', '1.4.' || n || '.2', 1, 'best',"
    " 'confirmed', 'find', TIMESTAMPTZ '2026-11-01', TIMESTAMPTZ '2026-11-01'"
    " FROM generate_series(1, :count) n WHERE n % 3 > 0",
    "INSERT INTO hold (orthanc_study_id, study_instance_uid, kind, reason, set_at)"
    " SELECT md5('t' || n), '1', 'project', 'r', now() FROM generate_series(1, :count) n WHERE n % 100 = 0",
    "INSERT INTO dose_report (orthanc_instance_id, orthanc_series_id, orthanc_study_id, sop_instance_uid,"
    " study_instance_uid, state, source)"
    " SELECT md5('i2' || n), md5('s' || n), md5('t' || n), '1', '1', 'read', 'header'"
    " FROM generate_series(1, :count) n WHERE n % 10 = 0",
)


def measure() -> list[Figure]:
    """Seconds of the decision and of its preview; the longest wait of a store meanwhile."""
    count = int(os.environ.get("TREEGARTH_BENCH_STUDIES", "1000000"))
    with TemporaryDirectory(prefix="bench") as place:
        server = EmbeddedServer(Path(place) / "server", settings={"fsync": "off"})
        address = server.start()
        try:
            migrate(address)
            engine = create_engine(address, application_name="bench")
            _fill(engine, count)
            figures = _look(engine, count)
            engine.dispose()
        finally:
            server.stop()
    return figures


def _fill(engine: Engine, count: int) -> None:
    vocabulary()
    for statement in _MADE:
        with transaction(engine) as connection:
            connection.execute(text(statement), {"count": count})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _look(engine: Engine, count: int) -> list[Figure]:
    policy = parse_policy(POLICY, vocabulary())
    with transaction(engine) as connection:
        author = Author(name=None, now=NOW)
        made = POLICIES.create(connection, policy_document(policy), author)
        stored = POLICIES.switch(connection, made.id, author, is_on=True)
        begin = perf_counter()
        numbered = NumberedPolicy(id=stored.id, version=stored.version, policy=policy)
        foreseen = forecast.foresee(connection, numbered, vocabulary(), NOW)
        preview_s = perf_counter() - begin
    done, waits = threading.Event(), list[float]()
    storing = threading.Thread(target=_store, args=(engine, done, waits))
    storing.start()
    begin = perf_counter()
    marked = _pruner(engine).look(stored, numbered)
    took = perf_counter() - begin
    done.set()
    storing.join()
    assert marked == foreseen.instance_count > 0, (marked, foreseen.instance_count)
    name = f"retention: {count} studies"
    return [
        Figure(f"{name}, the decision", took, "s", at_most=60.0),
        Figure(f"{name}, objects marked", marked, "objects"),
        Figure(f"{name}, a preview of one day", preview_s, "s"),
        Figure(f"{name}, longest store meanwhile", max(waits) * 1000, "ms", at_most=1000.0),
    ]


def _store(engine: Engine, done: threading.Event, waits: list[float]) -> None:
    """Write as the indexer does: rows of every level, of new studies and of old ones."""
    number = 0
    while not done.wait(0.1):
        number += 1
        begin = perf_counter()
        with transaction(engine) as connection:
            connection.execute(text("INSERT INTO patient (orthanc_patient_id) VALUES (:id)"), {"id": f"new{number}"})
            connection.execute(
                text("UPDATE study SET last_received_at = now() WHERE orthanc_study_id = md5('t' || :n)"),
                {"n": str(number * 2 + 1)},
            )
        waits.append(perf_counter() - begin)


def _pruner(engine: Engine) -> Pruner:
    return Pruner(
        engine=engine,
        orthanc=_Nothing(),
        vocabulary=vocabulary,
        destinations=_Nothing(),
        clock=lambda: NOW + timedelta(seconds=1),
        zone=ZoneInfo("UTC"),
        wait=lambda seconds: None,
    )


class _Nothing:
    """Neither Orthanc nor destinations are asked by a look at the archive."""

    def exists(self, path: str) -> bool:
        raise NotImplementedError

    def delete(self, path: str, *, timeout_s: float | None = None) -> None:
        raise NotImplementedError

    def ask(self, name: str, objects: object) -> None:
        raise NotImplementedError
