"""A condition as the form shows it: groups of rows. To and from the document of the text form. Pure.

The form must lose nothing: what it cannot take apart stays a row of text, and an unfinished row is written down as it
is, so that the parser says what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeAlias

from treegarth.conditions.model import Comparison, Condition, Kind, Level, Not
from treegarth.conditions.text import DEEPEST, too_large
from treegarth.conditions.values import write_value
from treegarth.phrases import P_

ROOT = "c"  # the path of the outermost group in the names of the form's fields; its parts are c.0, c.1, c.1.0 ...
NEGATED = {
    "=": "!=",
    "in": "not in",
    "like": "not like",
    "exists": "not exists",
}
LISTS = ("in", "not in")
WITHOUT_VALUE = ("exists", "not exists")
AGES = ("older than", "within")
_BARE = re.compile(r"[A-Za-z0-9_.:/*?+-]+")


class Join(StrEnum):
    """How many of a group's parts must hold."""

    ALL = "all"
    ANY = "any"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison as typed; `raw` is a comparison in words of the text form that the form cannot take apart."""

    field: str = ""
    operator: str = "="
    values: tuple[str, ...] = ()
    raw: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.field and not self.raw and not any(self.values)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Parts of which all, one or none must hold; of the study, or of one and the same series or instance."""

    join: Join = Join.ALL
    level: Level = Level.STUDY
    parts: tuple[Part, ...] = ()


Part: TypeAlias = Row | Group
ReadComparison: TypeAlias = Callable[[str], Condition | None]  # None: the text is no comparison that is known
KindOf: TypeAlias = Callable[[str], Kind | None]  # of a field


@dataclass(frozen=True, kw_only=True)
class Written:
    """A part's document, and the form's path of each place in it."""

    document: Any
    paths: Mapping[str, str] = field(default_factory=dict)


# ---- the form's tree to a document ----


def write_group(group: Group, kind_of: KindOf, *, place: str = "if", path: str = ROOT) -> Written:
    """The document of a group. Rows that nobody filled in are left out."""
    kept = [(index, part) for index, part in enumerate(group.parts) if not _is_empty(part)]
    paths = {place: path}
    inner = place if group.level is Level.STUDY else f"{place}.{group.level}"
    documents = []
    for position, (index, part) in enumerate(kept):
        written = write_part(
            part, kind_of, place=_place_of_part(group, inner, position, len(kept)), path=f"{path}.{index}"
        )
        documents.append(written.document)
        paths.update(written.paths)
    joined = _joined(group.join, documents)
    return Written(document=joined if group.level is Level.STUDY else {str(group.level): joined}, paths=paths)


def write_part(part: Part, kind_of: KindOf, *, place: str, path: str) -> Written:
    if isinstance(part, Group):
        return write_group(part, kind_of, place=place, path=path)
    if part.operator == "not exists" and not part.raw:
        return Written(document={"not": f"{part.field} exists"}, paths={place: path})
    return Written(document=row_text(part, kind_of), paths={place: path})


def row_text(row: Row, kind_of: KindOf) -> str:
    """The row as the text form has it: `SeriesDescription not like '*scout*'`."""
    if row.raw:
        return row.raw
    if row.operator in WITHOUT_VALUE:
        return f"{row.field} {row.operator}"
    kind = kind_of(row.field)
    values = [_value_text(value, kind) for value in row.values if value != ""]
    if row.operator in LISTS:
        said = f"[{', '.join(values)}]"
    elif row.operator == "between":
        said = " and ".join(values)
    else:
        said = " ".join(values[:1])
    return f"{row.field} {row.operator} {said}".strip()


def _joined(join: Join, documents: list[Any]) -> Any:
    if join is Join.NONE:
        return {"not": documents[0] if len(documents) == 1 else {"any": documents}}
    return {str(join): documents}


def _place_of_part(group: Group, place: str, position: int, count: int) -> str:
    if group.join is Join.NONE:
        return f"{place}.not" if count == 1 else f"{place}.not.any[{position}]"
    return f"{place}.{group.join}[{position}]"


def _is_empty(part: Part) -> bool:
    if isinstance(part, Row):
        return part.is_empty
    return all(_is_empty(inner) for inner in part.parts)


def _value_text(value: str, kind: Kind | None) -> str:
    if re.fullmatch(r"\d+(\.\d+)? \w+", value) and kind in (Kind.DATE, Kind.MOMENT):  # an age: 30 days
        return value
    if _BARE.fullmatch(value) and value.lower() != "and":
        return value
    return "'" + value.replace("'", "''") + "'"


# ---- a document to the form's tree ----


