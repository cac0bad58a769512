"""No page says a text of its address as if it were its own word: what a link says may never have happened."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from sqlalchemy import Engine

from tests.hostile_site import KNOWN, Site, make_site
from tests.hostile_values import kinds
from treegarth.web.paths import filled

WORD = "zyxword"
QUOTED = {"held", "chips", "filters"}
"""Classes of what says a filter as a filter."""
ITS_SUBJECT = {"retention.marked_objects_page: study_instance_uid", "dose.patient_page: patient_id"}
"""What the page is of, as its heading says."""
ALONE = {"br", "hr", "img", "input", "link", "meta", "use", "path", "area", "base", "col", "source", "wbr"}


class Texts(HTMLParser):
    """The texts of a page that people read, without those that are quoted, and without inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[bool] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        classes = set((given.get("class") or "").split())
        if tag not in ALONE:
            is_address = "data-address" in given  # at the foot of a printed page
            self.open.append(is_address or bool(classes & QUOTED) or tag in ("textarea", "option", "script", "q"))

    def handle_endtag(self, tag: str) -> None:
        if tag not in ALONE and self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.open):
            self.found.append(data)


@pytest.fixture
def site(engine: Engine) -> Site:
    return make_site(engine)


def test_a_text_of_an_address_stands_only_where_it_is_quoted(site: Site) -> None:
    asked, told = 0, []
    for route in site.routes.values():
        if route.is_api or route.method != "GET" or route.query is None or route.any_query:
            continue
        path = filled(route.path, {name: KNOWN.values.get(name, "1") for name in route.path_names})
        for name, field in route.query.model_fields.items():
            if "text" not in kinds(field.annotation):
                continue
            answer = site.get(path, f"{name}={WORD}")
            if answer.status != 200 or "text/html" not in answer.headers["Content-Type"]:
                continue
            asked += 1
            texts = Texts()
            texts.feed(answer.body.decode())
            if any(WORD in text for text in texts.found):
                told.append(f"{route.name}: {name}")
    assert asked > 30
    assert set(told) <= ITS_SUBJECT
