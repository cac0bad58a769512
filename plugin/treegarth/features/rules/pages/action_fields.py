"""An action as the form shows it: a kind with fields. To and from the document of the text form. Pure.

An action that says more than its fields can hold stays what it is, as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import indent
from typing import Any, Literal

from treegarth.documents.yaml_text import UnreadableYaml, dump, read_pieces
from treegarth.phrases import P_, Phrase
from treegarth.web.forms import SentFields


@dataclass(frozen=True, kw_only=True)
class Input:
    """One field of an action."""

    name: str  # its key in the document
    label: str  # a msgid
    kind: Literal["text", "choice", "many", "truth", "lines"] = "text"
    choices: tuple[tuple[str, str], ...] = ()  # (value, msgid)
    hint: str = ""  # a msgid
    source: Literal["", "destinations", "webhooks"] = ""  # where the choices come from instead


@dataclass(frozen=True, kw_only=True)
class ActionKind:
    """What an action's form looks like."""

    name: str  # its key in a rule's `do`
    label: str  # a msgid
    inputs: tuple[Input, ...]
    shorthand: str = ""  # the input that a document means which is a name or a list alone: `label: urgent`
    is_plain: bool = False  # its document is only that: `release: teaching`


@dataclass(frozen=True, kw_only=True)
class ActionRow:
    """An action as typed; `raw` is the YAML of one that the fields cannot hold."""

    name: str
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    raw: str = ""

    def one(self, name: str) -> str:
        return next(iter(self.values.get(name, ())), "")


@dataclass(frozen=True, kw_only=True)
class ShownAction:
    """An action with its inputs."""

    index: int
    row: ActionRow
    kind: ActionKind | None
    problems: Sequence[str] = ()
    choices: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)  # by input


def read_action_row(form: SentFields, index: int, kinds: Sequence[ActionKind]) -> ActionRow:
    """The action of a place of the form: fields a.0.kind, a.0.raw, a.0.to."""
    name = form.get(f"a.{index}.kind", "")
    kind = kind_named(name, kinds)
    given = {one.name: _given(form, f"a.{index}.{one.name}", one) for one in kind.inputs} if kind else {}
    return ActionRow(name=name, values=given, raw=form.get(f"a.{index}.raw", ""))


def _given(form: SentFields, key: str, one: Input) -> tuple[str, ...]:
    values = form.getlist(key)
    if one.kind == "lines":
        values = [line for value in values for line in value.split(",")]
    return tuple(stripped for value in values if (stripped := value.strip()))


def write_action(row: ActionRow, kinds: Sequence[ActionKind]) -> Any:
    """The action's document. Raises ValueError where `raw` is no YAML."""
    kind = kind_named(row.name, kinds)
    if row.raw or kind is None:
        return {row.name: _plain(row.raw)}
    if kind.is_plain:
        return {row.name: row.one(kind.shorthand)}
    said = {one.name: _written(one, row.values[one.name]) for one in kind.inputs if row.values.get(one.name)}
    return {row.name: said}


def _plain(raw: str) -> Any:
    try:
        pieces = read_pieces("raw:\n" + indent(raw, "  ") if raw.strip() else "raw:")
    except UnreadableYaml as error:
        raise ValueError(error.args[0]) from error
    return pieces[0].value["raw"]


def _written(one: Input, values: tuple[str, ...]) -> Any:
    if one.kind == "truth":
        return True
    if one.kind in ("many", "lines"):
        return values[0] if len(values) == 1 else list(values)
    return values[0]


def read_action(document: Any, kinds: Sequence[ActionKind]) -> ActionRow:
    """The form's row of an action's document. Raises ValueError for what is no action at all."""
    if isinstance(document, str):
        document = {document: {}}
    if not isinstance(document, Mapping) or len(document) != 1:
        raise ValueError(P_("an action is a name with what it needs"))
    ((name, said),) = document.items()
    kind = kind_named(str(name), kinds)
    if kind is not None and kind.shorthand and isinstance(said, str | list):
        said = {kind.shorthand: True if said == kind.shorthand else said}
    values = (
        {key: values for key, inner in said.items() if (values := _typed(kind, str(key), inner)) is not None}
        if (kind is not None and isinstance(said, Mapping))
        else None
    )
    if values is None or len(values) < len(said):
        return ActionRow(name=str(name), raw=dump(said).strip())
    return ActionRow(name=str(name), values=values)


def _typed(kind: ActionKind, key: str, value: Any) -> tuple[str, ...] | None:
    """The values as the form has them; None where its input cannot hold them."""
    one = next((one for one in kind.inputs if one.name == key), None)
    if one is None:
        return None
    if one.kind == "truth":
        return ("true",) if value is True else () if value is False else None
    given = value if isinstance(value, list) and one.kind in ("many", "lines") else [value]
    if not all(isinstance(item, str | int | float) and not isinstance(item, bool) for item in given):
        return None
    if one.kind == "choice" and one.choices and str(given[0]) not in {choice for choice, _ in one.choices}:
        return None
    return tuple(str(item) for item in given)


def kind_named(name: str, kinds: Sequence[ActionKind]) -> ActionKind | None:
    return next((kind for kind in kinds if kind.name == name), None)


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
