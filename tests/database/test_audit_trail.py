"""The audit trail in its database: append-only, in chains, cut by age, and never behind by more than a file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from tests.audit_events import KEY, NOON, keyed, verdicts, viewed
from tests.databases import execute
from treegarth.audit import store
from treegarth.audit.chain import SigningKey
from treegarth.audit.model import Event, What
from treegarth.audit.store import append, cut, resolve, take_identity_away
from treegarth.audit.tables import audit_anchor, audit_chain, audit_event
from treegarth.audit.writer import Trail
from treegarth.database.engine import DatabaseAddress
from treegarth.index.tables import departed_study, instance, patient, series, study


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


def written(connection: Connection, *events: Event, server: str = "a:8042", now: datetime = NOON) -> None:
    append(connection, server, keyed(*events), KEY, now)
    connection.commit()


def rows(connection: Connection) -> list[tuple[str, int, str]]:
    query = select(audit_event.c.server, audit_event.c.number, audit_event.c.path).order_by(audit_event.c.id)
    return [(server, number, path) for server, number, path in connection.execute(query)]


def test_events_are_written_once_and_verify(connection: Connection) -> None:
    events = keyed(*(viewed(n, query="text=김^철수", until=NOON, count=2) for n in range(5)))

    assert append(connection, "a", events[:3], KEY, NOON) == 3
    assert append(connection, "a", events, KEY, NOON) == 2
    assert append(connection, "a", events, KEY, NOON) == 0

    (verdict,) = verdicts(connection)
    assert verdict.is_whole
    assert (verdict.events, verdict.last, verdict.anchors) == (5, 5, 1)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor = 'ben'",
        "UPDATE audit_event SET path = ''",
        "UPDATE audit_event SET salt = NULL",
        "UPDATE audit_event SET path = NULL, query = NULL, detail = NULL, studies = NULL, patients = NULL, "
        "salt = NULL, actor = 'ben'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "SELECT audit_cut('a:8042', 1, TIMESTAMPTZ '2020-01-01')",
        "SELECT audit_cut('a:8042', 2, TIMESTAMPTZ '2036-01-01')",
    ],
)
def test_postgresql_refuses_to_change_what_is_written(connection: Connection, statement: str) -> None:
    written(connection, viewed(1), viewed(2), viewed(3))

    with pytest.raises(DBAPIError, match="audit trail"):
        connection.execute(text(statement))


def without_guard(connection: Connection) -> None:
    """As whoever owns the database can do."""
    connection.execute(text("ALTER TABLE audit_event DISABLE TRIGGER USER"))


def test_what_the_owner_of_the_database_does_is_found(connection: Connection) -> None:
    written(connection, *(viewed(n) for n in range(1, 6)))
    without_guard(connection)
    connection.commit()

    for change in (
        update(audit_event).where(audit_event.c.number == 3).values(actor="ben"),
        update(audit_event).where(audit_event.c.number == 3).values(at=NOON),
        update(audit_event).where(audit_event.c.number == 3).values(patients=["P9"]),
        delete(audit_event).where(audit_event.c.number == 3),
        delete(audit_event).where(audit_event.c.number == 5),
        delete(audit_event).where(audit_event.c.number == 1),
        update(audit_chain).values(number=4),
        update(audit_chain).values(cut_number=1),
    ):
        connection.execute(change)
        assert not verdicts(connection)[0].is_whole, change
        connection.rollback()
        assert verdicts(connection)[0].is_whole


def test_a_tail_that_was_taken_off_with_its_end_is_told_by_the_trail_itself(connection: Connection) -> None:
    written(connection, viewed(1), viewed(2), viewed(3))
    kept = connection.execute(select(audit_event.c.hash).where(audit_event.c.number == 2)).scalar_one()
    without_guard(connection)
    connection.execute(delete(audit_event).where(audit_event.c.number == 3))
    connection.execute(update(audit_chain).values(number=2, hash=kept))
    connection.execute(delete(audit_anchor))
    connection.commit()

    written(connection, viewed(4))

    whats = connection.execute(select(audit_event.c.what).order_by(audit_event.c.number)).scalars().all()
    assert whats == ["view", "view", "broken", "view"]


def test_each_server_has_a_chain_of_its_own_and_none_waits_for_another(engine: Engine) -> None:
    with engine.begin() as one, engine.begin() as other:
        append(one, "a", keyed(viewed(1)), KEY, NOON)
        append(other, "b", [("other", viewed(2))], KEY, NOON)  # while the first has not committed

    with engine.connect() as connection:
        assert [(one.server, one.events, one.is_whole) for one in verdicts(connection)] == [
            ("a", 1, True),
            ("b", 1, True),
        ]


def test_writers_of_one_chain_and_of_another_keep_their_order(engine: Engine) -> None:
    def write(server: str, name: str) -> None:
        for number in range(20):
            with engine.begin() as connection:
                append(connection, server, [(f"{name}{number}", viewed(number))], KEY, NOON)

    threads = [Thread(target=write, args=given) for given in (("a", "x"), ("a", "y"), ("b", "z"))]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)

    with engine.connect() as connection:
        assert [(one.server, one.events, one.is_whole) for one in verdicts(connection)] == [
            ("a", 40, True),
            ("b", 20, True),
        ]


def test_events_that_are_too_old_go_up_to_an_anchor_and_the_rest_verifies(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ANCHOR_EVERY", 10)
    for day in range(40):
        now = NOON + timedelta(days=day)
        written(connection, viewed(day, at=now), viewed(day, at=now + timedelta(seconds=1)), now=now)

    gone = cut(connection, "a:8042", NOON + timedelta(days=30), KEY)
    connection.commit()

    assert gone == 60
    (verdict,) = verdicts(connection)
    assert verdict.is_whole
    assert (verdict.first, verdict.events) == (61, 20)
    assert cut(connection, "a:8042", NOON + timedelta(days=30), KEY) == 0
    written(connection, viewed(99))
    assert verdicts(connection)[0].is_whole

    without_guard(connection)
    connection.execute(delete(audit_event).where(audit_event.c.number <= 65))
    connection.execute(update(audit_chain).values(cut_number=65))
    assert not verdicts(connection)[0].is_whole


def test_an_identity_is_taken_away_and_the_chain_fits(connection: Connection) -> None:
    written(connection, viewed(1), viewed(2), viewed(3, patients=(), query="patient_id=P1"))

    assert take_identity_away(connection, "P1") == 2
    assert take_identity_away(connection, "P1") == 0
    connection.commit()

    (verdict,) = verdicts(connection)
    assert verdict.is_whole
    assert verdict.erased == 2
    left = connection.execute(select(audit_event.c.actor, audit_event.c.patients).order_by(audit_event.c.id)).all()
    assert [tuple(one) for one in left] == [("anna", None), ("anna", ["P2"]), ("anna", None)]


def archive(connection: Connection) -> None:
    connection.execute(insert(patient).values(orthanc_patient_id="p", patient_id="P1"))
    connection.execute(
        insert(study).values(orthanc_study_id="t", orthanc_patient_id="p", study_instance_uid="1.2.1", patient_id="P1")
    )
    connection.execute(insert(series).values(orthanc_series_id="s", orthanc_study_id="t", series_instance_uid="1.3"))
    connection.execute(
        insert(instance).values(
            orthanc_instance_id="i", orthanc_series_id="s", sop_instance_uid="1.4", size_bytes=1, received_at=NOON
        )
    )
    connection.execute(
        insert(departed_study).values(orthanc_study_id="gone", study_instance_uid="1.2.2", patient_id="P2")
    )


@pytest.mark.parametrize(
    ("given", "studies", "patients"),
    [
        ({"resources": ("patients/p",)}, (), ("P1",)),
        ({"resources": ("studies/t",)}, ("1.2.1",), ("P1",)),
        ({"resources": ("series/s",)}, ("1.2.1",), ("P1",)),
        ({"resources": ("instances/i", "instances/none")}, ("1.2.1",), ("P1",)),
        ({"resources": ("studies/gone",)}, ("1.2.2",), ("P2",)),
        ({"studies": ("1.2.1", "1.2.2", "9.9")}, ("1.2.1", "1.2.2", "9.9"), ("P1", "P2")),
    ],
)
def test_whose_it_is_is_found_by_the_index(
    connection: Connection, given: dict[str, object], studies: tuple[str, ...], patients: tuple[str, ...]
) -> None:
    archive(connection)
    event = replace(viewed(1, studies=(), patients=()), **given)  # type: ignore[arg-type]

    (found,) = resolve(connection, [event])

    assert (found.studies, found.patients) == (studies, patients)


# ---- the writer ----


class Site:
    """A trail, whose database can be away."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine: Engine | None = engine
        self.now = NOON
        self.file = folder / "waiting.jsonl"
        self.trail = self.started()

    def started(self) -> Trail:
        return Trail(lambda: self.engine, "a:8042", self.file, lambda: KEY, lambda: self.now)


