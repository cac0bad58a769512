"""Records as a file: CSV, XLSX, Parquet, with all digits. Piece by piece into a file; no queries, no HTTP.

The names are those of the API, with the unit at their end, which Parquet says in a column's metadata too. Absent is
an empty cell or null, never 0. Beside a person's name in DICOM's form stands the readable one, beside an age in DICOM's
form the number of years.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from functools import cache
from io import TextIOWrapper
from types import UnionType
from typing import IO, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

from treegarth.dicom.ages import years_of
from treegarth.record import Record
from treegarth.web.formats import readable_name

Format: TypeAlias = Literal["csv", "xlsx", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
FORMAT_WORDS: Mapping[Format, str] = {"csv": "CSV", "xlsx": "XLSX", "parquet": "Parquet"}
MEDIA_TYPES: Mapping[Format, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
Kind: TypeAlias = Literal[
    "text", "texts", "person", "age", "day", "clock", "count", "number", "moment", "yes", "document"
]
Pieces: TypeAlias = Iterable[Sequence[Record]]
Rows: TypeAlias = Iterable[Sequence[Any]]

ROWS_OF_A_SHEET = 1_048_576
"""What a sheet of XLSX can hold, its head included; what follows stands on the next."""
LONGEST_NAME_OF_A_SHEET = 31
NEVER_IN_A_NAME = "[]:*?/\\"
"""What spreadsheets refuse in the name of a sheet."""
FIRST_YEAR_OF_A_SHEET = 1900
"""Spreadsheets know no day before; such a one is written as a text."""
BYTE_ORDER_MARK = "\ufeff"
"""What a CSV for people begins with: spreadsheets else take its UTF-8 for an older encoding."""
UNITS: Mapping[str, str] = {
    "_mbq_per_kg": "MBq/kg",
    "_mgy_cm": "mGy.cm",
    "_gy_m2": "Gy.m2",
    "_per_s": "/s",
    "_years": "a",
    "_mbq": "MBq",
    "_mgy": "mGy",
    "_msv": "mSv",
    "_uas": "uA.s",
    "_deg": "deg",
    "_gy": "Gy",
    "_kg": "kg",
    "_ma": "mA",
    "_mm": "mm",
    "_ms": "ms",
    "_m": "m",
    "_n": "N",
    "_s": "s",
    "kvp": "kV",
}
"""What the names of numbers end in, the longest first, and the unit as UCUM (PS3.16 context group 82) writes it."""
SIGNIFICANT = 15
"""Digits of a sum: a double has no more that mean something, and 0.1 + 0.2 is 0.3 again."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a record, and the kind of its values."""

    name: str
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A sheet of XLSX of its own for some of the records, with what means something in these."""

    name: str
    holds: Callable[[Any], bool]
    leaves_out: Sequence[str]  # fields


@dataclass(frozen=True, kw_only=True)
class _Column:
    name: str
    kind: Kind
    value: Callable[[Record], Any]


@cache
def fields_of(record: type[Record]) -> Mapping[str, Field]:
    """The fields of a record, as files and cells of pages have them, by name."""
    return {name: Field(name=name, kind=_kind(name, one.annotation)) for name, one in record.model_fields.items()}


def _kind(name: str, annotation: Any) -> Kind:
    hint = without_none(annotation)
    if get_origin(hint) in (list, tuple, Sequence):
        return "texts" if without_none(get_args(hint)[0]) is str else "document"
    if get_origin(hint) is Literal or hint is str:
        return "person" if name.endswith("_name") and name.startswith(("patient", "referring")) else "text"
    if not isinstance(hint, type):
        return "document"
    for kind, forms in _KINDS:
        if issubclass(hint, forms):
            return kind
    return "document"


_KINDS: tuple[tuple[Kind, type | tuple[type, ...]], ...] = (
    ("yes", bool),
    ("text", (str, Enum)),
    ("count", int),
    ("number", float),
    ("moment", datetime),
    ("day", date),
    ("clock", time),
)


def without_none(hint: Any) -> Any:
    """The type of what may be absent, where it is there."""
    if get_origin(hint) in (Union, UnionType):
        return next(one for one in get_args(hint) if one is not type(None))
    return hint


def write_export(
    wanted: Format,
    title: str,
    fields: Mapping[str, Field],
    pieces: Pieces,
    file: IO[bytes],
    *,
    mark: bool = False,
    sheets: Sequence[Sheet] = (),
) -> None:
    """Write the records into the file. No more than one piece of them is in memory.

    `title` names the sheets of XLSX where no `sheets` divide the records. `mark`: with a byte order mark before CSV,
    without which spreadsheets take no UTF-8.
    """
    if wanted == "xlsx":
        _write_xlsx(fields, pieces, file, sheets or [Sheet(name=title, holds=lambda _: True, leaves_out=())])
        return
    columns = _columns_of(fields)
    rows = ([[column.value(one) for column in columns] for one in piece] for piece in pieces)
    if wanted == "csv":
        _write_csv(columns, rows, file, mark)
    else:
        _write_parquet(columns, rows, file)


def _columns_of(fields: Mapping[str, Field], leaves_out: Sequence[str] = ()) -> list[_Column]:
    """Of each field; what stands beside one only where no field says the same."""
    kept = {name: one for name, one in fields.items() if name not in leaves_out}
    return [
        column
        for one in kept.values()
        for column in _columns(one)
        if column.name == one.name or column.name not in fields
    ]


def _columns(field: Field) -> list[_Column]:
    name = field.name

    def value(record: Record) -> Any:
        return _plain(getattr(record, name), field.kind)

    own = _Column(name=name, kind=field.kind, value=value)
    if field.kind == "person":
        return [own, _Column(name=f"{name}_readable", kind="text", value=lambda one: readable_name(getattr(one, name)))]
    if name.endswith("patient_age"):
        return [own, _Column(name=f"{name}_years", kind="number", value=lambda one: years_of(getattr(one, name)))]
    return [own]


def _plain(value: Any, kind: Kind) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT}g}")
    if kind == "document" and value is not None:
        return json.dumps(_jsonable(value), ensure_ascii=False)
    return list(value) if isinstance(value, tuple) else value


def _jsonable(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_jsonable(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _jsonable(one) for key, one in value.items()}
    return value.isoformat() if isinstance(value, date | time) else value


def _write_csv(columns: Sequence[_Column], pieces: Iterable[Rows], file: IO[bytes], mark: bool) -> None:
    text = TextIOWrapper(file, encoding="utf-8-sig" if mark else "utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow([column.name for column in columns])
    for piece in pieces:
        writer.writerows([csv_text(value) for value in row] for row in piece)
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
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _write_xlsx(fields: Mapping[str, Field], pieces: Pieces, file: IO[bytes], sheets: Sequence[Sheet]) -> None:
    with workbook(file) as book:
        written = [(one, book.sheet(one.name, fields, one.leaves_out)) for one in sheets]
        for record in (record for piece in pieces for record in piece):
            for sheet, rows in written:
                if sheet.holds(record):
                    rows.write(record)


class SheetNames:
    """Names of sheets as spreadsheets take them: 31 characters of UTF-16, none of `[]:*?/\\`, no apostrophe at an end,
    not `History`, and no two that differ only in capitals."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, title: str) -> str:
        """The title as a name that nothing has yet: with a number at its end where it is taken."""
        name = " ".join(
            "".join(" " if one in NEVER_IN_A_NAME or not one.isprintable() else one for one in title).split()
        )
        number, found = 1, _shortened(name, LONGEST_NAME_OF_A_SHEET) or "list"
        while _folded(found) in self._taken or _folded(found) == "history":
            number += 1
            end = f" {number}"
            found = (_shortened(name, LONGEST_NAME_OF_A_SHEET - len(end)) or "list") + end
        self._taken.add(_folded(found))
        return found


