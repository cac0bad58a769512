"""A condition in a form: read from what was sent, changed by its buttons, shown with inputs that fit its fields. Pure.

The tree and its document stand in `condition_tree.py`, what draws it in `conditions.html`.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Protocol, TypeAlias

from treegarth.conditions.comparison import LineRefused, read_comparison
from treegarth.conditions.model import Comparison, Condition, Field, Kind, Level, Operator
from treegarth.conditions.text import DEEPEST, MOST_PARTS, too_large
from treegarth.errors import ConditionRefused
from treegarth.limits import LONGEST_TEXT, is_storable
from treegarth.phrases import N_
from treegarth.web.condition_tree import (
    AGES,
    LISTS,
    ROOT,
    WITHOUT_VALUE,
    Group,
    Join,
    KindOf,
    Part,
    Row,
    added,
    changed,
    operators_of,
)
from treegarth.web.forms import TIME_UNITS, SentFields

_NAMING = {
    **dict.fromkeys(("=", "!=", "in", "not in"), Operator.EQUALS),
    **dict.fromkeys(("like", "not like"), Operator.LIKE),
}
_AGE = re.compile(r"(\d+(?:\.\d+)?) (\w+)")
OPERATORS = {
    "=": N_("is"),
    "!=": N_("is not"),
    "in": N_("is one of"),
    "not in": N_("is none of"),
    "like": N_("is like (* and ? stand for letters)"),
    "not like": N_("is not like"),
    "<": N_("is below"),
    "<=": N_("is at most"),
    ">": N_("is above"),
    ">=": N_("is at least"),
    "between": N_("is between"),
    "exists": N_("has a value"),
    "not exists": N_("has no value"),
    "older than": N_("is longer ago than"),
    "within": N_("is within the last"),
}
OF_DAYS = {
    "<": N_("is before"),
    "<=": N_("is not after"),
    ">": N_("is after"),
    ">=": N_("is not before"),
}
JOINS = {Join.ALL: N_("all"), Join.ANY: N_("at least one"), Join.NONE: N_("none")}
LEVELS = {
    Level.STUDY: N_("the study"),
    Level.SERIES: N_("one and the same series"),
    Level.INSTANCE: N_("one and the same instance"),
}
LEVEL_NAMES = {Level.STUDY: N_("Study"), Level.SERIES: N_("Series"), Level.INSTANCE: N_("Instance")}
Widget: TypeAlias = Literal["none", "text", "choice", "number", "date", "time", "age", "list", "two", "raw"]


@dataclass(frozen=True, kw_only=True)
class ShownRow:
    """A comparison with its inputs."""

    path: str
    row: Row
    widget: Widget
    operators: Sequence[tuple[str, str]]
    kind: str = "text"
    meaning: str = ""
    unit: str = ""
    choices: Sequence[str] = ()
    age: tuple[str, str] = ("", "days")
    problems: Sequence[str] = ()
    unseen: Sequence[str] = ()  # values that the archive never had
    is_group: bool = False
    units: Mapping[str, str] = field(default_factory=lambda: TIME_UNITS)

    @property
    def input_type(self) -> str:
        """The type of its HTML input; a number stays text, for `step` would refuse what is typed."""
        return {"date": "date", "time": "time"}.get(self.kind, "text")

    @property
    def first(self) -> str:
        return self.row.values[0] if self.row.values else ""

    @property
    def second(self) -> str:
        return self.row.values[1] if len(self.row.values) > 1 else ""


@dataclass(frozen=True, kw_only=True)
class ShownGroup:
    """A group with its parts."""

    path: str
    group: Group
    parts: Sequence[ShownRow | ShownGroup]
    problems: Sequence[str] = ()
    is_group: bool = True
    joins: Mapping[Join, str] = field(default_factory=lambda: JOINS)
    levels: Mapping[Level, str] = field(default_factory=lambda: LEVELS)  # of what its parts may have to hold

    @property
    def is_root(self) -> bool:
        return "." not in self.path


@dataclass(frozen=True, kw_only=True)
class FieldsOfLevel:
    """The fields that a condition can name, of one level."""

    label: str  # a msgid
    fields: Sequence[Field]


class KnownFields(Protocol):
    """What conditions can name, as `Vocabulary` has it."""

    def field(self, name: str) -> Field | None:
        """The field of that name, if there is one."""

    def nearest(self, name: str) -> Sequence[str]:
        """Names that may have been meant, the nearest first."""

    def fields(self) -> Sequence[Field]:
        """Those with a name of their own here; besides them there is every DICOM keyword."""


@dataclass(frozen=True)
class ConditionForm:
    """The conditions of a form, by the fields that they can name."""

    known: KnownFields

    @cached_property
    def levels(self) -> Sequence[FieldsOfLevel]:
        """The fields as the searchable list shows them."""
        fields = sorted(self.known.fields(), key=lambda one: one.name.lower())
        return [
            FieldsOfLevel(label=label, fields=[one for one in fields if one.level is level])
            for level, label in LEVEL_NAMES.items()
        ]

    def kind_of(self, name: str) -> Kind | None:
        found = self.known.field(name) if name else None
        return found.kind if found else None

    def read_comparison(self, text: str) -> Condition | None:
        """None where the text is no comparison that is known."""
        try:
            return read_comparison(text, self.known)
        except LineRefused:
            return None

    def read(self, sent: SentFields, root: str = ROOT) -> Group:
        """The condition of a form that was sent. Raises ConditionRefused for more or deeper parts than one may have."""
        return _SentCondition(sent, self.kind_of, root).group(root)

    def shown(
        self,
        group: Group,
        problems: Mapping[str, Sequence[str]],
        unseen: Mapping[str, Sequence[str]],
        path: str = ROOT,
        levels: Mapping[Level, str] = LEVELS,
    ) -> ShownGroup:
        """The group with everything that its inputs need. By the form's paths: `problems`, and values of text that the
        archive never had. `levels`: of what the parts of the outermost group may have to hold."""
        parts = [
            self.shown(part, problems, unseen, f"{path}.{index}")
            if isinstance(part, Group)
            else self._shown_row(part, f"{path}.{index}", problems, unseen)
            for index, part in enumerate(group.parts)
        ]
        return ShownGroup(path=path, group=group, parts=parts, problems=problems.get(path, ()), levels=levels)

    def _shown_row(
        self, row: Row, path: str, problems: Mapping[str, Sequence[str]], unseen: Mapping[str, Sequence[str]]
    ) -> ShownRow:
        known = self.known.field(row.field) if row.field else None
        kind = known.kind if known else Kind.TEXT
        names = {**OPERATORS, **OF_DAYS} if kind in (Kind.DATE, Kind.MOMENT, Kind.TIME) else OPERATORS
        return ShownRow(
            path=path,
            row=row,
            widget=_widget(row, kind, known),
            operators=[(name, names[name]) for name in operators_of(kind)],
            kind=str(kind),
            meaning=known.meaning if known else "",
            unit=known.unit if known else "",
            choices=("true", "false") if kind is Kind.TRUTH else known.choices if known else (),
            age=age_parts(row.values[0] if row.values else ""),
            problems=problems.get(path, ()),
            unseen=unseen.get(path, ()),
        )


def acted(group: Group, act: str, root: str = ROOT) -> Group:
    """The condition after one of its buttons; as it was after another's."""
    what, _, rest = act.partition(" ")
    path, _, value = rest.partition(" ")
    if path != root and not path.startswith(f"{root}."):
        return group
    if what in ("add-row", "add-group"):
        return added(group, path, Row() if what == "add-row" else Group(join=Join.ANY, parts=(Row(),)))
    if what == "remove":
        return changed(group, path, lambda part: None)
    if what == "drop":
        return changed(group, path, lambda part: _without(part, value))
    return group


