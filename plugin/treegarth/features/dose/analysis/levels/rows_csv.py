"""The rows of a set as CSV: written with a head, read with every mistake at its line and column. Pure.

The head names the columns, in any order: `modality`, `quantity`, `standard_name` and `level` must be there. UTF-8 with
or without a byte order mark, commas between the cells, a point as decimal mark. `unit` is for the reader; where it is
there it must be the one in which the quantity is shown.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO

from treegarth.documents.spreadsheet_cells import guarded, unguarded
from treegarth.errors import DocumentRefused, Problem
from treegarth.features.dose.analysis.levels.model import MOST_ROWS, LevelRow, RowKey
from treegarth.features.dose.analysis.levels.quantities import LEVEL_QUANTITIES
from treegarth.phrases import P_, Phrase
from treegarth.web.validation import WHOLE, InvalidFields, validated

COLUMNS = (
    "modality",
    "quantity",
    "phantom",
    "standard_name",
    "age_from_years",
    "age_to_years",
    "weight_from_kg",
    "weight_to_kg",
    "level",
    "unit",
    "achievable",
)
NEEDED = ("modality", "quantity", "standard_name", "level")
NUMBERS = ("age_from_years", "age_to_years", "weight_from_kg", "weight_to_kg", "level", "achievable")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
MARK = "\ufeff"


def write_rows(rows: Sequence[LevelRow]) -> str:
    """With a head. What a spreadsheet would take for a formula has an apostrophe before it, which reading takes off."""
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows:
        given = {**row.model_dump(), "unit": LEVEL_QUANTITIES[row.quantity].unit}
        writer.writerow(_cell(given[name]) for name in COLUMNS)
    return file.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return guarded(str(value))


def read_rows(text: str) -> list[LevelRow]:
    """The rows of a CSV. Raises DocumentRefused with every problem, each at its line and column."""
    text = text.removeprefix(MARK)
    if "\ufffd" in text or "\0" in text:
        raise DocumentRefused([Problem("", P_("This is no UTF-8: save it as CSV UTF-8."))])
    problems: list[Problem] = []
    found: list[LevelRow] = []
    lines: dict[RowKey, int] = {}
    for line, cells in _lines(text):
        try:
            row = _row(line, cells)
        except DocumentRefused as refused:
            problems.extend(refused.problems)
            continue
        if (first := lines.setdefault(row.key, line)) != line:
            problems.append(Problem(_at(line), P_("line %(number)s says a level of the same exams.", number=first)))
        found.append(row)
    if len(found) > MOST_ROWS:
        problems.append(Problem("", P_("There are more than %(most)s rows.", most=MOST_ROWS)))
    if problems:
        raise DocumentRefused(problems)
    return found


def _lines(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each row with the line on which it ends, its cells by column. Raises DocumentRefused."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        head = [cell.strip() for cell in next(reader, [])]
        _check_head(head)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(head):
                many = P_(
                    "has %(cells)s cells, and the head %(columns)s: is a comma a decimal mark? It is a point here.",
                    cells=len(cells),
                    columns=len(head),
                )
                yield reader.line_num, {"": many}
                continue
            yield reader.line_num, dict(zip(head, cells, strict=False))
    except csv.Error as error:
        raise DocumentRefused(
            [Problem(_at(reader.line_num), P_("is no CSV: %(reason)s.", reason=str(error)))]
        ) from None


def _check_head(head: Sequence[str]) -> None:
    if len(head) == 1 and re.search("[;\t]", head[0]):
        raise DocumentRefused([Problem(_at(1), P_("Cells are divided by commas here."))])
    problems = [
        Problem(_at(1, name), P_("is missing."))
        for name in NEEDED
        if name not in head
    ]  # fmt: skip
    known = ", ".join(COLUMNS)
    problems += [
        Problem(_at(1, name), P_("is not known here. Known: %(known)s.", known=known))
        for name in head
        if name not in COLUMNS
    ]
    problems += [Problem(_at(1, name), P_("stands twice.")) for name in COLUMNS if head.count(name) > 1]
    if problems:
        raise DocumentRefused(problems)


def _row(line: int, cells: Mapping[str, str]) -> LevelRow:
    """Raises DocumentRefused."""
    if isinstance(cells.get(""), Phrase):
        raise DocumentRefused([Problem(_at(line), cells[""])])
    given = {name: value for name, cell in cells.items() if (value := _plain(cell))}
    problems = [
        Problem(_at(line, name), _no_number(given.pop(name)))
        for name in NUMBERS
        if name in given and not NUMBER.fullmatch(given[name])
    ]
    unit = given.pop("unit", None)
    shown = LEVEL_QUANTITIES.get(given.get("quantity", ""))
    if unit is not None and shown is not None and unit != shown.unit:
        wrong = P_("“%(unit)s” is not the unit of this quantity: it is %(right)s.", unit=unit[:40], right=shown.unit)
        problems.append(Problem(_at(line, "unit"), wrong))
    told = {one.place for one in problems}
    numbers = {name: float(given[name]) for name in NUMBERS if name in given}
    try:
        row = validated(LevelRow, {**given, **numbers})
    except InvalidFields as refused:
        for fault in refused.faults:
            place = _at(line) if fault.field in ("", WHOLE) else _at(line, fault.field)
            if place not in told:
                problems.append(Problem(place, Phrase(fault.message, fault.values)))
        raise DocumentRefused(problems) from None
    if problems:
        raise DocumentRefused(problems)
    return row


def _plain(cell: str) -> str:
    return unguarded(cell.strip())


def _no_number(text: str) -> Phrase:
    if "," in text:
        return P_("“%(text)s” has a comma: the decimal mark is a point, and nothing divides thousands.", text=text[:40])
    return P_("“%(text)s” is no number.", text=text[:40])


def _at(line: int, column: str = "") -> Phrase:
    if column:
        return P_("line %(number)s, column %(column)s", number=line, column=column)
    return P_("line %(number)s", number=line)
