"""The tables of analysis as files: CSV, XLSX and Parquet, with all digits, in stored units; each row says of which
values it is, and in which unit."""

from __future__ import annotations

from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import Literal, TypeAlias, get_args

from flask import Response
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.features.dose.analysis.asked import Chosen, MatrixAsked, choose, days_of, side_by_side
from treegarth.features.dose.analysis.distribution import Distribution
from treegarth.features.dose.analysis.figures import EXAM_COUNT, By, Size
from treegarth.features.dose.analysis.said import (
    SaidOfDays,
    SaidOfValues,
    record_with,
    rows_with,
    said_of_chosen,
    said_of_days,
)
from treegarth.features.dose.analysis.store.columns import read_values
from treegarth.features.dose.analysis.store.groups import Figure, figures
from treegarth.features.dose.analysis.store.matrix import MatrixCell
from treegarth.features.dose.analysis.store.overview import Overview, overview
from treegarth.features.dose.analysis.store.shape import Bin, Point, Scale, greatest, histogram, points
from treegarth.features.dose.analysis.store.statistics import distribution
from treegarth.features.dose.analysis.store.workload import HourOfWeek, workload
from treegarth.record import Record
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.export import MEDIA_TYPES, Format, fields_of, write_export
from treegarth.web.listing import ANY_BYTES
from treegarth.web.routes import Parameters, Route

Table: TypeAlias = Literal["overview", "matrix", "whole", "histogram", "points", "greatest", "workload"] | By
RECORDS: dict[str, type[Record]] = {
    "overview": Overview,
    "matrix": MatrixCell,
    "whole": Distribution,
    "histogram": Bin,
    "points": Point,
    "greatest": Point,
    "workload": HourOfWeek,
    **dict.fromkeys(get_args(By), Figure),
}
TABLES_OF_NAME = tuple(name for name in RECORDS if name not in ("overview", "matrix"))


class FileAsked(MatrixAsked):
    """Which values, by which names (of `matrix` alone), and how bins and sizes are made."""

    scale: Scale = "linear"
    """Of the histogram."""
    size: Size = "weight"
    """Of `points`."""


class FilePath(Parameters):
    table: Table
    """Which table."""
    format: Format
    """`csv`, `xlsx` or `parquet`."""


def routes() -> list[Route]:
    return [
        route(
            name="dose.analysis_file",
            path="/treegarth/dose/analysis/files/{table}/{format}",
            permission=Permission.SEE_DOSE,
            handler=file,
            summary="A table of analysis as a CSV, XLSX or Parquet file.",
            media_type=ANY_BYTES,
        )
    ]


def file(call: Call[FileAsked, None, FilePath]) -> Response:
    table, wanted = call.path.table, call.path.format
    with call.connect() as connection:
        record, rows = _rows_of(connection, table, call.query)
    name = f"dose-analysis-{table}.{wanted}"
    with TemporaryFile() as made:
        write_export(wanted, f"dose {table}", fields_of(record), [rows], made, mark=True)
        made.seek(0)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(made.read(), mimetype=MEDIA_TYPES[wanted], headers=headers)


def _rows_of(connection: Connection, table: Table, asked: FileAsked) -> tuple[type[Record], Sequence[Record]]:
    """What the page shows as a table, whole, each row with what it is of; of points those that are drawn."""
    record = RECORDS[table]
    if table == "overview":
        days = days_of(asked)
        pairs = [(said_of_days(days, one.quantity), one) for one in overview(connection, days)]
        return record_with(SaidOfDays, record), rows_with(SaidOfDays, record, pairs)
    chosen, rows = _figures_of(connection, table, asked)
    said = said_of_chosen(chosen, is_shown=table == "histogram")
    if table == "workload":  # exams are counted, whatever dose they have
        said = said.model_copy(update={"quantity": EXAM_COUNT, "phantom": None, "unit": None})
    return record_with(SaidOfValues, record), rows_with(SaidOfValues, record, [(said, one) for one in rows])


def _figures_of(connection: Connection, table: Table, asked: FileAsked) -> tuple[Chosen, Sequence[Record]]:
    if table == "matrix":
        found = side_by_side(connection, asked)
        return found.chosen, found.cells
    chosen = choose(connection, asked)
    wanted = chosen.wanted
    if table == "histogram":
        return chosen, histogram(read_values(connection, wanted), chosen.quantity.factor, asked.scale)
    if table == "points":
        return chosen, points(connection, read_values(connection, wanted, (asked.size,)), asked.size)[0]
    if table == "whole":
        return chosen, [distribution(connection, wanted)]
    if table == "greatest":
        return chosen, greatest(connection, read_values(connection, wanted))
    if table == "workload":
        return chosen, workload(connection, wanted)
    assert table != "overview"
    return chosen, figures(connection, read_values(connection, wanted, (table,)), table)
