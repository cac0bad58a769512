"""Rules as a YAML text that `import` reads back: as they were written, comments and all, where they were. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from treegarth.documents.yaml_text import dump, read_pieces
from treegarth.errors import InvalidRequest

_ON = re.compile(r"^(\s+|- +)on: *(true|false)( *(#.*)?)$", re.MULTILINE)


def export_text(rules: Iterable[tuple[Mapping[str, Any], bool, str | None]]) -> str:
    """The text of rules in their order: (canonical document, whether it is on, the source that it was written as)."""
    entries = [_entry(document, is_on, source) for document, is_on, source in rules]
    return "\n\n".join(entries) + "\n" if entries else "[]\n"


def _entry(document: Mapping[str, Any], is_on: bool, source: str | None) -> str:
    if source is not None:
        written = _with_on(source, is_on)
        if _means(written) == _means(source) and _says_on(written) == is_on:
            return written
    whole = {"name": document["name"], **({} if is_on else {"on": False}), **document}
    return dump([whole]).rstrip()


def _with_on(source: str, is_on: bool) -> str:
    """The same text with `on` as it is now: the line that says it changed, or one added below the name."""
    if _says_on(source) == is_on:
        return source
    changed, count = _ON.subn(rf"\g<1>on: {'true' if is_on else 'false'}\g<3>", source)
    if count:
        return changed if count == 1 else source
    return re.sub(r"^- name: .*$", rf"\g<0>\n  on: {'true' if is_on else 'false'}", source, count=1, flags=re.MULTILINE)


def _read(source: str) -> dict[str, Any] | None:
    try:
        pieces = read_pieces(source)
    except InvalidRequest:
        return None
    return dict(pieces[0].value) if len(pieces) == 1 and isinstance(pieces[0].value, Mapping) else None


def _means(source: str) -> dict[str, Any] | None:
    read = _read(source)
    return None if read is None else {key: value for key, value in read.items() if key != "on"}


def _says_on(source: str) -> bool:
    return bool((_read(source) or {}).get("on", True))
