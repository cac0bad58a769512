"""XLSX files as tests read them: the sheets by name, each with its rows as texts and numbers, formulas as a failure."""

from __future__ import annotations

from io import BytesIO
from typing import TypeAlias
from xml.etree import ElementTree
from zipfile import ZipFile

Cell: TypeAlias = str | float | bool | None
Row: TypeAlias = dict[str, Cell]

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_workbook(content: bytes) -> dict[str, list[Row]]:
    """Rows by sheet, in the order of the sheets; an empty cell is None."""
    with ZipFile(BytesIO(content)) as archive:
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        targets = {one.get("Id"): one.get("Target") for one in relations}
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        return {
            str(one.get("name")): _rows(archive.read(f"xl/{targets[one.get(_RELATION)]}"))
            for one in book.iter(f"{_MAIN}sheet")
        }


def _rows(content: bytes) -> list[Row]:
    rows = [_cells(row) for row in ElementTree.fromstring(content).iter(f"{_MAIN}row")]
    head = rows[0]
    return [{str(name): row.get(place) for place, name in head.items()} for row in rows[1:]]


def _cells(row: ElementTree.Element) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for cell in row.iter(f"{_MAIN}c"):
        assert cell.find(f"{_MAIN}f") is None, "a formula"
        place = str(cell.get("r")).rstrip("0123456789")
        text = "".join(one.text or "" for one in cell.iter(f"{_MAIN}t"))
        value = cell.find(f"{_MAIN}v")
        if cell.get("t") == "inlineStr":
            found[place] = text
        elif value is not None and value.text is not None:
            found[place] = value.text == "1" if cell.get("t") == "b" else float(value.text)
    return found