def _folded(name: str) -> str:
    return name.lower().casefold()


def _shortened(name: str, units: int) -> str:
    """At most so many units of UTF-16, in which spreadsheets count."""
    cut = name.strip("' ").encode("utf-16-le")[: 2 * units].decode("utf-16-le", errors="ignore")
    return cut.strip("' ")


@contextmanager
def workbook(file: IO[bytes]) -> Iterator[Workbook]:
    """An XLSX file with as many sheets as are asked for, written row by row; each is on disk, not in memory."""
    from xlsxwriter import Workbook as Book  # costs memory in Orthanc's process: not before somebody asks

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Book(file, options) as book:
        made = Workbook(book)
        yield made
        made.end()


class Workbook:
    """The sheets of one file."""

    def __init__(self, book: Any) -> None:
        self._book, self._names, self._written = book, SheetNames(), list[SheetRows]()
        self._formats = {kind: book.add_format({"num_format": form}) for kind, form in _XLSX_FORMS.items()}
        self._head = book.add_format({"bold": True, "bottom": 1})

    def sheet(self, title: str, fields: Mapping[str, Field], leaves_out: Sequence[str] = ()) -> SheetRows:
        """Another one, for records with these fields."""
        made = SheetRows(self, title, _columns_of(fields, leaves_out))
        self._written.append(made)
        return made

    def begin(self, title: str, columns: Sequence[_Column]) -> tuple[str, Any]:
        """The name and the sheet of a part of a sheet."""
        name = self._names.take(title)
        return name, _new_sheet(self._book, self._head, columns, name)

    def format(self, kind: Kind) -> Any:
        return self._formats.get(kind)

    def end(self) -> None:
        for one in self._written:
            one.end()


