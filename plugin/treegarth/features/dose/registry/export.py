"""The dose list as a file: CSV, XLSX, Parquet, with all digits. Piece by piece into a file; no queries, no HTTP.

The names are those of the API, with the unit at their end. Absent is an empty cell or null, never 0.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from io import TextIOWrapper
from typing import IO, Any, Literal, TypeAlias, get_args

from treegarth.features.dose.quantities import BEST
from treegarth.features.dose.registry.store.studies import DoseStudy

Format: TypeAlias = Literal["csv", "xlsx", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
MEDIA_TYPES: Mapping[Format, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
Pieces: TypeAlias = Iterable[Sequence[DoseStudy]]

ROWS_OF_A_SHEET = 1_048_576
"""What a sheet of XLSX can hold, its head included; what follows stands on the next."""

FIRST_YEAR_OF_A_SHEET = 1900
"""Spreadsheets know no day before; such a one is written as a text."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the API, and the kind of its values."""

    name: str
    kind: Literal["text", "texts", "day", "clock", "count", "number", "moment"] = "text"


COLUMNS: tuple[Column, ...] = (
    Column("study_instance_uid"),
    Column("patient_id"),
    Column("issuer_of_patient_id"),
    Column("patient_name"),
    Column("patient_sex"),
    Column("patient_age"),
    Column("study_date", "day"),
    Column("study_time", "clock"),
    Column("study_description"),
    Column("accession_number"),
    Column("modalities", "texts"),
    Column("kinds", "texts"),
    Column("protocols", "texts"),
    Column("manufacturer"),
    Column("manufacturer_model_name"),
    Column("station_name"),
    Column("device_serial_number"),
    Column("report_count", "count"),
    Column("rule"),
    Column("irradiation_event_count", "count"),
    Column("issue_count", "count"),
    *(Column(one.column, "number") for one in BEST.values()),
    Column("origins", "texts"),
    Column("doubts", "texts"),
    Column("replaced_by"),
    Column("dlp_total_mgy_cm", "number"),
    Column("dlp_of_events_mgy_cm", "number"),
    Column("dose_area_product_total_gy_m2", "number"),
    Column("dose_rp_total_gy", "number"),
    Column("dose_area_product_of_events_gy_m2", "number"),
    Column("dose_rp_of_events_gy", "number"),
    Column("mean_ctdi_vol_max_mgy", "number"),
    Column("dlp_phantoms", "texts"),
    Column("glandular_dose_left_mgy", "number"),
    Column("glandular_dose_right_mgy", "number"),
    Column("administration_count", "count"),
    Column("administered_activity_mbq", "number"),
    Column("radionuclides", "texts"),
    Column("effective_dose_msv", "number"),
    Column("source"),
    Column("differences", "texts"),
    Column("not_patient"),
    Column("source_deleted_at", "moment"),
)


def write_export(wanted: Format, pieces: Pieces, file: IO[bytes]) -> None:
    """Write the studies into the file. No more than one piece of them is in memory."""
    _WRITERS[wanted](pieces, file)


def _write_csv(pieces: Pieces, file: IO[bytes]) -> None:
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow([column.name for column in COLUMNS])
    for piece in pieces:
        writer.writerows([csv_text(getattr(study, column.name)) for column in COLUMNS] for study in piece)
    text.flush()
    text.detach()


def csv_text(value: Any) -> str:
    """A value as a cell of CSV; a spreadsheet would take some beginnings of texts for a formula."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t")) else value
    if isinstance(value, list | tuple):
        return csv_text("; ".join(value))
    return str(value)


def _write_xlsx(pieces: Pieces, file: IO[bytes]) -> None:
    from xlsxwriter import Workbook  # costs memory in Orthanc's process: not before somebody asks

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(file, options) as book:
        formats = {kind: book.add_format({"num_format": form}) for kind, form in _XLSX_FORMS.items()}
        head = book.add_format({"bold": True, "bottom": 1})
        sheet, row = None, ROWS_OF_A_SHEET
        for study in (study for piece in _at_least_one(pieces) for study in piece):
            if sheet is None or row >= ROWS_OF_A_SHEET:
                sheet, row = _new_sheet(book, head), 1
            if study is not None:
                for number, column in enumerate(COLUMNS):
                    _write_cell(sheet, row, number, getattr(study, column.name), formats.get(column.kind))
                row += 1


_XLSX_FORMS = {"day": "yyyy-mm-dd", "clock": "hh:mm:ss"}


def _at_least_one(pieces: Pieces) -> Iterable[Sequence[DoseStudy | None]]:
    """None first, so that a list without studies has its head too."""
    yield [None]
    yield from pieces


def _new_sheet(book: Any, head: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for number, column in enumerate(COLUMNS):
        sheet.set_column(number, number, max(12, len(column.name) + 2))
        sheet.write_string(0, number, column.name, head)
    return sheet


def _write_cell(sheet: Any, row: int, column: int, value: Any, form: Any) -> None:
    if value is None:
        return
    if isinstance(value, date) and value.year < FIRST_YEAR_OF_A_SHEET:
        sheet.write_string(row, column, value.isoformat())
    elif isinstance(value, date | time) and form is not None:
        sheet.write_datetime(row, column, value, form)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, "; ".join(value) if isinstance(value, list | tuple) else str(value))


def _write_parquet(pieces: Pieces, file: IO[bytes]) -> None:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    types = {
        "text": pyarrow.string(),
        "texts": pyarrow.list_(pyarrow.string()),
        "day": pyarrow.date32(),
        "clock": pyarrow.time64("us"),
        "count": pyarrow.int32(),
        "number": pyarrow.float64(),
        "moment": pyarrow.timestamp("us", tz="UTC"),
    }
    schema = pyarrow.schema([(column.name, types[column.kind]) for column in COLUMNS])
    with ParquetWriter(file, schema) as writer:
        for piece in pieces:
            rows = [{column.name: getattr(study, column.name) for column in COLUMNS} for study in piece]
            writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))


_WRITERS: Mapping[Format, Callable[[Pieces, IO[bytes]], None]] = {
    "csv": _write_csv,
    "xlsx": _write_xlsx,
    "parquet": _write_parquet,
}
