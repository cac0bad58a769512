"""Tables of events as pages show them: which columns there are, each value in words, by which column they are sorted,
how many rows are in sight. No queries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from treegarth.features.dose.reading.model import Values
from treegarth.features.dose.registry.shown_quantities import SHORT, SIDES, Quantity
from treegarth.phrases import Phrase
from treegarth.web.call import AnyCall
from treegarth.web.formats import scaled
from treegarth.web.templates import url_with
from treegarth.web.which_study import StudyPageQuery

VALUES_SHOWN = 4
"""Of one quantity in one event; of more, such as one of each pulse, the least and the greatest are shown."""

ROWS_SHOWN = 100
"""Of one table; the others are a link away."""

NUMBER = "number"
"""By which a table is sorted that nobody sorted: the place of a row in its report."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A value in words; `url` where it leads somewhere."""

    texts: list[str]
    title: str = ""
    numeric: bool = True
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Head:
    """A column: its name for people, and the address of this page sorted by it, the other way round where it is."""

    label: str  # a msgid
    unit: str
    numeric: bool
    url: str
    direction: Literal["ascending", "descending"] | None


@dataclass(frozen=True, kw_only=True)
class ShownRow:
    number: int  # its place in the report, from 1
    cells: list[Cell]


@dataclass(frozen=True, kw_only=True)
class ShownTable:
    """`total` are all rows; where not all are shown, `all_url` is the page with all of them."""

    id: str  # in the page
    label: str  # a msgid
    heads: list[Head]
    rows: list[ShownRow]
    total: int
    all_url: str | None

    @property
    def is_sorted(self) -> bool:
        """Whether it is sorted by a column of its own."""
        return any(head.direction for head in self.heads[1:])


@dataclass(frozen=True, kw_only=True)
class TableOrder:
    """What the page's address says of its tables: the same for each that has such a column."""

    column: str = NUMBER
    is_descending: bool = False
    all_rows: bool = False

    @classmethod
    def of(cls, call: AnyCall) -> TableOrder:
        """Raises nothing: a column that a table has not leaves it as it is."""
        asked = call.query
        if not isinstance(asked, StudyPageQuery):
            return cls()
        sort = asked.sort or NUMBER
        return cls(column=sort.removeprefix("-"), is_descending=sort.startswith("-"), all_rows=bool(asked.all_rows))


@dataclass(frozen=True, kw_only=True)
class Line:
    """What a row is made of; `own` are cells that are no plain values, by the names of their columns."""

    values: Values
    own: Mapping[str, Cell] = field(default_factory=dict)


def shown_table(
    call: AnyCall, name: str, label: str, quantities: Sequence[Quantity], lines: Sequence[Line]
) -> ShownTable | None:
    """A table of those of the quantities that a line has; None where there is none. `name` is its place in the page."""
    columns = [
        one for one in quantities if one.always or any(has(line.values, one) or one.name in line.own for line in lines)
    ]
    if not lines or not columns:
        return None
    order = TableOrder.of(call)
    numbered = _sorted(list(enumerate(lines, start=1)), order)
    kept = numbered if order.all_rows else numbered[:ROWS_SHOWN]
    number = Quantity(name=NUMBER, label="")
    return ShownTable(
        id=name,
        label=label,
        heads=[_head(call, name, one, order) for one in (number, *columns)],
        rows=[ShownRow(number=place, cells=_cells(call, columns, line)) for place, line in kept],
        total=len(lines),
        all_url=url_with(call, all_rows="true") + f"#{name}" if len(kept) < len(lines) else None,
    )


def _cells(call: AnyCall, columns: Sequence[Quantity], line: Line) -> list[Cell]:
    return [line.own.get(one.name) or cell(call, one, line.values.get(one.name)) for one in columns]


def has(values: Values, quantity: Quantity) -> bool:
    """Whether the quantity was told: an empty list, or one of nothing, was not."""
    value = values.get(quantity.name)
    return any(part is not None for part in value) if isinstance(value, list) else value is not None


def cell(call: AnyCall, quantity: Quantity, value: Any) -> Cell:
    """One value, or one of each X-ray source; all digits in the title."""
    parts = value if isinstance(value, list) else [value]
    texts = [_text(call, quantity, part) for part in parts if part is not None]
    numbers = [part for part in parts if isinstance(part, int | float)]
    if len(numbers) > VALUES_SHOWN:  # one of each pulse
        ends = [_text(call, quantity, end) for end in (min(numbers), max(numbers))]
        texts = [f"{'–'.join(dict.fromkeys(ends))} ({len(numbers)})"]
    full = [part for part in parts if isinstance(part, str) and part in SHORT]
    full += [_written(call, "all_digits", quantity, part) for part in parts if isinstance(part, float)]
    return Cell(texts=texts, title=" / ".join(full), numeric=quantity.numeric)


