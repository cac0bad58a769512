"""Many studies as one ZIP file: Orthanc makes it in a job of its own, which a long work asks for and follows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection

from treegarth.errors import NotFound
from treegarth.phrases import N_, NN_, P_
from treegarth.work.kinds import Block, Report, WorkKind
from treegarth.work.store import ClaimedWork, LongWork, start

NAME = "archive.zip"  # as Orthanc calls it in its answer
LOOKS_AGAIN = timedelta(seconds=1)
KEPT_FOR = timedelta(days=1)
"""At most: Orthanc keeps as many as its setting MediaArchiveSize says, and none when it is started again."""


class Archive(Protocol):
    """Orthanc, as far as it is needed here."""

    def exists(self, path: str) -> bool: ...
    def get(self, path: str) -> Any: ...
    def post(self, path: str, body: Any) -> Any: ...


def start_download(connection: Connection, studies: Sequence[str], *, by: str | None, now: datetime) -> LongWork:
    """Of studies by Orthanc's identifiers; one of the same studies that runs goes on."""
    subject = hashlib.sha256(" ".join(sorted(studies)).encode()).hexdigest()[:16]
    given = {"studies": sorted(studies)}
    return start(connection, DOWNLOADING.name, subject=subject, given=given, by=by, now=now, total=len(studies))


@dataclass(frozen=True, kw_only=True)
class Downloader:
    """Has Orthanc make the file. A job that is lost, for Orthanc was started again, is asked for once more."""

    orthanc: Archive
    clock: Callable[[], datetime]

    def work(self, work: ClaimedWork, report: Report) -> Block:
        """One look at the job; what it has done is told in studies."""
        if work.place is None:
            return self._begin(work)
        try:
            job = self.orthanc.get(f"/jobs/{work.place}")
        except NotFound:
            return Block(waits=LOOKS_AGAIN)
        total = work.total or 0
        if job["State"] == "Failure":
            return Block(
                ends="failed", error=P_("Orthanc could not make the file: %(why)s", why=job["ErrorDescription"])
            )
        if job["State"] == "Success":
            result = (NAME, self.clock() + KEPT_FOR)
            return Block(done=total - work.done, place=work.place, ends="done", result=result)
        done = max(total * int(job.get("Progress", 0)) // 100 - work.done, 0)
        return Block(done=done, place=work.place, waits=LOOKS_AGAIN)

    def _begin(self, work: ClaimedWork) -> Block:
        here = [one for one in work.given["studies"] if self.orthanc.exists(f"/studies/{one}")]
        if not here:
            return Block(ends="failed", error=P_("None of the studies is in the archive any more."))
        job = self.orthanc.post("/tools/create-archive", {"Resources": here, "Asynchronous": True})
        return Block(done=-work.done, place=job["ID"], total=len(here), waits=LOOKS_AGAIN)


DOWNLOADING = WorkKind(
    name="archive.download",
    title=N_("Studies as one ZIP file"),
    explained=N_("Orthanc makes the file. It is here for a day, or until Orthanc makes room for another one."),
    unit=NN_("%(num)s study", "%(num)s studies"),
    waits_for_others=True,
    result=lambda work: f"/jobs/{work.place}/archive",
)
