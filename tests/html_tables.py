"""The tables of a page as people see them, and whether its elements are closed: read out of its HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "use", "path", "circle", "rect", "line"}


@dataclass
class HtmlTable:
    """A table's cells in words, and the addresses that its heads lead to. `id` is of the element around it."""

    id: str
    heads: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    rows: list[list[str]] = field(default_factory=list)

    def column(self, head: str) -> list[str]:
        """The cells below the head that begins with this word."""
        place = next(number for number, one in enumerate(self.heads) if one.startswith(head))
        return [row[place] for row in self.rows]


def tables_of(page: str) -> dict[str, HtmlTable]:
    """Of the page by the identifiers of the elements around them. Raises ValueError where elements do not match."""
    reader = _Reader()
    reader.feed(page)
    if reader.open:
        raise ValueError(f"never closed: {reader.open}")
    return {one.id: one for one in reader.tables}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[HtmlTable] = []
        self.open: list[str] = []
        self._around, self._cell, self._link = "", "", ""
        self._in: str = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag in VOID:
            return
        self.open.append(tag)
        if tag == "div" and "id" in given:
            self._around = given["id"]
        elif tag == "table":
            self.tables.append(HtmlTable(self._around))
        elif tag in ("thead", "tbody", "tfoot"):
            self._in = tag
        elif tag == "tr" and self._in == "tbody":
            self.tables[-1].rows.append([])
        elif tag in ("th", "td"):
            self._cell, self._link = "", ""
        elif tag == "a":
            self._link = given.get("href", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing at {self.getpos()}")
        if tag not in ("th", "td") or not self.tables:
            return
        words = " ".join(self._cell.split())
        if self._in == "thead":
            self.tables[-1].heads.append(words)
            self.tables[-1].links[words] = self._link
        elif self._in == "tbody":
            self.tables[-1].rows[-1].append(words)

    def handle_data(self, data: str) -> None:
        self._cell += data
