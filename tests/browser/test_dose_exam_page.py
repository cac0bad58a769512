"""The page of an exam and the tree of its report, as somebody with a keyboard and without scripts uses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.browser.conftest import Visit
from tests.servers import OrthancServer


@pytest.fixture
def report(treegarth_server: OrthancServer) -> dict[str, Any]:
    """A CT report of the made-up day."""
    found = requests.get(f"{treegarth_server.api}/dose/reports", params={"kind": "ct"}, timeout=120).json()["items"]
    return next(one for one in found if one["sop_class_uid"] == "1.2.840.10008.5.1.4.1.1.88.67")


def test_events_are_sorted_without_scripts_and_the_table_stays_in_sight(
    new_visit: Callable[..., Visit], report: dict[str, Any]
) -> None:
    visit = new_visit(javascript=False)
    page = visit.go(f"studies/{report['study_instance_uid']}")
    place = f"source-{report['orthanc_instance_id']}-events"
    head = page.locator(f"[id='{place}'] thead a", has_text="DLP")
    head.click()
    assert "sort=dlp_mgy_cm" in visit.query
    head.click()
    assert "sort=-dlp_mgy_cm" in visit.query
    assert page.locator(f"[id='{place}'] th[aria-sort='descending']").inner_text().startswith("DLP")
    box = page.locator(f"[id='{place}']").bounding_box()
    assert box is not None
    assert -1 <= box["y"] < 720
    assert visit.complaints == []


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_tree_is_searched_by_keyboard_and_a_value_stands_beside_its_name(
    new_visit: Callable[..., Visit], report: dict[str, Any], language: str
) -> None:
    visit = new_visit(language=language)
    page = visit.go(f"dose/reports/{report['orthanc_instance_id']}/content")
    name, value = (page.locator(f".content-tree p .tree-{part}").first for part in ("name", "value"))
    first, second = name.bounding_box(), value.bounding_box()
    assert first is not None
    assert second is not None
    assert abs(first["y"] - second["y"]) < 6  # one line: a class of another page once made it two
    assert second["x"] > first["x"]
    page.locator("#tree-q").focus()
    page.keyboard.type("ctdivol")
    page.keyboard.press("Enter")
    page.wait_for_selector(".content-tree mark")
    assert "q=ctdivol" in visit.query
    assert page.locator("#match-1").is_visible()
    for theme in ("light", "dark"):
        visit.use_theme(theme)
        page.reload()
        assert visit.violations(of_colours=theme == "dark") == []
    assert visit.complaints == []


def test_the_page_of_an_exam_is_accessible_in_both_themes(
    new_visit: Callable[..., Visit], report: dict[str, Any]
) -> None:
    visit = new_visit()
    for theme in ("light", "dark"):
        visit.use_theme(theme)
        page = visit.go(f"dose/studies/{report['study_instance_uid']}?sort=-dlp_mgy_cm")
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert visit.violations() == []
    assert visit.complaints == []