@pytest.fixture
def site(engine: Engine, tmp_path: Path) -> Site:
    return Site(engine, tmp_path)


def test_what_is_put_is_written(site: Site, connection: Connection) -> None:
    for number in range(3):
        site.trail.put(viewed(number))
    site.trail.step()

    assert [path for _, _, path in rows(connection)] == [f"/treegarth/studies/1.2.{n}" for n in range(3)]
    assert site.trail.figures().written == 3
    assert not site.file.exists()


def test_while_the_database_is_away_events_wait_in_a_file_and_follow_in_their_order(
    site: Site, connection: Connection
) -> None:
    engine, site.engine = site.engine, None
    for number in range(1200):
        site.trail.put(viewed(number))
    for _ in range(4):
        site.trail.step()
    assert site.trail.figures().in_file == 1200
    site.engine = engine
    site.trail.put(viewed(1200))
    site.trail.step(ends=True)

    assert [path for _, _, path in rows(connection)] == [f"/treegarth/studies/1.2.{n}" for n in range(1201)]
    assert site.trail.figures().in_file == 0
    assert not site.file.exists()
    assert verdicts(connection)[0].is_whole


def test_another_start_takes_up_what_waited_before_what_comes(site: Site, connection: Connection) -> None:
    engine, site.engine = site.engine, None
    site.trail.put(viewed(1))
    site.trail.step()
    site.engine = engine
    trail = site.started()
    trail.put(viewed(2))
    trail.step()

    assert [number for _, number, _ in rows(connection)] == [1, 2]
    assert [path[-1] for _, _, path in rows(connection)] == ["1", "2"]


