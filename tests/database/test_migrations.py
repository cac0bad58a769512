"""Migrations: they make what the code expects, once, whoever starts them, and refuse what they do not know."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, make_url, select, text
from sqlalchemy.engine import Engine

import treegarth.features
from tests.databases import execute
from treegarth.database.engine import SCHEMA, DatabaseAddress, connect, create_engine, transaction
from treegarth.database.metadata import metadata
from treegarth.database.migration import MIGRATIONS, migrate, pending
from treegarth.documents.store import Author
from treegarth.errors import DatabaseNewerThanCode, DatabaseUnavailable, DatabaseUnsuitable
from treegarth.features.deliveries.store.destinations import DESTINATIONS
from treegarth.features.dose.registry.store.not_patients import NOT_PATIENTS
from treegarth.features.dose.registry.tables import dose_redecided, dose_report
from treegarth.features.retention.tables import bring_back_object
from treegarth.features.rules.tables import notification
from treegarth.index.tables import series, study
from treegarth.work.store import latest, read


def import_every_table() -> None:
    for module in pkgutil.walk_packages(treegarth.features.__path__, "treegarth.features."):
        if module.name.endswith(".tables"):
            importlib.import_module(module.name)


def revisions() -> list[str]:
    return [revision.revision for revision in reversed(list(ScriptDirectory(str(MIGRATIONS)).walk_revisions()))]


def is_ours(name: str | None, kind: str) -> bool:
    return not (kind == "table" and str(name).startswith("procrastinate_"))


def test_a_migrated_database_is_what_the_tables_in_the_code_say(engine: Engine) -> None:
    import_every_table()
    with connect(engine) as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": lambda name, kind, parents: is_ours(name, kind),
            },
        )
        assert compare_metadata(context, metadata) == []


def test_migrate_says_what_it_applied_and_then_has_nothing_to_do(empty_database_address: DatabaseAddress) -> None:
    assert pending(empty_database_address) == revisions()
    assert migrate(empty_database_address) == revisions()
    assert migrate(empty_database_address) == []
    assert pending(empty_database_address) == []


_NOTED_IN_ENGLISH = (
    """INSERT INTO treegarth.notification (channel, title, content, created_at, last_error)
        VALUES ('email', 'a', '{}', now(), 'said: "no"'), ('email', 'b', '{}', now(), NULL)""",
    """INSERT INTO treegarth.dose_report
        (orthanc_instance_id, orthanc_series_id, orthanc_study_id, sop_instance_uid, study_instance_uid,
         refused, last_error)
        VALUES ('1', '1', '1', '1', '1', 'said: "no"', NULL), ('2', '2', '2', '2', '2', NULL, 'said: "no"')""",
)


def test_what_was_noted_in_english_before_there_were_phrases_stays(
    empty_database_address: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = command.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", lambda configuration, revision: upgrade(configuration, "0011"))
        migrate(empty_database_address)
    for statement in _NOTED_IN_ENGLISH:
        execute(empty_database_address, statement)
    assert {"0012", "0013"} <= set(migrate(empty_database_address))
    engine = create_engine(empty_database_address)
    with connect(engine) as connection:
        for column in (notification.c.last_error, dose_report.c.refused, dose_report.c.last_error):
            assert set(connection.execute(select(column)).scalars()) == {'said: "no"', None}
            assert len(connection.execute(select(column).where(column.is_(None))).all()) == 1
    engine.dispose()


_DESTINATIONS_BEFORE = (
    """INSERT INTO treegarth.destination (id, name, kind, address, alternate, is_paused, removed_at) VALUES
        (1, 'a', 'folder', '{"path": "/a"}', 'new', true, NULL),
        (2, 'b', 'folder', '{"path": "/b"}', NULL, false, now()),
        (3, 'c', 'folder', '{"path": "/c"}', NULL, false, NULL)""",
    """INSERT INTO treegarth.destination_change (destination_id, change, document, changed_by, changed_at)
        SELECT destination, change, '{"name": "a", "kind": "folder", "address": {"path": "/a"}, "alternate": "old"}',
        changed_by, now() FROM (VALUES (1, 'created', 'kim'), (2, 'created', NULL), (1, 'paused', NULL),
        (1, 'resumed', 'lee'), (1, 'edited', NULL), (2, 'removed', NULL), (1, 'paused', 'lee'))
        AS noted (destination, change, changed_by)""",
)


def test_what_was_noted_of_destinations_becomes_their_versions(
    empty_database_address: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = command.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", lambda configuration, revision: upgrade(configuration, "0024"))
        migrate(empty_database_address)
    for statement in _DESTINATIONS_BEFORE:
        execute(empty_database_address, statement)
    assert "0025" in migrate(empty_database_address)
    engine = create_engine(empty_database_address)
    with connect(engine) as connection:
        assert [(one.is_on, one.version) for one in DESTINATIONS.all(connection, removed=True)] == [
            (False, 5),
            (False, 2),
            (True, 1),
        ]
        first = [(one.change, one.is_on, one.changed_by) for one in DESTINATIONS.history(connection, 1)]
        assert first == [
            ("switched off", False, "lee"),
            ("edited", True, None),
            ("switched on", True, "lee"),
            ("switched off", False, None),
            ("created", True, "kim"),
        ]
        assert [one.document["alternate"] for one in DESTINATIONS.history(connection, 1)[:2]] == ["new", "old"]
        assert [one.change for one in DESTINATIONS.history(connection, 2)] == ["removed", "created"]
        unnoted = DESTINATIONS.read(connection, 3)
        edited = {**unnoted.document, "max_attempts": 3}
        assert DESTINATIONS.edit(connection, 3, edited, Author(name=None, now=unnoted.changed_at), since=1).version == 2
    engine.dispose()


_PHANTOMS_BEFORE = """
INSERT INTO treegarth.not_patient_rule
(meaning, patient_id, equipment, note, created_by, created_at, removed_by, removed_at)
VALUES ('qa', 'P*', 'Ent', 'daily', 'kim', now(), NULL, NULL), ('phantom', 'P*', 'Ent', NULL, NULL, now(), NULL, NULL),
('service', 'S*', NULL, NULL, 'kim', now(), 'lee', now())
"""


def test_rules_for_phantoms_are_named_by_their_patterns_and_keep_who_made_and_removed_them(
    empty_database_address: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = command.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", lambda configuration, revision: upgrade(configuration, "0026"))
        migrate(empty_database_address)
    execute(empty_database_address, _PHANTOMS_BEFORE)
    assert "0027" in migrate(empty_database_address)
    engine = create_engine(empty_database_address)
    with connect(engine) as connection:
        names = [(one.name, one.is_on) for one in NOT_PATIENTS.all(connection, removed=True)]
        assert names == [("P*, Ent", True), ("P*, Ent (2)", True), ("S*", False)]
        document = {"name": "P*, Ent", "meaning": "qa", "patient_id": "P*", "equipment": "Ent", "note": "daily"}
        assert NOT_PATIENTS.read(connection, 1).document == document
        gone = [(one.change, one.changed_by, one.is_on) for one in NOT_PATIENTS.history(connection, 3)]
        assert gone == [("removed", "lee", False), ("created", "kim", True)]
    engine.dispose()


_INDEXED_BEFORE = (
    "INSERT INTO treegarth.patient (orthanc_patient_id) VALUES ('p')",
    "INSERT INTO treegarth.study (orthanc_study_id, orthanc_patient_id, study_instance_uid) VALUES ('t', 'p', '1')",
    "INSERT INTO treegarth.series (orthanc_series_id, orthanc_study_id, series_instance_uid) VALUES ('old', 't', '1')",
    """INSERT INTO treegarth.archive_state (name, value)
        VALUES ('comparison', '{"finished_at": "2026-11-20T12:00:00+00:00", "compared": 1}')""",
)


def test_series_that_were_indexed_before_are_stale_and_everything_is_compared(
    empty_database_address: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = command.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", lambda configuration, revision: upgrade(configuration, "0013"))
        migrate(empty_database_address)
    for statement in _INDEXED_BEFORE:
        execute(empty_database_address, statement)
    assert "0016" in migrate(empty_database_address)
    engine = create_engine(empty_database_address)
    with transaction(engine) as connection:
        connection.execute(
            insert(series).values(orthanc_series_id="new", orthanc_study_id="t", series_instance_uid="2")
        )
        rows = connection.execute(select(series.c.orthanc_series_id, series.c.is_stale))
        stale = {row.orthanc_series_id: row.is_stale for row in rows}
        compared = latest(connection, "archive.comparison")
    engine.dispose()
    assert stale == {"old": True, "new": False}
    assert compared is None  # the first look compares everything


_READ_BEFORE = (
    "INSERT INTO patient (orthanc_patient_id) VALUES ('p')",
    "INSERT INTO study (orthanc_study_id, orthanc_patient_id, study_instance_uid, patient_name, study_description)"
    " VALUES ('t', 'p', '1', 'MÜLLER^Jörg', 'Groß')",
    "INSERT INTO series (orthanc_series_id, orthanc_study_id, series_instance_uid, instance_count, header) VALUES"
    """ ('one', 't', '1', 1, '{"00080005": {"vr": "CS", "Value": ["ISO_IR 100"]}}'),"""
    """ ('two', 't', '2', 1, '{"00080005": {"vr": "CS", "Value": ["", "ISO 2022 IR 149"]}}'),"""
    """ ('none', 't', '3', 1, '{}'), ('unread', 't', '4', 1, NULL),"""
    """ ('pruned', 't', '5', 0, '{"00080005": {"vr": "CS", "Value": ["", "ISO 2022 IR 149"]}}')""",
)


def test_what_was_there_before_is_found_folded_and_text_with_code_extensions_is_read_anew(
    empty_database_address: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = command.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", lambda configuration, revision: upgrade(configuration, "0034"))
        migrate(empty_database_address)
    for statement in _READ_BEFORE:
        execute(empty_database_address, statement)
    assert "0035" in migrate(empty_database_address)
    engine = create_engine(empty_database_address)
    with connect(engine) as connection:
        searched = connection.execute(select(study.c.search_text)).scalar_one()
        stale = connection.execute(select(series.c.orthanc_series_id).where(series.c.is_stale)).scalars().all()
    engine.dispose()
    assert searched.split() == ["muller", "jorg", "gross", "mullerjorg"]
    assert stale == ["two"]


_LONG_WORK_BEFORE = (
    "INSERT INTO dose_redeciding (id, decider_version, started_by, started_at, study_count, deciding_s, walked_to,"
    " decided, changed, finished_at) VALUES (1, 1, NULL, '2026-01-01Z', 5, 2.5, 't', 5, 1, '2026-01-02Z'),"
    " (2, 2, 'someone without a login', '2026-02-01Z', 9, 1, 'm', 4, 2, NULL)",
    "INSERT INTO dose_redecided (redeciding_id, orthanc_study_id, study_instance_uid, quantity, before, after, why)"
    " VALUES (1, 's', '1', 'dlp_mgy_cm', 1, 2, 'single'), (2, 's', '1', 'dlp_mgy_cm', 2, 3, 'single')",
    "INSERT INTO dose_reread (reader_version, started_by, started_at, walked_to, walked, noted)"
    " VALUES (3, 'anna', '2026-03-01Z', 'i', 500, 40)",
    "INSERT INTO rule (id, name, version, trigger, is_on, position) VALUES (7, 'r', 1, 'by hand', true, 1)",
    "INSERT INTO rule_application (rule_id, version, started_by, started_at, walked_to, total, applied, failed,"
    " stopped_by, finished_at) VALUES (7, 1, 'ben', '2026-04-01Z', 's', 10, 4, 1, '', '2026-04-01T01:00Z'),"
    " (7, 1, NULL, '2026-05-01Z', 's', 10, 4, 0, NULL, NULL)",
    "INSERT INTO prune_ledger (id, orthanc_instance_id, orthanc_series_id, orthanc_study_id, study_instance_uid,"
    " series_instance_uid, sop_instance_uid, size_bytes, received_at, state) SELECT n, 'i' || n, 'e', 's', '1', '1.2',"
    " '1.3.' || n, 5, '2026-01-01Z', 'deleted' FROM generate_series(1, 3) n",
    "INSERT INTO bring_back (id, study_instance_uid, asked_by, asked_at, state, attempts, finished_at)"
    " VALUES (1, '1', 'anna', '2026-06-01Z', 'done', 1, '2026-06-02Z'), (2, '1', 'ben', '2026-06-03Z', 'waiting', 2,"
    " NULL), (3, '1', 'kim', '2026-06-04Z', 'waiting', 0, NULL)",
    "INSERT INTO bring_back_object (bring_back_id, ledger_id, arrived_at) VALUES (1, 1, '2026-06-02Z'),"
    " (2, 1, NULL), (2, 2, '2026-06-03Z'), (3, 2, NULL), (3, 3, NULL)",
    "INSERT INTO archive_state (name, value) VALUES ('comparison', jsonb_build_object('started_at',"
    " '2026-07-01T00:00:00+00:00', 'finished_at', '2026-07-01T00:10:00+00:00', 'orthanc_instances', 90, 'compared', 91,"
    " 'indexed', 3, 'removed', 2, 'reason', 'x'))",
)


def test_long_works_of_before_are_kept_and_those_that_ran_go_on(
    empty_database_address: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = command.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", lambda configuration, revision: upgrade(configuration, "0024"))
        migrate(empty_database_address)
    for statement in _LONG_WORK_BEFORE:
        execute(empty_database_address, statement.replace("INTO ", "INTO treegarth."))
    migrate(empty_database_address)
    engine = create_engine(empty_database_address)
    with transaction(engine) as connection:
        works = {one.id: one for one in (read(connection, number) for number in range(1, 9))}
        changed = connection.execute(select(dose_redecided.c.work_id, dose_redecided.c.after)).all()
        objects = connection.execute(select(bring_back_object).order_by("work_id", "ledger_id")).all()
    engine.dispose()
    assert [(one.kind, one.subject, one.state, one.done, one.total, one.counts) for one in works.values()] == [
        ("dose.redeciding", "", "done", 5, 5, {"changed": 1}),
        ("dose.redeciding", "", "running", 4, 9, {"changed": 2}),
        ("dose.reread", "", "running", 500, 500, {"noted": 40}),
        ("rules.apply", "7", "stopped", 4, 10, {"failed": 1}),
        ("rules.apply", "7", "running", 4, 10, {"failed": 0}),
        ("retention.bring_back", "s", "done", 1, 1, {}),
        ("retention.bring_back", "s", "running", 1, 3, {}),
        ("archive.comparison", "", "done", 91, 91, {"indexed": 3, "removed": 2}),
    ]
    assert [one.is_asked for one in works.values()] == [False, True, True, True, False, True, True, False]
    assert [one.asked_by for one in works.values()] == [None, None, "anna", "ben", None, "anna", "ben", None]
    assert [one.detail for one in works.values()] == [None, None, None, "r", "r", "1", "1", None]
    assert sorted(tuple(row) for row in changed) == [(1, 2.0), (2, 3.0)]
    assert [(row.work_id, row.ledger_id, row.arrived_at is not None) for row in objects] == [
        *((6, 1, True), (7, 1, False), (7, 2, True), (7, 3, False)),
    ]


def test_two_starters_at_once_migrate_once(empty_database_address: DatabaseAddress) -> None:
    code = (
        "import sys; from treegarth.database.engine import DatabaseAddress; "
        "from treegarth.database.migration import migrate; "
        "url, password = sys.stdin.read().split(); print(migrate(DatabaseAddress(url=url, password=password)))"
    )

    def start(_: int) -> str:
        given = f"{empty_database_address.url} {empty_database_address.password}"
        done = subprocess.run(
            [sys.executable, "-c", code], input=given, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.strip()

    with ThreadPoolExecutor(3) as pool:
        answers = sorted(pool.map(start, range(3)))
    assert answers == sorted([str(revisions()), "[]", "[]"])


def test_a_newer_database_is_refused_and_left_alone(engine: Engine, database_address: DatabaseAddress) -> None:
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseNewerThanCode, match="9999"):
        migrate(database_address)
    with pytest.raises(DatabaseNewerThanCode, match=revisions()[-1]):
        pending(database_address)


def test_there_is_no_way_down() -> None:
    for revision in ScriptDirectory(str(MIGRATIONS)).walk_revisions():
        assert not hasattr(revision.module, "downgrade"), revision.revision


def test_a_failing_migration_leaves_nothing_behind(empty_database_address: DatabaseAddress) -> None:
    execute(empty_database_address, f"CREATE SCHEMA {SCHEMA}")
    execute(empty_database_address, f"CREATE TYPE {SCHEMA}.procrastinate_job_status AS ENUM ('in the way')")
    with pytest.raises(Exception, match="procrastinate_job_status"):
        migrate(empty_database_address)
    with psycopg.connect(empty_database_address.conninfo()) as connection:
        assert connection.execute("SELECT to_regclass('study')").fetchone() == (None,)


class TestASitesOwnServer:
    def role(self, address: DatabaseAddress, name: str) -> DatabaseAddress:
        execute(address, f"CREATE ROLE {name} LOGIN PASSWORD 'of {name}'")
        url = make_url(address.url).set(username=name).render_as_string()
        return DatabaseAddress(url=url, password=f"of {name}")

    def test_a_role_that_may_only_create_in_its_database_is_enough(
        self, empty_database_address: DatabaseAddress
    ) -> None:
        plain = self.role(empty_database_address, "plain")
        database = make_url(empty_database_address.url).database
        execute(empty_database_address, f"GRANT CREATE ON DATABASE {database} TO plain")
        assert migrate(plain) == revisions()
        engine = create_engine(plain)
        with transaction(engine) as connection:
            connection.execute(text("INSERT INTO patient (orthanc_patient_id) VALUES ('a')"))
        engine.dispose()

    def test_a_role_without_that_right_learns_what_to_grant(self, empty_database_address: DatabaseAddress) -> None:
        with pytest.raises(DatabaseUnsuitable, match="GRANT CREATE ON DATABASE"):
            migrate(self.role(empty_database_address, "helpless"))

    def test_a_wrong_password_is_named(self, empty_database_address: DatabaseAddress) -> None:
        wrong = DatabaseAddress(url=empty_database_address.url, password="not this")
        with pytest.raises(DatabaseUnavailable, match="password authentication failed"):
            migrate(wrong)