def _without(part: Part, value: str) -> Part:
    return replace(part, values=tuple(one for one in part.values if one != value)) if isinstance(part, Row) else part


def in_lines(shown: ShownGroup, say: Callable[[str], str], margin: str = "") -> list[str]:
    """A condition in words, line by line, the parts of a group moved in: as the macro `said` of `conditions.html` has
    it. `say` is what a message is in the reader's language."""
    found = []
    if len(shown.parts) > 1 or shown.group.join != "all" or shown.group.level != "study":
        join, level = say(shown.joins[shown.group.join]), say(shown.levels[shown.group.level])
        found.append(margin + say(N_("%(join)s of these must hold for %(level)s")) % {"join": join, "level": level})
        margin += "  "
    for part in shown.parts:
        if isinstance(part, ShownGroup):
            found += in_lines(part, say, margin)
        else:
            found.append(margin + _row_in_words(part, say))
    return found


def _row_in_words(shown: ShownRow, say: Callable[[str], str]) -> str:
    row = shown.row
    if shown.widget == "raw":
        return row.raw
    words = [say(shown.meaning) if shown.meaning else row.field]
    words += [say(label) for operator, label in shown.operators if operator == row.operator]
    if shown.widget == "age":
        words += [shown.age[0], say(shown.units[shown.age[1]])]
    elif shown.widget == "two":
        words += [shown.first, say(N_("and")), shown.second]
    elif shown.widget != "none":
        words.append(", ".join(row.values))
    if shown.unit and shown.widget not in ("none", "age"):
        words.append(shown.unit)
    return " ".join(words)


def values_named(group: Group, conditions: ConditionForm, path: str = ROOT) -> Iterator[tuple[str, Comparison]]:
    """Each value of text that a row names, with the row's path: what it is to be, or not to be."""
    for at, row in _rows_of(group, path):
        known = conditions.known.field(row.field) if row.field and not row.raw else None
        operator = _NAMING.get(row.operator)
        if known is not None and known.kind is Kind.TEXT and operator is not None:
            values = (value for value in row.values if value and len(value) <= LONGEST_TEXT and is_storable(value))
            yield from ((at, Comparison(field=known, operator=operator, values=(value,))) for value in values)


