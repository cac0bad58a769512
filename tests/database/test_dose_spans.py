"""A least that is above its greatest is a mistake of the caller everywhere, never an empty answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.hostile_site import KNOWN, Site, make_site
from treegarth.web.paths import filled
from treegarth.web.routes import Route

UPPER = re.compile(r"(.+)_(to|below)((?:_.+)?)")


@pytest.fixture
def site(engine: Engine) -> Site:
    return make_site(engine)


def pairs(route: Route) -> Iterator[tuple[str, str]]:
    """Parameters of an address that are the two ends of one span, as their names say."""
    names = route.query.model_fields if route.query else {}
    for name in names:
        found = UPPER.fullmatch(name)
        least = f"{found[1]}_from{found[3]}" if found else ""
        if least in names:
            yield least, name


def test_a_span_that_begins_after_its_end_is_an_error_that_names_both(site: Site) -> None:
    asked, wrong = 0, []
    for route in site.routes.values():
        if route.method != "GET" or "/dose" not in route.path:
            continue
        path = filled(route.path, {name: KNOWN.values.get(name, "1") for name in route.path_names})
        for least, most in pairs(route):
            is_day = "date" in least
            asked += 1
            query = f"{least}={'2026-11-21' if is_day else 9}&{most}={'2026-11-20' if is_day else 3}"
            answer = site.get(path, query)
            said = answer.body.decode(errors="replace")
            if answer.status != 400 or not (is_day or (least in said and most in said)):
                wrong.append(f"{route.name}: {query} {answer.status}")
    assert asked > 100
    assert wrong == []
