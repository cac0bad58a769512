"""YAML as documents are written in it, and each one's own piece of the text with its comments. Pure.

What YAML can do beyond plain values is refused: tags, aliases, anchors (a few lines of them make gigabytes), keys that
stand twice, several documents. `on`, `yes` and dates are text here, as in YAML 1.2; only true and false are truths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from treegarth.errors import InvalidRequest
from treegarth.limits import DEEPEST_NESTING, is_storable
from treegarth.phrases import P_

LARGEST_BYTES = 512 * 1024


class UnreadableYaml(InvalidRequest):
    """The text is not YAML as documents are written in it."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One entry of the list: its plain value, and its text with the comments above it; None in flow style."""

    value: Any
    source: str | None


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, with the truths of YAML 1.2 and without dates and numbers with colons."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - PyYAML's own way


_NUMBER = r"[-+]?(0|[1-9][0-9]*)"
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|True|false|False)$"), list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|Null|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(rf"^{_NUMBER}$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(rf"^{_NUMBER}(\.[0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$"),
    list("-+0123456789"),
)


def read_pieces(text: str) -> list[Piece]:
    """The entries of a list, or the one entry that is no list. Raises UnreadableYaml."""
    if len(text.encode("utf-8", errors="replace")) > LARGEST_BYTES:
        raise UnreadableYaml(P_("The text is larger than %(size)s KB.", size=LARGEST_BYTES // 1024))
    try:
        _check_plain(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return []
            _check_keys(node)
            value = loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise UnreadableYaml(_said(error)) from None
    except ValueError:  # a number that Python does not take
        raise UnreadableYaml(_UNSTORABLE) from None
    if not is_storable(value):
        raise UnreadableYaml(_UNSTORABLE)
    if not isinstance(node, yaml.SequenceNode):
        in_brackets = isinstance(node, yaml.MappingNode) and bool(node.flow_style)
        return [Piece(value=value, source=None if in_brackets else _as_entry(text))]
    sources = _sources(text, node)
    return [Piece(value=one, source=source) for one, source in zip(value, sources, strict=True)]


_UNSTORABLE = P_("The text has a number beyond 64 bits or one that is not finite, or half a character.")


class Places:
    """Where things stand in a text, which is read once, and only if it is asked."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _node(self) -> yaml.Node | None:
        try:
            _check_plain(self._text)
            return yaml.compose(self._text, Loader=_Loader)
        except (yaml.YAMLError, UnreadableYaml, ValueError):
            return None  # what is wrong with such a text says its line itself

    def line_of(self, place: str) -> int | None:
        """The line, counted from 1, on which what stands at a place such as `if.all[1]` begins; where the text has not
        all of the place, of the nearest around it that it has. None where it has nothing of it.

        People may leave out what a document has in full: one entry stands for a list of one, a list for `all` of it.
        """
        parts = [part for part in re.split(r"[.\[\]]", place) if part]
        node, line = self._node if parts else None, None
        if isinstance(node, yaml.SequenceNode) and not parts[0].isdecimal() and len(node.value) == 1:
            node = node.value[0]
        for part in parts:
            if isinstance(node, yaml.MappingNode):
                found = next((pair for pair in node.value if pair[0].value == part), None)
                if found is None and not part.isdecimal():
                    break
                if found is not None:
                    node, line = found[1], found[0].start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and part.isdecimal():
                if int(part) >= len(node.value):
                    break
                node = node.value[int(part)]
                line = node.start_mark.line + 1
        return line


def dump(value: Any) -> str:
    """The value as YAML, in the order of its keys, letters of every language as they are."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110, default_flow_style=False)


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, and quotes what YAML 1.1 readers would take for something else."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _check_plain(text: str) -> None:
    """Reads the events, which needs no memory for what they would make."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refused(line, P_("anchors (&) and aliases (*) are not used in rules; quote a text with them."))
        if getattr(event, "tag", None) is not None:
            raise _refused(line, P_("tags (!) are not used in rules; quote a text that begins with one."))
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST_NESTING:
            raise _refused(line, P_("nested deeper than %(deep)s.", deep=DEEPEST_NESTING))
        if documents > 1:
            raise _refused(line, P_("a second document begins (---); write one list of rules."))


def _check_keys(node: yaml.Node) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(item)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused(key.start_mark.line + 1, P_("a key must be plain text."))
            if key.value in seen:
                raise _refused(key.start_mark.line + 1, P_("%(key)s stands twice.", key=key.value))
            seen.add(key.value)
            _check_keys(value)


def _sources(text: str, node: yaml.SequenceNode) -> list[str | None]:
    """Each entry's lines, with the comments directly above it, moved to the left edge."""
    if node.flow_style:
        return [None] * len(node.value)
    lines = text.splitlines()
    starts = [_with_comments_above(lines, item.start_mark.line) for item in node.value]
    ends = [*starts[1:], len(lines)]
    margin = node.start_mark.column
    return [
        "\n".join(_moved(line, margin) for line in lines[start:end]).rstrip()
        for start, end in zip(starts, ends, strict=True)
    ]


def _with_comments_above(lines: list[str], start: int) -> int:
    while start > 0 and (not lines[start - 1].strip() or lines[start - 1].lstrip().startswith("#")):
        start -= 1
    while not lines[start].strip():
        start += 1
    return start


def _moved(line: str, margin: int) -> str:
    return line[margin:] if not line[:margin].strip() else line.lstrip()


def _as_entry(text: str) -> str | None:
    """A text that is one mapping, as an entry of a list."""
    lines = [line.rstrip() for line in text.strip("\n").splitlines() if line not in ("---", "...")]
    first = next((i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), None)
    if first is None or lines[first].startswith(" "):
        return None
    body = [f"- {lines[first]}", *(f"  {line}" if line else line for line in lines[first + 1 :])]
    return "\n".join([*lines[:first], *body])


def _said(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        reason = error.problem or P_("not readable")  # PyYAML's own words, in English
        where = {"line": mark.line + 1, "column": mark.column + 1}
        return P_("line %(line)s, column %(column)s: %(reason)s.", reason=reason, **where)
    if isinstance(error, yaml.reader.ReaderError):
        return P_("The text holds characters that YAML does not have.")
    return P_("The text is not readable as YAML.")


def _refused(line: int, reason: str) -> UnreadableYaml:
    return UnreadableYaml(P_("line %(line)s: %(reason)s", line=line, reason=reason))
