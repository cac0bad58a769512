"""Re-reading the archive: every source once more, whatever interrupts it, and twice the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.engine import Engine, make_url

from tests.databases import made_database
from tests.dose_builder import as_file, ct_acquisition, ct_dose_report
from tests.dose_registry_support import Archive, Instance, index
from tests.works import dose_runner, latest_of
from treegarth.database.engine import DatabaseAddress, connect, create_engine, transaction
from treegarth.features.dose.reading.model import READER_VERSION
from treegarth.features.dose.registry import service
from treegarth.features.dose.registry.service import follow_deleted, follow_indexed, read_waiting
from treegarth.features.dose.registry.store import reread_walk
from treegarth.features.dose.registry.store.reread_walk import start_reread
from treegarth.features.dose.registry.tables import dose_report, dose_study, irradiation_event
from treegarth.features.dose.registry.works import REREADING
from treegarth.work.kinds import Block
from treegarth.work.store import ClaimedWork

SOURCES = 5000 if os.environ.get("TREEGARTH_SOAK") else 120
PER_STUDY = 4
PLACEHOLDER = "1.2.99999"
NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC) + timedelta(days=36_500)


class Killed(BaseException):
    """The process ends here."""


class Dying(Archive):
    """An archive whose reader dies at the given object."""

    def __init__(self, at: int, files: dict[str, bytes]) -> None:
        super().__init__(**files)
        self.at = at

    def get_bytes(self, path: str, *, timeout_s: float | None = None) -> bytes:
        if len(self.asked) == self.at:
            raise Killed
        return super().get_bytes(path, timeout_s=timeout_s)


def read_all(engine: Engine, archive: Archive, at: datetime = NOW) -> None:
    while read_waiting(engine, archive, limit=500, clock=lambda: at):
        pass


def registry(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every row, without what says when it was made."""
    unlike = {"changed_at", "read_at", "next_attempt_at", "stored_count", "discovered_at", "attempts"}
    rows = {}
    with connect(engine) as connection:
        for table in (dose_report, irradiation_event, dose_study):
            found = connection.execute(select(table).order_by(*table.primary_key.columns))
            rows[table.name] = [{k: v for k, v in row._mapping.items() if k not in unlike} for row in found]
    return rows


def reread(engine: Engine, at: datetime = NOW) -> None:
    """Start one, or go on with the one that runs, until it is done or waits for those who read."""
    with transaction(engine) as connection:
        start_reread(connection, "a person", at)
    dose_runner(engine, lambda: at).work()


@cache
def report(part: int) -> bytes:
    """The file of a study's report, with a placeholder where its UIDs begin: to build each anew takes minutes."""
    events = [ct_acquisition(f"{PLACEHOLDER}.7.{one}", dlp_mgy_cm="100") for one in range(part + 1)]
    uids = {"study_instance_uid": PLACEHOLDER, "sop_instance_uid": f"{PLACEHOLDER}.1.{part}"}
    return as_file(ct_dose_report(*events, dlp_total=str(100 * (part + 1)), **uids))


