"""A browser looks at every page that the route table has: one that is added is visited, or named with its reason."""

from __future__ import annotations

import re
from pathlib import Path

from tests.browser import test_pages, test_retention_pages, test_rules_pages
from tests.browser.every_page import NO_PAGES, every_route, html_routes, no_pages, pages
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application

ROOT = Path(__file__).resolve().parents[3]
SOUND_PAGES = (*test_pages.PAGES.values(), *test_retention_pages.PAGES, *test_rules_pages.PAGES)
"""Those of which contrast, names and headings are checked, in both languages and themes."""


def routes_of(paths: tuple[str, ...]) -> set[str]:
    """The names of the routes that answer these addresses below /treegarth/."""
    addresses = make_application(make_services(ROOT / "web")).url_map.bind("")
    filled = (re.sub("{.*?}", "1", path).partition("?")[0] for path in paths)
    return {addresses.match(f"/treegarth/{path}", method="GET")[0] for path in filled}


def test_every_page_is_visited_and_what_is_no_page_has_a_reason() -> None:
    every = {route.name for route in html_routes()}
    assert NO_PAGES.keys() <= every
    assert routes_of(tuple(pages(dict.fromkeys(known_names(), "1")))) == every - NO_PAGES.keys()


def test_of_every_page_it_is_checked_that_it_is_sound() -> None:
    assert {route.name for route in html_routes()} - routes_of(SOUND_PAGES) == NO_PAGES.keys()


def test_files_and_pages_are_told_apart_by_what_they_answer() -> None:
    known = dict.fromkeys(known_names(), "1")
    assert not set(pages(known)) & set(no_pages(known))
    assert {"studies.csv", "rules.yaml", "metrics"} <= set(no_pages(known))


def known_names() -> set[str]:
    parts = {name for route in every_route() for name in route.path_names}
    return parts | {"study_instance_uid", "patient_id", "orthanc_study_id"}