def _head(call: AnyCall, table: str, quantity: Quantity, order: TableOrder) -> Head:
    is_here = order.column == quantity.name
    sort = f"-{quantity.name}" if is_here and not order.is_descending else quantity.name
    return Head(
        label=quantity.label,
        unit=quantity.unit,
        numeric=quantity.numeric,
        url=url_with(call, sort=None if sort == NUMBER else sort) + f"#{table}",
        direction=("descending" if order.is_descending else "ascending") if is_here else None,
    )


def _sorted(lines: list[tuple[int, Line]], order: TableOrder) -> list[tuple[int, Line]]:
    """What has no such value stands last in either direction. A column of another table of the same events sorts this
    one alike."""
    if order.column == NUMBER:
        return lines[::-1] if order.is_descending else lines
    keys = {place: _key(line, order.column) for place, line in lines}
    known = [one for one in lines if keys[one[0]] is not None]
    unknown = [one for one in lines if keys[one[0]] is None]
    return sorted(known, key=lambda one: keys[one[0]] or (0, 0.0, ""), reverse=order.is_descending) + unknown


def _key(line: Line, name: str) -> tuple[int, float, str] | None:
    """Numbers before words; of several values, the greatest number or the first word."""
    value = line.values.get(name)
    if value is None and name in line.own:
        return (1, 0.0, " ".join(line.own[name].texts).casefold())
    parts = [part for part in (value if isinstance(value, list) else [value]) if part is not None]
    numbers = [float(part) for part in parts if isinstance(part, int | float) and not isinstance(part, bool)]
    if numbers:
        return (0, max(numbers), "")
    return (1, 0.0, _plain(parts[0])) if parts else None


def _plain(value: Any) -> str:
    return str(value.get("meaning") or value.get("code") or "" if isinstance(value, Mapping) else value).casefold()


def _text(call: AnyCall, quantity: Quantity, value: Any) -> str:
    if isinstance(value, Mapping):
        meaning = str(value.get("meaning") or value.get("code") or "–")
        return Phrase(SHORT[meaning]) if meaning in SHORT else readable_meaning(meaning)
    if isinstance(value, int | float) and not isinstance(value, bool):
        name = "number" if quantity.whole else "significant"
        return _written(call, name, quantity, value)
    if quantity.moment:
        return readable_moment(str(value))
    if quantity.clock:
        return readable_clock(str(value))
    if quantity.side:
        return Phrase(SIDES[value]) if value in SIDES else str(value)
    return Phrase(SHORT[value]) if value in SHORT else str(value)


def _written(call: AnyCall, name: str, quantity: Quantity, value: float) -> str:
    return written(call, name, value, quantity.factor)


def written(call: AnyCall, name: str, value: float, factor: float = 1.0) -> str:
    """A number by one of the filters of `treegarth.web.formats`, in the unit that is shown."""
    return str(call.site.environments[call.language].filters[name](scaled(value, factor)))


def readable_meaning(meaning: str) -> str:
    """SNOMED writes raised figures between carets: F^18^ is F¹⁸, ^99m^Technetium ⁹⁹ᵐTechnetium."""
    raised = str.maketrans("0123456789m", "⁰¹²³⁴⁵⁶⁷⁸⁹ᵐ")
    return re.sub(r"\^(\d+m?)\^", lambda found: found[1].translate(raised), meaning)


def readable_clock(value: str) -> str:
    """A TM (PS3.5 6.2) to the second; anything else as it is."""
    found = re.fullmatch(r"(\d\d)(\d\d)(\d\d)?(?:\.\d+)?", value.strip())
    return ":".join(part for part in found.groups() if part) if found else value


def readable_moment(value: str) -> str:
    """A DT (PS3.5 6.2) in ISO form to the second, with its offset where it has one; anything else as it is."""
    found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d+)?([+-]\d{4})?", value.strip())
    if found is None:
        return value
    year, month, day, hour, minute, second, offset = found.groups()
    clock = f"{hour}:{minute}:{second}" if second else f"{hour}:{minute}"
    return f"{year}-{month}-{day} {clock}" + (f" {offset[:3]}:{offset[3:]}" if offset else "")
