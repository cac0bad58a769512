"""A draft as the template shows it: words of operators, inputs that fit a field, problems at their place. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from treegarth.conditions.model import Field, Kind, Level
from treegarth.features.rules.pages.action_fields import ActionKind, ActionRow, Input, kind_named
from treegarth.features.rules.pages.condition_tree import (
    AGES,
    LISTS,
    ROOT,
    WITHOUT_VALUE,
    Group,
    Join,
    Row,
    operators_of,
)
from treegarth.features.rules.pages.draft import age_parts
from treegarth.phrases import N_, Phrase

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
UNITS = {
    "minutes": N_("minutes"),
    "hours": N_("hours"),
    "days": N_("days"),
    "weeks": N_("weeks"),
    "years": N_("years"),
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
    is_group: bool = False

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

    @property
    def is_root(self) -> bool:
        return self.path == ROOT


@dataclass(frozen=True, kw_only=True)
class ShownAction:
    """An action with its inputs."""

    index: int
    row: ActionRow
    kind: ActionKind | None
    problems: Sequence[str] = ()
    choices: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)  # by input


@dataclass(frozen=True, kw_only=True)
class FieldsOfLevel:
    """The fields that a condition can name, of one level."""

    label: str  # a msgid
    fields: Sequence[Field]


def shown_group(
    group: Group, fields: Mapping[str, Field], problems: Mapping[str, Sequence[str]], path: str = ROOT
) -> ShownGroup:
    """The group with everything that its inputs need. `problems` by the form's paths."""
    return ShownGroup(
        path=path,
        group=group,
        parts=[
            shown_group(part, fields, problems, f"{path}.{index}")
            if isinstance(part, Group)
            else _shown_row(part, f"{path}.{index}", fields, problems)
            for index, part in enumerate(group.parts)
        ],
        problems=problems.get(path, ()),
    )


def _shown_row(row: Row, path: str, fields: Mapping[str, Field], problems: Mapping[str, Sequence[str]]) -> ShownRow:
    known = fields.get(row.field)
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
    )


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


def input_type(kind: str) -> str:
    """The type of an HTML input for values of a kind; a number stays text, for `step` would refuse what is typed."""
    return {"date": "date", "time": "time"}.get(kind, "text")


def shown_actions(
    rows: Sequence[ActionRow],
    kinds: Sequence[ActionKind],
    sources: Mapping[str, Sequence[str]],
    problems: Mapping[str, Sequence[str]],
) -> list[ShownAction]:
    """The actions with their inputs; `sources` are the choices that the site's own set-up gives."""

    def choices(one: Input, row: ActionRow) -> Sequence[tuple[str, str]]:
        if one.source:
            names = sources.get(one.source, ())
            return [(name, name) for name in (*names, *(v for v in row.values.get(one.name, ()) if v not in names))]
        return [(value, Phrase(label)) for value, label in one.choices]

    shown = []
    for index, row in enumerate(rows):
        kind = kind_named(row.name, kinds)
        given = {one.name: choices(one, row) for one in kind.inputs} if kind else {}
        shown.append(
            ShownAction(index=index, row=row, kind=kind, problems=problems.get(f"a.{index}", ()), choices=given)
        )
    return shown


def fields_by_level(fields: Sequence[Field]) -> list[FieldsOfLevel]:
    """The fields as the searchable list shows them."""
    return [
        FieldsOfLevel(
            label=label,
            fields=sorted((one for one in fields if one.level is level), key=lambda one: one.name.lower()),
        )
        for level, label in LEVEL_NAMES.items()
    ]
