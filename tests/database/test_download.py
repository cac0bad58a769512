"""Studies as one ZIP file: Orthanc's job is asked for, followed, and asked for anew where it was lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.works import runner
from treegarth.database.engine import connect, transaction
from treegarth.errors import NotFound
from treegarth.features.archive.download import DOWNLOADING, Downloader, start_download
from treegarth.work.kinds import Outside
from treegarth.work.store import LongWork, recent

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
STUDIES = ["s1", "s2", "s3", "s4"]


@dataclass
class Orthanc:
    """With these studies, and jobs in these states."""

    studies: set[str] = field(default_factory=lambda: set(STUDIES))
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)

    def exists(self, path: str) -> bool:
        return path.rpartition("/")[2] in self.studies

    def get(self, path: str) -> Any:
        job = self.jobs.get(path.rpartition("/")[2])
        if job is None:
            raise NotFound
        return job

    def post(self, path: str, body: Any) -> Any:
        self.asked.append((path, body))
        identifier = f"job{len(self.asked)}"
        self.jobs[identifier] = {"State": "Running", "Progress": 0}
        return {"ID": identifier}


@pytest.fixture
def orthanc(engine: Engine) -> Orthanc:
    with transaction(engine) as connection:
        start_download(connection, STUDIES, by="anna", now=NOON)
    return Orthanc()


def look(engine: Engine, orthanc: Orthanc, seconds: int) -> LongWork:
    """One block, so many seconds after noon."""
    now = NOON + timedelta(seconds=seconds)
    downloader = Downloader(orthanc=orthanc, clock=lambda: now)
    runner(engine, lambda: now, [DOWNLOADING], {DOWNLOADING.name: Outside(act=downloader.work)}).block()
    with connect(engine) as connection:
        (work,) = recent(connection, DOWNLOADING.name, limit=2)
    return work


def test_the_job_is_asked_for_once_and_followed(engine: Engine, orthanc: Orthanc) -> None:
    look(engine, orthanc, 0)
    assert orthanc.asked == [("/tools/create-archive", {"Resources": STUDIES, "Asynchronous": True})]
    orthanc.jobs["job1"]["Progress"] = 50
    assert look(engine, orthanc, 2).done == 2
    orthanc.jobs["job1"] |= {"State": "Success", "Progress": 100}
    work = look(engine, orthanc, 4)
    assert (work.state, work.done, work.result_name) == ("done", 4, "archive.zip")
    assert len(orthanc.asked) == 1


def test_a_job_that_was_lost_is_asked_for_anew_of_what_is_still_here(engine: Engine, orthanc: Orthanc) -> None:
    look(engine, orthanc, 0)
    orthanc.jobs["job1"]["Progress"] = 75
    look(engine, orthanc, 2)
    orthanc.jobs.clear()  # Orthanc was started again
    orthanc.studies = {"s1", "s3"}
    look(engine, orthanc, 4)
    work = look(engine, orthanc, 6)
    assert [body["Resources"] for _, body in orthanc.asked] == [STUDIES, ["s1", "s3"]]
    assert (work.state, work.done, work.total) == ("running", 0, 2)


def test_what_orthanc_cannot_make_is_said(engine: Engine, orthanc: Orthanc) -> None:
    look(engine, orthanc, 0)
    orthanc.jobs["job1"] |= {"State": "Failure", "ErrorDescription": "no space"}
    work = look(engine, orthanc, 2)
    assert (work.state, work.last_error) == ("failed", "Orthanc could not make the file: no space")


def test_of_studies_that_are_gone_no_file_is_made(engine: Engine, orthanc: Orthanc) -> None:
    orthanc.studies.clear()
    work = look(engine, orthanc, 0)
    assert (work.state, orthanc.asked) == ("failed", [])
