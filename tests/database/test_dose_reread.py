"""Re-reading the archive: every source once more, whatever interrupts it, and twice the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.engine import Engine

from tests.dose_builder import as_file, ct_acquisition, ct_dose_report
from tests.dose_registry_support import Archive, Instance, index
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.reading.model import READER_VERSION
from treegarth.features.dose.registry import service
from treegarth.features.dose.registry.service import follow_deleted, follow_indexed, read_waiting, reread, resume_reread
from treegarth.features.dose.registry.store import reread_walk
from treegarth.features.dose.registry.store.reread_walk import reread_progress, start_reread
from treegarth.features.dose.registry.tables import dose_report, dose_reread, dose_study, irradiation_event

SOURCES = 5000 if os.environ.get("TREEGARTH_SOAK") else 200
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


def clock() -> datetime:
    return NOW


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


@contextmanager
def small_batches(count: int) -> Iterator[None]:
    walk_on = reread_walk.walk_on
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reread_walk, "walk_on", lambda *given: walk_on(*given, count=count))
        yield


@cache
def report(part: int) -> bytes:
    """The file of a study's report, with a placeholder where its UIDs begin: to build each anew takes minutes."""
    events = [ct_acquisition(f"{PLACEHOLDER}.7.{one}", dlp_mgy_cm="100") for one in range(part + 1)]
    uids = {"study_instance_uid": PLACEHOLDER, "sop_instance_uid": f"{PLACEHOLDER}.1.{part}"}
    return as_file(ct_dose_report(*events, dlp_total=str(100 * (part + 1)), **uids))


@pytest.fixture
def archive(engine: Engine) -> dict[str, bytes]:
    """An index with sources that an older reader has read, and their files."""
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

    def dying(connection: Any, *given: Any) -> bool:
        if connection.execute(select(dose_reread.c.walked)).scalar_one() >= SOURCES // 2:
            raise Killed
        return walk_on(connection, *given, count=SOURCES // 10)

    walk_on = reread_walk.walk_on
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reread_walk, "walk_on", dying)
        with pytest.raises(Killed):
            reread(engine, started_by="a person", clock=clock)
    with connect(engine) as connection:
        progress = reread_progress(connection)
        assert progress is not None
        assert (progress.is_running, progress.is_walked, progress.walked) == (True, False, SOURCES // 2)
    with pytest.raises(Killed):
        read_all(engine, Dying(SOURCES // 4, archive))
    with small_batches(SOURCES // 10):
        resume_reread(engine, clock)
    with connect(engine) as connection:
        progress = reread_progress(connection)
        assert progress is not None
        assert (progress.is_running, progress.is_walked, progress.noted) == (True, True, SOURCES)
        assert 0 < progress.waiting < SOURCES
    read_all(engine, Archive(**archive))
    read_all(engine, Archive(**archive), NOW + service.LEASE)
    resume_reread(engine, clock)
    with connect(engine) as connection:
        progress = reread_progress(connection)
        assert progress is not None
        assert (progress.is_running, progress.waiting, progress.of_other_versions) == (False, 0, 0)
    assert registry(engine) == wanted


def test_re_reading_twice_gives_the_same(engine: Engine, archive: dict[str, bytes]) -> None:
    wanted = registry(engine)
    for number in (1, 2):
        reread(engine, started_by=None, clock=clock)
        read_all(engine, Archive(**archive))
        resume_reread(engine, clock)
        assert registry(engine) == wanted
        with connect(engine) as connection:
            assert connection.execute(select(func.count()).select_from(dose_reread)).scalar_one() == number


def test_a_second_button_joins_the_re_reading_that_runs(engine: Engine) -> None:
    with transaction(engine) as connection:
        first = start_reread(connection, "one", NOW)
        assert start_reread(connection, "another", NOW) == first


def test_what_left_the_archive_keeps_its_dose_and_its_version(engine: Engine, archive: dict[str, bytes]) -> None:
    make_old(engine)
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM instance WHERE orthanc_instance_id = 's00000'"))
        follow_deleted(connection, ["s00000"], NOW)
    reread(engine, started_by=None, clock=clock)
    read_all(engine, Archive(**archive))
    resume_reread(engine, clock)
    with connect(engine) as connection:
        progress = reread_progress(connection)
        assert progress is not None
        assert (progress.is_running, progress.of_other_versions) == (False, 1)
