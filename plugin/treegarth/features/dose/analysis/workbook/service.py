"""Who asks for a workbook gets a file at once, or a long work that makes one."""

from __future__ import annotations

from dataclasses import dataclass
from tempfile import TemporaryFile

from flask import Response
from sqlalchemy import Connection

from treegarth.features.dose.analysis.store.workbook import quick_count
from treegarth.features.dose.analysis.workbook.asked import WorkbookAsked, name_asked_for
from treegarth.features.dose.analysis.workbook.works import start_workbook
from treegarth.features.dose.analysis.workbook.writing import (
    MOST_AT_ONCE,
    file_name,
    rows_of,
    told_of,
    write_workbook,
)
from treegarth.web.call import AnyCall
from treegarth.work.store import LongWork


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a page says of a workbook."""

    asked: dict[str, str]
    is_large: bool  # a long work makes it


def offer(connection: Connection, asked: WorkbookAsked) -> Offer | None:
    """None where it would have nothing."""
    count = quick_count(connection, asked.wanted, at_most=MOST_AT_ONCE)
    return Offer(asked=asked.address, is_large=count > MOST_AT_ONCE) if count else None


def make_now(call: AnyCall, asked: WorkbookAsked, media_type: str) -> Response:
    """Raises InvalidRequest and NotFound for names, RequestConflict where it is too large to be waited for."""
    wanted, now = asked.wanted, call.services.clock().astimezone(call.services.zone)
    with TemporaryFile() as file:
        with call.connect() as connection:
            name_asked_for(connection, wanted)
            rows_of(connection, wanted, at_most=MOST_AT_ONCE)
            write_workbook(connection, wanted, told_of(asked, call.services.site_name, now), file)
        file.seek(0)
        headers = {"Content-Disposition": f'attachment; filename="{file_name(now)}"'}
        return Response(file.read(), mimetype=media_type, headers=headers)


def start_making(call: AnyCall, asked: WorkbookAsked) -> LongWork:
    """Only notes that it is wanted: a worker makes it. Raises the same, RequestConflict for what no file can hold."""
    wanted, services = asked.wanted, call.services
    with call.begin() as connection:
        name_asked_for(connection, wanted)
        total = rows_of(connection, wanted)
        by, now = call.actor.name, services.clock()
        return start_workbook(connection, asked.address, services.site_name, total=total, by=by, now=now)