def condition_inputs(group: Group, path: str = ROOT) -> dict[str, tuple[str, str]]:
    """What a problem of each part is said of, and the id of the part's first input, by path."""
    found = {path: (N_("A group of conditions"), f"{path}.join")}
    for index, part in enumerate(group.parts):
        at = f"{path}.{index}"
        if isinstance(part, Group):
            found |= condition_inputs(part, at)
        else:
            found[at] = (N_("Condition"), f"{at}.raw" if part.raw else f"{at}.field")
    return found


def _rows_of(group: Group, path: str) -> Iterator[tuple[str, Row]]:
    for index, part in enumerate(group.parts):
        if isinstance(part, Group):
            yield from _rows_of(part, f"{path}.{index}")
        else:
            yield f"{path}.{index}", part


class _SentCondition:
    """The condition of a form that was sent."""

    def __init__(self, fields: SentFields, kind_of: KindOf, root: str) -> None:
        self._fields = fields
        self._kind_of = kind_of
        self._root = root
        place = re.compile(rf"{root}((?:\.[0-9]{{1,4}})+)\.")
        self._below: dict[str, set[int]] = defaultdict(set)  # of c.1.0.field: 1 below c, 0 below c.1
        for key in fields:
            if found := place.match(key):
                self._note(found[1].split(".")[1:])
        if sum(map(len, self._below.values())) > MOST_PARTS:
            raise ConditionRefused([too_large("if")])

    def _note(self, indexes: Sequence[str]) -> None:
        if len(indexes) > DEEPEST:
            raise ConditionRefused([too_large("if")])
        path = self._root
        for index in indexes:
            self._below[path].add(int(index))
            path += f".{index}"

    def group(self, path: str) -> Group:
        join, level = self._fields.get(f"{path}.join", ""), self._fields.get(f"{path}.level", "")
        return Group(
            join=Join(join) if join in set(Join) else Join.ALL,
            level=Level(level) if level in set(Level) else Level.STUDY,
            parts=tuple(self._part(f"{path}.{index}") for index in sorted(self._below.get(path, ()))),
        )

    def _part(self, path: str) -> Part:
        if f"{path}.join" in self._fields:
            return self.group(path)
        values = [value.strip() for value in self._fields.getlist(f"{path}.value")]
        unit, operator = self._fields.get(f"{path}.unit", ""), self._fields.get(f"{path}.operator", "")
        if unit and values and values[0]:
            values = [f"{values[0]} {unit}"]
        if operator in LISTS:  # those chosen before, and what is typed: commas divide, quotes keep them
            typed = [one.strip() for value in values for one in _divided(value)]
            values = list(dict.fromkeys([*self._fields.getlist(f"{path}.chosen"), *typed]))
        row = Row(
            field=self._fields.get(f"{path}.field", "").strip(),
            operator=operator,
            values=tuple(values),
            raw=self._fields.get(f"{path}.raw", ""),
        )
        return fitted(row, self._kind_of(row.field))


def _divided(text: str) -> list[str]:
    return next(csv.reader([text.replace("\n", " ")], skipinitialspace=True), [])


def fitted(row: Row, kind: Kind | None) -> Row:
    """The row with an operator that fits its field's kind, and as many values as that takes."""
    if row.raw:
        return row
    operators = operators_of(kind)
    operator = row.operator if row.operator in operators else operators[0]
    values = tuple(value for value in row.values if value) if operator in LISTS else row.values
    if operator in WITHOUT_VALUE:
        values = ()
    elif operator not in LISTS:
        values = values[: 2 if operator == "between" else 1]
        values = tuple(
            "" if (operator in AGES) != bool(_AGE.fullmatch(value)) and _is_age_or_day(kind) else value
            for value in values
        )
    return replace(row, operator=operator, values=values)


def _is_age_or_day(kind: Kind | None) -> bool:
    return kind in (Kind.DATE, Kind.MOMENT)


def age_parts(value: str) -> tuple[str, str]:
    """30 days as its number and its unit."""
    found = _AGE.fullmatch(value)
    unit = found[2] if found else "days"
    return (found[1], unit if unit in TIME_UNITS else f"{unit}s") if found else ("", unit)


def _widget(row: Row, kind: Kind, known: Field | None) -> Widget:
    if row.raw:
        return "raw"
    if row.operator in WITHOUT_VALUE:
        return "none"
    if row.operator in LISTS:
        return "list"
    if row.operator in AGES:
        return "age"
    if row.operator == "between":
        return "two"
    if kind is Kind.TRUTH or (known and known.choices and row.operator in ("=", "!=")):
        return "choice"
    plain: dict[Kind, Widget] = {Kind.NUMBER: "number", Kind.DATE: "date", Kind.TIME: "time"}
    return plain.get(kind, "text")
