"""The tables of analysis as files: CSV, XLSX and Parquet, with all digits, in stored units."""

from __future__ import annotations

from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import Literal, TypeAlias, get_args

from flask import Response
from sqlalchemy import Connection

from treegarth.features.dose.analysis.asked import MatrixAsked, choose, days_of, side_by_side
from treegarth.features.dose.analysis.figures import By, Size
from treegarth.features.dose.analysis.store.groups import Figure, figures
from treegarth.features.dose.analysis.store.matrix import MatrixCell
from treegarth.features.dose.analysis.store.overview import Overview, overview
from treegarth.features.dose.analysis.store.shape import Bin, Point, Scale, greatest, histogram, points
from treegarth.features.dose.analysis.store.statistics import Distribution, distribution
from treegarth.features.dose.analysis.store.workload import HourOfWeek, workload
from treegarth.record import Record
from treegarth.web.actors import Permission
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
            permission=Permission.VIEW,
            handler=file,
            summary="A table of analysis as a CSV, XLSX or Parquet file.",
            media_type=ANY_BYTES,
        )
    ]


def file(call: Call[FileAsked, None, FilePath]) -> Response:
    table, wanted = call.path.table, call.path.format
    with call.connect() as connection:
        rows = rows_of(connection, table, call.query)
    name = f"dose-analysis-{table}.{wanted}"
    with TemporaryFile() as made:
        write_export(wanted, f"dose {table}", fields_of(RECORDS[table]), [rows], made, mark=True)
        made.seek(0)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(made.read(), mimetype=MEDIA_TYPES[wanted], headers=headers)


def rows_of(connection: Connection, table: Table, asked: FileAsked) -> Sequence[Record]:
    """What the page shows as a table, whole: of points those that are drawn."""
    if table == "overview":
        return overview(connection, days_of(asked))
    if table == "matrix":
        return side_by_side(connection, asked).cells
    chosen = choose(connection, asked)
    wanted = chosen.wanted
    if table == "histogram":
        whole = distribution(connection, wanted)
        return histogram(connection, wanted, whole, chosen.quantity.factor, asked.scale)
    if table == "points":
        return points(connection, wanted, asked.size)[0]
    if table == "whole":
        return [distribution(connection, wanted)]
    if table == "greatest":
        return greatest(connection, wanted)
    return workload(connection, wanted) if table == "workload" else figures(connection, wanted, table)
