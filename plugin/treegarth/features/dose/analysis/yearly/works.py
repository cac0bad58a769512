"""The yearly report as a PDF: a long work, whose file is kept for a week. A worker loads no template before that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from treegarth.access.actors import Permission
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.analysis.store.yearly import yearly_report
from treegarth.phrases import N_, NN_, P_
from treegarth.work.kinds import Block, Outside, WorkKind
from treegarth.work.store import PART_BYTES, ClaimedWork, LongWork, keep_file, latest, start

REPORTING = WorkKind(
    name="dose.report",
    title=N_("Yearly dose report as PDF"),
    explained=N_("The file stands here for a week when it is done. It is begun anew after a restart."),
    unit=NN_("%(num)s report", "%(num)s reports"),
    permission=Permission.SEE_DOSE,
)
KEPT_FOR = timedelta(days=7)
LEASE = timedelta(minutes=5)
"""Of a busy machine: a report of a hundred pages."""


def start_report(
    connection: Connection, year: int, language: str, site_name: str, *, by: str | None, now: datetime
) -> LongWork:
    """Of a year in a language; that which is being made already, where one is."""
    given = {"year": year, "language": language, "site_name": site_name}
    detail = P_("%(year)s, %(language)s", year=year, language=language)
    subject = _subject(year, language)
    return start(connection, REPORTING.name, subject=subject, given=given, detail=detail, by=by, now=now, total=1)


def latest_report(connection: Connection, year: int, language: str) -> LongWork | None:
    """The one that is being made, or was made last."""
    return latest(connection, REPORTING.name, _subject(year, language))


def _subject(year: int, language: str) -> str:
    return f"{year} {language}"


def carry(engine: Engine, zone: ZoneInfo, clock: Callable[[], datetime], web_directory: Path) -> Outside:
    """What makes the file: of the figures as they are then."""
    return Outside(act=lambda work, report: _write(work, engine, zone, clock, web_directory), lease=LEASE)


def _write(
    work: ClaimedWork, engine: Engine, zone: ZoneInfo, clock: Callable[[], datetime], web_directory: Path
) -> Block:
    from treegarth.features.dose.analysis.yearly.rendering import report_as_pdf

    year, language = work.given["year"], work.given["language"]
    with connect(engine) as connection:
        report = yearly_report(connection, year, clock().astimezone(zone).date())
    content = report_as_pdf(report, language, work.given["site_name"], web_directory, zone, clock)
    parts = (content[begin : begin + PART_BYTES] for begin in range(0, len(content), PART_BYTES))
    with transaction(engine) as connection:
        name = f"dose-report-{year}-{language}.pdf"
        keep_file(connection, work.id, parts, name=name, until=work.asked_at + KEPT_FOR)
    return Block(done=1, ends="done")