@pytest.fixture(scope="module")
def read_archive(server_address: DatabaseAddress, migrated_template: str) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The name of a database with an index of sources that were read, to make others from, and their files."""
    for database in made_database(server_address, migrated_template):
        engine = create_engine(database, application_name="test")
        files = fill(engine)
        engine.dispose()
        yield str(make_url(database.url).database), files


@pytest.fixture
def engine(server_address: DatabaseAddress, read_archive: tuple[str, dict[str, bytes]]) -> Iterator[Engine]:
    for database in made_database(server_address, read_archive[0]):
        engine = create_engine(database, application_name="test")
        yield engine
        engine.dispose()


@pytest.fixture
def archive(read_archive: tuple[str, dict[str, bytes]]) -> dict[str, bytes]:
    """The files of the sources."""
    return read_archive[1]


def fill(engine: Engine) -> dict[str, bytes]:
    files, instances = {}, []
    for number in range(SOURCES):
        study, part = divmod(number, PER_STUDY)
        uid, name = f"{PLACEHOLDER[:-5]}{10_000 + study}", f"s{number:05}"
        files[name] = report(part).replace(PLACEHOLDER.encode(), uid.encode())
        instances.append(Instance(name, f"{uid}.1.{part}", study_instance_uid=uid))
    index(engine, *instances, modality="SR")
    with transaction(engine) as connection:
        follow_indexed(connection, instances)
    read_all(engine, Archive(**files))
    return files


def make_old(engine: Engine) -> None:
    """As an older reader would have left it: another version, and events that were read otherwise."""
    with transaction(engine) as connection:
        connection.execute(update(dose_report).values(reader_version=READER_VERSION - 1, dlp_total_mgy_cm=1.0))
        connection.execute(text("DELETE FROM irradiation_event WHERE position > 1"))


@pytest.mark.timeout(3600)
def test_a_re_reading_that_is_killed_goes_on_and_ends_with_the_same_rows(
    engine: Engine, archive: dict[str, bytes]
) -> None:
    wanted = registry(engine)
    make_old(engine)

    walk_on = reread_walk.walk_on

    def dying(connection: Any, work: ClaimedWork, *given: Any) -> Block:
        if work.done >= SOURCES // 2:
            walk_on(connection, work, *given, count=SOURCES // 10)  # what it noted is not committed
            raise Killed
        return walk_on(connection, work, *given, count=SOURCES // 10)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reread_walk, "walk_on", dying)
        with pytest.raises(Killed):
            reread(engine)
    progress = latest_of(engine, REREADING)
    assert (progress.is_running, progress.done) == (True, SOURCES // 2)
    with pytest.raises(Killed):
        read_all(engine, Dying(SOURCES // 4, archive))
    reread(engine)
    progress = latest_of(engine, REREADING)
    assert (progress.is_running, progress.done, progress.counts) == (True, SOURCES, {"noted": SOURCES})
    assert str(progress.waits_for).startswith("all are noted; sources that wait to be read: ")
    read_all(engine, Archive(**archive))
    read_all(engine, Archive(**archive), NOW + service.LEASE)
    reread(engine, NOW + service.LEASE)
    progress = latest_of(engine, REREADING)
    assert (progress.id, progress.state, progress.waits_for) == (1, "done", None)
    assert registry(engine) == wanted


def test_re_reading_twice_gives_the_same(engine: Engine, archive: dict[str, bytes]) -> None:
    wanted = registry(engine)
    for number in (1, 2):
        reread(engine, NOW + timedelta(hours=number))
        read_all(engine, Archive(**archive), NOW + timedelta(hours=number))
        dose_runner(engine, lambda hours=number: NOW + timedelta(hours=hours, minutes=1)).work()
        assert registry(engine) == wanted
        assert (latest_of(engine, REREADING).id, latest_of(engine, REREADING).state) == (number, "done")


def test_a_second_button_joins_the_re_reading_that_runs(engine: Engine) -> None:
    with transaction(engine) as connection:
        first = start_reread(connection, "one", NOW)
        assert start_reread(connection, "another", NOW) == first


def test_what_left_the_archive_keeps_its_dose_and_its_version(engine: Engine, archive: dict[str, bytes]) -> None:
    make_old(engine)
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM instance WHERE orthanc_instance_id = 's00000'"))
        follow_deleted(connection, ["s00000"], NOW)
    reread(engine)
    read_all(engine, Archive(**archive))
    reread(engine, NOW + timedelta(minutes=1))
    assert latest_of(engine, REREADING).state == "done"
    with connect(engine) as connection:
        old = select(dose_report.c.orthanc_instance_id).where(dose_report.c.reader_version != READER_VERSION)
        assert list(connection.execute(old).scalars()) == ["s00000"]
