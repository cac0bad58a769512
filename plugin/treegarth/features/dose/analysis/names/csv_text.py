"""Standard names as a table: a line for each rule, in the order in which names are given. Pure.

What spreadsheets write is read: commas, semicolons or tabs, with a mark of the byte order or without, lines that end in
any way, columns in any order. What is wrong is said with its line, all of it at once.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from treegarth.documents.importing import MOST_DOCUMENTS
from treegarth.documents.language import validated_at
from treegarth.documents.spreadsheet_cells import guarded, unguarded
from treegarth.documents.store import Wording
from treegarth.documents.yaml_text import LARGEST_BYTES
from treegarth.errors import DocumentRefused, Problem
from treegarth.features.dose.analysis.names.model import NameRuleParameters, StandardNameParameters
from treegarth.features.dose.analysis.names.rules import FIELDS
from treegarth.limits import is_storable
from treegarth.phrases import N_, P_
from treegarth.web.validation import WHOLE

CODE = ("code_value", "coding_scheme_designator", "code_meaning")
RULE = (*FIELDS, "only")
NEEDED = ("modality", "standard_name")
COLUMNS = (*NEEDED, *RULE, *CODE, "is_on")
"""The first two are needed; what is not there is empty."""
TRUTHS = {"": None, "true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
MOST_LINES = 20_000
_MARK = "\ufeff"


@dataclass(frozen=True, kw_only=True)
class NamesTable:
    """The names of a table, in the order of their first lines."""

    wordings: Sequence[Wording]
    says_codes: bool
    """Whether it has a column of codes; a table without leaves codes as they are."""


@dataclass(frozen=True, kw_only=True)
class _Line:
    number: int
    cells: Mapping[str, str]

    @property
    def place(self) -> str:
        return f"line {self.number}"


def write_names(names: Iterable[tuple[Mapping[str, Any], bool]]) -> str:
    """Documents, each with whether it is on. A name without a rule has a line of its own; what a spreadsheet would take
    for a formula has an apostrophe before it, which reading takes off."""
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for document, is_on in names:
        shared = {"modality": document["modality"], "standard_name": document["name"], "is_on": str(is_on).lower()}
        code = {name: document[name] for name in CODE if name in document}
        for rule in document["rules"] or [{}]:
            writer.writerow({name: guarded(text) for name, text in {**shared, **code, **rule}.items()})
    return written.getvalue()


def read_names(text: str) -> NamesTable:
    """Raises DocumentRefused with every problem."""
    lines, problems, columns = _lines(text.removeprefix(_MARK))
    by_name: dict[tuple[str, str], list[_Line]] = {}
    for line in lines:
        by_name.setdefault((line.cells["modality"].upper(), line.cells["standard_name"]), []).append(line)
    found = []
    for of_name in by_name.values():
        try:
            found.append(_wording(of_name))
        except DocumentRefused as refused:
            problems.extend(refused.problems)
    if problems:
        said = (one._replace(place=one.place.removesuffix(f".{WHOLE}")) for one in problems)
        raise DocumentRefused(sorted(said, key=_line_of))
    return NamesTable(wordings=found, says_codes=any(name in columns for name in CODE))


def _wording(lines: Sequence[_Line]) -> Wording:
    """One name, of all its lines."""
    problems: list[Problem] = []
    rules: list[dict[str, Any]] = []
    for line in lines:
        rule = {name: line.cells[name] for name in RULE if line.cells[name]}
        try:
            if rule:
                kept = validated_at(NameRuleParameters, rule, line.place)
                rules.append(kept.model_dump(mode="json", exclude_none=True))
        except DocumentRefused as refused:
            problems.extend(refused.problems)
    first = lines[0]
    document: dict[str, Any] = {
        "name": first.cells["standard_name"],
        "modality": first.cells["modality"].upper(),
        **{name: value for name in CODE if (value := _agreed(lines, name, problems))},
        "rules": rules,
    }
    is_on = TRUTHS.get(_agreed(lines, "is_on", problems).lower(), "?")
    if is_on == "?":
        problems.append(Problem(f"{first.place}.is_on", N_("Write true or false."), ""))
    try:
        valid: StandardNameParameters = validated_at(StandardNameParameters, document, first.place)
    except DocumentRefused as refused:
        problems.extend(refused.problems)
    if problems:
        raise DocumentRefused(problems)
    return Wording(document=valid.document(), is_on=is_on if isinstance(is_on, bool) else None)


def _agreed(lines: Sequence[_Line], name: str, problems: list[Problem]) -> str:
    """What the lines of a name say of all of it: those that say something must say the same."""
    said = next((line for line in lines if line.cells[name]), None)
    if said is None:
        return ""
    for line in lines:
        if line.cells[name] not in ("", said.cells[name]):
            wrong = P_("line %(line)s says something else of this name.", line=said.number)
            problems.append(Problem(f"{line.place}.{name}", wrong))
    return said.cells[name]


def _lines(text: str) -> tuple[list[_Line], list[Problem], list[str]]:
    """Those with something in them, what is wrong with their form, and the columns."""
    if len(text.encode("utf-8", errors="replace")) > LARGEST_BYTES:
        wrong = P_("The text is larger than %(size)s KB.", size=LARGEST_BYTES // 1024)
        raise DocumentRefused([Problem("line 1", wrong)])
    if not is_storable(text) or "\0" in text:
        raise DocumentRefused([Problem("line 1", N_("The text has a character that cannot be stored."))])
    rows = _rows(text)
    number, head = next(rows, (1, []))
    names = [name.strip().lower() for name in head]
    if problems := list(_wrong_head(number, names)):
        raise DocumentRefused(problems)
    found: list[_Line] = []
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(names) and any(cell.strip() for cell in row[len(names) :]):
            problems.append(Problem(f"line {number}", P_("it has %(count)s cells.", count=len(row)), _as_head(names)))
            continue
        cells = dict.fromkeys(COLUMNS, "") | {
            name: unguarded(cell.strip()) for name, cell in zip(names, row, strict=False) if name
        }
        found.append(_Line(number=number, cells=cells))
    if len(found) > MOST_LINES:
        raise DocumentRefused([Problem("line 1", P_("There are more than %(count)s lines.", count=MOST_LINES))])
    if len({(one.cells["modality"].upper(), one.cells["standard_name"]) for one in found}) > MOST_DOCUMENTS:
        many = P_("There are more than %(count)s standard names: send them in parts.", count=MOST_DOCUMENTS)
        raise DocumentRefused([Problem("line 1", many)])
    if not found and not problems:
        problems.append(Problem(f"line {number}", N_("nothing is there."), _as_head([*COLUMNS])))
    return found, problems, names


def _as_head(names: Sequence[str]) -> str:
    return P_("The head has these columns: %(names)s.", names=", ".join(names))


def _wrong_head(number: int, names: Sequence[str]) -> Iterator[Problem]:
    place = f"line {number}"
    for name in NEEDED:
        if name not in names:
            yield Problem(place, P_("the column %(name)s is missing.", name=name), _as_head(COLUMNS))
    for name in sorted({one for one in names if one}):
        if name not in COLUMNS:
            yield Problem(place, P_("there is no column %(name)s.", name=name[:100]), _as_head(COLUMNS))
        if names.count(name) > 1:
            yield Problem(place, P_("the column %(name)s stands there twice.", name=name[:100]))


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line at which it begins. Raises DocumentRefused where the text is no table."""
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begin = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            wrong = N_(
                "A quotation mark in it does not end, or stands within a value, or it is longer than a line of such a "
                "table is."
            )
            raise DocumentRefused([Problem(f"line {begin}", wrong)]) from None
        if row or begin > 1:
            yield begin, row
        begin = reader.line_num + 1


def _line_of(problem: Problem) -> int:
    return int(problem.place.removeprefix("line ").partition(".")[0])
