"""docs/pages.md names every page that the dashboard answers, and none that it does not."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application

ROOT = Path(__file__).resolve().parents[3]


def test_every_page_stands_in_the_document_with_its_address() -> None:
    application = make_application(make_services(ROOT / "web"))
    table = application.extensions["treegarth"].routes.values()
    pages = {route.path for route in table if not route.is_api and "{path:path}" not in route.path}
    text = (ROOT / "docs" / "pages.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(/treegarth/[^`]*)`", text)) == pages
