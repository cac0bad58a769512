"""What a browser sends of a page's forms: read out of its HTML, as filled in as the page gives them."""

from __future__ import annotations

from html.parser import HTMLParser

from werkzeug.datastructures import MultiDict


def fields_of(page: str) -> MultiDict[str, str]:
    """The fields of every form of a page together, without its buttons."""
    reader = _Reader()
    reader.feed(page)
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: MultiDict[str, str] = MultiDict()
        self._text_area = self._select = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        name = given.get("name", "")
        if tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.found.add(name, given.get("value", ""))
        elif tag == "textarea":
            self._text_area = name
            self.found.add(name, "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.found.add(self._select, given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text_area = ""

    def handle_data(self, data: str) -> None:
        if self._text_area:
            self.found[self._text_area] += data.removeprefix("\n")