def read_group(document: Any, read: ReadComparison) -> Group:
    """The tree of a document. Raises ValueError for one that is built of other things than the text form's."""
    part = _read_part(document, read, 0)
    return part if isinstance(part, Group) else Group(parts=(part,))


def _read_part(document: Any, read: ReadComparison, depth: int) -> Part:
    if depth > DEEPEST:
        raise ValueError(too_large("if").sentence)
    if isinstance(document, str):
        return _row(document, read)
    if not isinstance(document, Mapping) or len(document) != 1:
        raise ValueError(P_("neither a comparison nor one of all, any, not, series, instance"))
    ((key, inner),) = document.items()
    if key in (Join.ALL, Join.ANY) and isinstance(inner, list):
        return Group(join=Join(key), parts=tuple(_read_part(part, read, depth + 1) for part in inner))
    if key == "not":
        return _negated(_read_part(inner, read, depth + 1))
    if key in (Level.SERIES, Level.INSTANCE):
        part = _read_part(inner, read, depth + 1)
        if isinstance(part, Group) and part.level is Level.STUDY:
            return replace(part, level=Level(key))
        return Group(level=Level(key), parts=(part,))
    raise ValueError(P_("%(key)s is none of all, any, not, series, instance", key=key))


def _negated(part: Part) -> Part:
    if isinstance(part, Row) and part.operator in NEGATED and not part.raw:
        return replace(part, operator=NEGATED[part.operator])
    if isinstance(part, Group) and part.join is Join.ANY and part.level is Level.STUDY:
        return replace(part, join=Join.NONE)
    return Group(join=Join.NONE, parts=(part,))


def _row(text: str, read: ReadComparison) -> Row:
    condition = read(text)
    if isinstance(condition, Comparison):
        return _row_of(condition)
    if isinstance(condition, Not) and isinstance(condition.part, Comparison):
        row = _row_of(condition.part)
        if row.operator in NEGATED:
            return replace(row, operator=NEGATED[row.operator])
    return Row(raw=text)


def _row_of(comparison: Comparison) -> Row:
    return Row(
        field=comparison.field.name,
        operator=str(comparison.operator),
        values=tuple(write_value(value) for value in comparison.values),
    )


# ---- where things are ----


def changed(group: Group, path: str, change: Callable[[Part], Part | None]) -> Group:
    """The tree with the part of a path changed, or taken out where `change` answers None. The root stays."""
    result = _changed(group, _indexes(path), change)
    return result if isinstance(result, Group) else Group()


def _changed(part: Part, indexes: tuple[int, ...], change: Callable[[Part], Part | None]) -> Part | None:
    if not indexes:
        return change(part)
    if not isinstance(part, Group) or indexes[0] >= len(part.parts):
        return part
    inner = _changed(part.parts[indexes[0]], indexes[1:], change)
    before, after = part.parts[: indexes[0]], part.parts[indexes[0] + 1 :]
    return replace(part, parts=(*before, *(() if inner is None else (inner,)), *after))


def added(group: Group, path: str, part: Part) -> Group:
    """The tree with a part at the end of the group of a path."""

    def grow(given: Part) -> Part:
        return replace(given, parts=(*given.parts, part)) if isinstance(given, Group) else given

    return changed(group, path, grow)


def path_of_place(paths: Mapping[str, str], place: str) -> str | None:
    """The form's path of a place, or of the nearest place around it."""
    while place:
        if place in paths:
            return paths[place]
        place = re.sub(r"(\.\w+|\[\d+\])$", "", place) if re.search(r"(\.\w+|\[\d+\])$", place) else ""
    return None


def _indexes(path: str) -> tuple[int, ...]:
    return tuple(int(index) for index in re.findall(r"\.([0-9]{1,4})(?![0-9])", path))


# ---- what fits a field ----

_ORDER = ("<", "<=", ">", ">=", "between")
_OPERATORS: dict[Kind, tuple[str, ...]] = {
    Kind.TEXT: ("=", "!=", "in", "not in", "like", "not like", "exists", "not exists"),
    Kind.NUMBER: ("=", "!=", *_ORDER, "in", "not in", "exists", "not exists"),
    Kind.DATE: ("within", "older than", "=", *_ORDER, "exists", "not exists"),
    Kind.TIME: (*_ORDER, "=", "exists", "not exists"),
    Kind.MOMENT: ("within", "older than", *_ORDER, "exists", "not exists"),
    Kind.TRUTH: ("=", "exists", "not exists"),
}


def operators_of(kind: Kind | None) -> tuple[str, ...]:
    """The operators that fit a field's kind; those of text while the field is not known."""
    return _OPERATORS[kind or Kind.TEXT]
