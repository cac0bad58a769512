"""A workbook as a file: what it is made of, the summary, exams, events, and a sheet for each protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import IO

from sqlalchemy import Connection

from treegarth.errors import RequestConflict
from treegarth.features.dose.analysis.store.workbook import (
    count_rows,
    events,
    exams,
    frequent_protocols,
    summary,
)
from treegarth.features.dose.analysis.workbook.asked import WorkbookAsked
from treegarth.features.dose.analysis.workbook.model import (
    MOST_PROTOCOLS,
    AboutRow,
    SummaryRow,
    WantedWorkbook,
    WorkbookEvent,
    WorkbookExam,
    left_out_of,
)
from treegarth.phrases import P_
from treegarth.web.export import ROWS_OF_A_SHEET, SheetRows, Workbook, fields_of, workbook

MOST_AT_ONCE = 10_000
"""Exams and events of a workbook that is answered at once; of more it is a long work."""
MOST_ROWS = 1_000_000
"""Exams, and events: fewer than a sheet holds, and a file that Orthanc can answer with, which has it in memory."""
TOO_MANY_AT_ONCE = P_(
    "There are more than %(count)s exams or events: ask for the workbook as a long work.", count=MOST_AT_ONCE
)
TOO_MANY = P_(
    "There are more than %(count)s exams or events: ask for fewer days, for one modality or for one name.",
    count=MOST_ROWS,
)
REPORTED_EVERY = 1_000
_NUMBERS = {"age_from", "age_below", "weight_from", "weight_below"}
"""Of what the address asked for; numbers of names are no quantities."""

Progress = Callable[[int], None]
"""Takes how many exams and events are written."""


def rows_of(connection: Connection, wanted: WantedWorkbook, *, at_most: int = MOST_ROWS) -> int:
    """How many exams and events it will have. Raises RequestConflict where either are more than `at_most`."""
    counts = count_rows(connection, wanted, at_most=at_most)
    if max(counts) > at_most:
        raise RequestConflict(TOO_MANY_AT_ONCE if at_most == MOST_AT_ONCE else TOO_MANY)
    return sum(counts)


def write_workbook(
    connection: Connection,
    wanted: WantedWorkbook,
    told: Iterable[tuple[str, str]],
    file: IO[bytes],
    report: Progress = lambda _: None,
) -> None:
    """Write it into the file; few rows of it are in memory. `told` is what it is made of, in its own first sheet."""
    with workbook(file) as book:
        about = book.sheet("about", fields_of(AboutRow))
        figures = book.sheet("summary", fields_of(SummaryRow))
        of_exams, of_events = (
            book.sheet("exams", fields_of(WorkbookExam)),
            book.sheet("events", fields_of(WorkbookEvent)),
        )
        found, every = frequent_protocols(connection, wanted, MOST_PROTOCOLS)
        protocols = {number: _sheet_of(book, modality, name) for number, modality, name in found}
        written = _write_rows(connection, wanted, of_exams, of_events, protocols, report)
        for row in summary(connection, wanted, {number: sheet.names for number, sheet in protocols.items()}):
            figures.write(row)
        asked = [(what, float(value) if what in _NUMBERS else value) for what, value in told]
        for what, value in (*asked, *_limits(written, every, protocols)):
            about.write(AboutRow(what=what, value=value))


def _sheet_of(book: Workbook, modality: str, name: str) -> SheetRows:
    return book.sheet(name, fields_of(WorkbookEvent), left_out_of(modality))


def _write_rows(
    connection: Connection,
    wanted: WantedWorkbook,
    of_exams: SheetRows,
    of_events: SheetRows,
    protocols: Mapping[int, SheetRows],
    report: Progress,
) -> tuple[int, int]:
    """How many exams, and events."""
    exam_count = event_count = 0
    for exam in exams(connection, wanted):
        of_exams.write(exam)
        exam_count += 1
        if exam_count % REPORTED_EVERY == 0:
            report(exam_count)
    for number, event in events(connection, wanted):
        of_events.write(event)
        if number is not None and number in protocols:
            protocols[number].write(event)
        event_count += 1
        if event_count % REPORTED_EVERY == 0:
            report(exam_count + event_count)
    return exam_count, event_count


def _limits(
    written: tuple[int, int], protocol_count: int, protocols: Mapping[int, SheetRows]
) -> Sequence[tuple[str, str | float]]:
    """What the sheets do not show: what was left out of the summary, cut or divided."""
    divided = [name for sheet in protocols.values() for name in sheet.names[1:]]
    found: list[tuple[str, str | float]] = [
        ("exams", written[0]),
        ("events", written[1]),
        ("protocols", protocol_count),
        ("protocols_without_a_sheet", max(0, protocol_count - len(protocols))),
        ("rows_of_a_sheet", f"at most {ROWS_OF_A_SHEET}: what follows stands in a sheet with a number behind its name"),
        ("names_of_sheets", "31 characters without []:*?/\\: which protocol has which stands in summary"),
        ("doubted", "doubted values are in exams and events, named in the column doubted"),
    ]
    return [*found, ("divided_sheets", ", ".join(divided))] if divided else found


def told_of(asked: WorkbookAsked, site_name: str, now: datetime) -> list[tuple[str, str]]:
    """What a workbook is made of: where, when, and what its address asked for."""
    return [("server", site_name), ("made_at", now.isoformat(timespec="seconds")), *asked.address.items()]


def file_name(now: datetime) -> str:
    return f"dose-analysis-{now:%Y-%m-%dT%H%M}.xlsx"