class SheetRows:
    """A sheet and those that follow it where it is full."""

    def __init__(self, book: Workbook, title: str, columns: Sequence[_Column]) -> None:
        self._book, self._columns, self._title = book, columns, title
        self.names: list[str] = []
        """Of the sheet and of those that follow it."""
        self._begin()

    def _begin(self) -> None:
        name, self._sheet = self._book.begin(self._title, self._columns)
        self.names.append(name)
        self._row = 1

    def write(self, record: Record) -> None:
        if self._row >= ROWS_OF_A_SHEET:
            self.end()
            self._begin()
        for number, column in enumerate(self._columns):
            _write_cell(self._sheet, self._row, number, column.value(record), self._book.format(column.kind))
        self._row += 1

    def end(self) -> None:
        self._sheet.autofilter(0, 0, max(self._row - 1, 1), len(self._columns) - 1)


_XLSX_FORMS: Mapping[Kind, str] = {"day": "yyyy-mm-dd", "clock": "hh:mm:ss"}


def _new_sheet(book: Any, head: Any, columns: Sequence[_Column], name: str) -> Any:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, max(12, len(column.name) + 4))
        sheet.write_string(0, place, column.name, head)
    return sheet


def _write_cell(sheet: Any, row: int, column: int, value: Any, form: Any) -> None:
    if value is None:
        return
    if isinstance(value, date) and value.year < FIRST_YEAR_OF_A_SHEET:
        sheet.write_string(row, column, value.isoformat())
    elif isinstance(value, date | time) and form is not None:
        sheet.write_datetime(row, column, value, form)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    elif isinstance(value, datetime):
        sheet.write_string(row, column, value.isoformat())
    else:
        sheet.write_string(row, column, "; ".join(value) if isinstance(value, list | tuple) else str(value))


def _write_parquet(columns: Sequence[_Column], pieces: Iterable[Rows], file: IO[bytes]) -> None:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    types = {
        "texts": pyarrow.list_(pyarrow.string()),
        "day": pyarrow.date32(),
        "clock": pyarrow.time64("us"),
        "count": pyarrow.int64(),
        "number": pyarrow.float64(),
        "moment": pyarrow.timestamp("us", tz="UTC"),
        "yes": pyarrow.bool_(),
    }
    schema = pyarrow.schema(
        pyarrow.field(column.name, types.get(column.kind, pyarrow.string()), metadata=_metadata_of(column))
        for column in columns
    )
    names = [column.name for column in columns]
    with ParquetWriter(file, schema) as writer:
        for piece in pieces:
            rows = [dict(zip(names, row, strict=True)) for row in piece]
            writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))


def _metadata_of(column: _Column) -> dict[str, str] | None:
    unit = unit_of(column.name) if column.kind == "number" else None
    return {"unit": unit} if unit else None


def unit_of(name: str) -> str | None:
    """Of a number by its name; None where that names none."""
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), None)