def test_what_was_written_before_a_crash_could_say_so_is_not_written_twice(site: Site, connection: Connection) -> None:
    engine, site.engine = site.engine, None
    for number in range(3):
        site.trail.put(viewed(number))
    site.trail.step()
    kept = site.file.read_bytes()
    site.engine = engine
    site.started().step()
    site.file.write_bytes(kept)  # a kill between the commit and the end of the file
    site.started().step()

    assert [number for _, number, _ in rows(connection)] == [1, 2, 3]
    assert verdicts(connection)[0].is_whole


KILLED = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from tests.audit_events import KEY, viewed
from treegarth.audit.writer import Trail
trail = Trail(lambda: None, "a:8042", Path(sys.argv[1]), lambda: KEY, lambda: datetime.now(UTC))
for number in range(7):
    trail.put(viewed(number))
trail.step()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_waits_in_the_file_survives_a_kill(site: Site, connection: Connection) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(site.file)], check=False, timeout=120)
    assert ended.returncode == -9

    site.trail.put(viewed(7))
    site.trail.step()

    assert [path[-1] for _, _, path in rows(connection)] == list("01234567")


def test_a_server_that_goes_and_comes_back_loses_nothing(
    site: Site, connection: Connection, database_address: DatabaseAddress
) -> None:
    site.trail.put(viewed(1))
    site.trail.step()
    connection.rollback()
    execute(database_address, "ALTER TABLE treegarth.audit_event RENAME TO away")
    site.trail.put(viewed(2))
    site.trail.step()
    assert site.trail.figures().in_file == 1
    assert site.trail.figures().wrong == "ProgrammingError"
    execute(database_address, "ALTER TABLE treegarth.away RENAME TO audit_event")
    site.trail.step(ends=True)

    assert [path[-1] for _, _, path in rows(connection)] == ["1", "2"]


def test_what_neither_database_nor_file_takes_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "no folder").write_text("", encoding="utf-8")
    trail = Trail(lambda: None, "a", tmp_path / "no folder" / "x.jsonl", lambda: KEY, lambda: NOON, most_waiting=10)
    for number in range(14):
        trail.put(viewed(number))
    trail.step()
    trail.step()
    for number in range(6):
        trail.put(viewed(number))
    trail.step()

    figures = trail.figures()
    assert (figures.lost, figures.waiting) == (10, 10)
    assert "were let go" in caplog.text
    assert "1.2." not in caplog.text


def test_objects_of_a_study_that_come_are_one_row_when_the_index_knows_them(site: Site, connection: Connection) -> None:
    for _ in range(5):
        site.trail.put(
            viewed(1, what=What.STORE, studies=(), patients=(), path="", resources=("instances/i",), may_join=True)
        )
    site.trail.step()
    assert rows(connection) == []
    archive(connection)
    connection.commit()
    site.now += timedelta(seconds=12)
    site.trail.step()
    site.trail.step(ends=True)

    found = connection.execute(select(audit_event.c.count, audit_event.c.studies, audit_event.c.patients)).all()
    assert [tuple(one) for one in found] == [(1, ["1.2.1"], ["P1"]), (4, ["1.2.1"], ["P1"])]


def test_an_event_that_postgresql_refuses_keeps_no_other_from_its_place(site: Site, connection: Connection) -> None:
    site.trail.put(viewed(1))
    site.trail.put(viewed(2, status=2**40))
    site.trail.put(viewed(3))
    site.trail.step()

    assert [path for _, _, path in rows(connection)] == [viewed(1).path, "", viewed(3).path]


def test_another_key_goes_on_with_the_chain(connection: Connection) -> None:
    other = SigningKey(secret=b"another key, which is long enough too")
    written(connection, viewed(1))
    append(connection, "a:8042", [("new", viewed(2))], other, NOON)
    connection.commit()

    assert verdicts(connection, other)[0].is_whole
    assert verdicts(connection)[0].unsigned == 1
