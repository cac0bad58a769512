"""A large workbook: a long work, whose file is kept for a week. A worker loads nothing of it before that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from treegarth.access.actors import Permission
from treegarth.database.engine import connect, transaction
from treegarth.phrases import N_, NN_
from treegarth.work.kinds import Block, Outside, Report, WorkKind
from treegarth.work.store import PART_BYTES, ClaimedWork, LongWork, keep_file, start

MAKING = WorkKind(
    name="dose.workbook",
    title=N_("Dose analysis as a workbook"),
    explained=N_("The file stands here for a week when it is done. It is begun anew after a restart."),
    unit=NN_("%(num)s row", "%(num)s rows"),
    permission=Permission.SEE_DOSE,
)
KEPT_FOR = timedelta(days=7)
LEASE = timedelta(minutes=10)
"""Of a busy machine: to sort a million events, and to put sheets of them together at the end."""


def start_workbook(
    connection: Connection,
    asked: Mapping[str, str],
    site_name: str,
    *,
    total: int,
    by: str | None,
    now: datetime,
) -> LongWork:
    """Of what is asked for, as an address has it; that which is being made already for the same person."""
    given = {"asked": dict(asked), "site_name": site_name}
    named = json.dumps([given["asked"], by], sort_keys=True)
    subject = hashlib.sha256(named.encode()).hexdigest()[:16]
    detail = ", ".join(f"{name}={value}" for name, value in asked.items()) or None
    return start(connection, MAKING.name, subject=subject, given=given, detail=detail, by=by, now=now, total=total)


def carry(engine: Engine, zone: ZoneInfo, clock: Callable[[], datetime]) -> Outside:
    """What makes the file: of the doses as they are then."""
    return Outside(act=lambda work, report: _write(work, report, engine, zone, clock), lease=LEASE)


def _write(work: ClaimedWork, report: Report, engine: Engine, zone: ZoneInfo, clock: Callable[[], datetime]) -> Block:
    """From the first row on: the file that another attempt began is gone with its worker."""
    from treegarth.features.dose.analysis.workbook.asked import WorkbookAsked
    from treegarth.features.dose.analysis.workbook.writing import file_name, rows_of, told_of, write_workbook
    from treegarth.web.validation import validated

    asked, now = validated(WorkbookAsked, work.given["asked"]), clock().astimezone(zone)
    wanted = asked.wanted
    with TemporaryFile() as file:
        with connect(engine) as connection:
            total = rows_of(connection, wanted)
            report(-work.done, total)
            told = told_of(asked, work.given["site_name"], now)
            write_workbook(connection, wanted, told, file, lambda written: report(written - work.done, None))
        file.seek(0)
        with transaction(engine) as connection:
            parts = iter(lambda: file.read(PART_BYTES), b"")
            keep_file(connection, work.id, parts, name=file_name(now), until=work.asked_at + KEPT_FOR)
    return Block(done=total - work.done, ends="done")
