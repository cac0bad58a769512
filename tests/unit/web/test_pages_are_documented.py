"""docs/pages.md names every page that the dashboard answers, and none that it does not."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.web.export import FORMATS
from treegarth.web.listing import Listing

LISTS = Listing.__module__
ROOT = Path(__file__).resolve().parents[3]


def test_every_page_stands_in_the_document_with_its_address() -> None:
    application = make_application(make_services(ROOT / "web"))
    table = application.extensions["treegarth"].routes.values()
    of_lists = {f"{route.path}.{form}" for route in table for form in FORMATS if route.handler.__module__ == LISTS}
    ends = ("_act", "_prepare")
    acts = {route.path for route in table if route.name.endswith(ends) and not route.is_api}
    pages = {route.path for route in table if not route.is_api and "{path:path}" not in route.path} - of_lists - acts
    text = (ROOT / "docs" / "pages.md").read_text(encoding="utf-8")
    assert ", ".join(f"`.{form}`" for form in FORMATS) in text  # said of all lists at once
    assert "with `/act` behind" in text
    assert "with `/export` behind" in text
    assert all(path.removesuffix("/act").removesuffix("/export") in pages for path in acts)
    assert set(re.findall(r"`(/treegarth/[^`]*)`", text)) == pages
