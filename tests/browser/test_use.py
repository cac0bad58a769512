"""What a person does: search, filter, walk by keys, share an address, change the language, read without JavaScript."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.conftest import Visit
from tests.servers import OrthancServer


def test_the_keys_walk_open_and_close(visit: Visit) -> None:
    page = visit.go("studies")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("tr[data-row]").nth(1)
    assert second.locator("a[data-open]").evaluate("link => link === document.activeElement")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-panel-of]")
    study = second.get_attribute("data-row")
    assert page.locator("[data-panel-of]").get_attribute("data-panel-of") == study
    assert f"open={study}" in visit.query
    page.keyboard.press("Escape")
    page.wait_for_selector("[data-panel-of]", state="detached")
    assert "open=" not in visit.query
    page.keyboard.press("/")
    assert page.locator("#find").evaluate("box => box === document.activeElement")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/treegarth/dose")
    assert visit.complaints == []


def test_enter_on_an_open_row_leads_to_the_whole_study(visit: Visit) -> None:
    page = visit.go("studies")
    study = page.locator("tr[data-row]").first.get_attribute("data-row")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-panel-of]")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/treegarth/studies/{study}")


def test_back_closes_the_panel_and_forward_opens_it(visit: Visit) -> None:
    page = visit.go("studies")
    page.locator("tr[data-row]").nth(2).click()
    page.wait_for_selector("[data-panel-of]")
    page.go_back()
    page.wait_for_selector("[data-panel-of]", state="detached")
    page.go_forward()
    page.wait_for_selector("[data-panel-of]")
    assert "open=" in visit.query


def test_filters_stand_in_the_address_and_a_colleague_sees_the_same(
    new_visit: Callable[..., Visit], treegarth_server: OrthancServer
) -> None:
    visit = new_visit()
    page = visit.go("studies")
    every = page.locator("tr[data-row]").count()
    page.locator(".chips a", has_text="MR").click()
    page.wait_for_url("**modality=MR*")
    page.get_by_label("Patient ID").fill("TG*")
    page.keyboard.press("Enter")
    page.wait_for_url("**patient_id=TG*")
    assert "modality=MR" in visit.query
    assert "patient_name=" not in visit.query
    rows = [row.get_attribute("data-row") for row in page.locator("tr[data-row]").all()]
    expected = {item["study_instance_uid"] for item in treegarth_server.get("studies", modality="MR")["items"]}
    assert set(rows) == expected
    assert 0 < len(rows) < every
    colleague = new_visit(language="ko")
    shown = colleague.go(f"studies?{visit.query}")
    assert [row.get_attribute("data-row") for row in shown.locator("tr[data-row]").all()] == rows


def test_the_box_at_the_top_finds_a_korean_name(visit: Visit, treegarth_server: OrthancServer) -> None:
    named = next(
        item for item in treegarth_server.get("studies", limit=100)["items"] if "=" in (item["patient_name"] or "")
    )
    word = named["patient_name"].split("=")[-1].split("^")[0]
    page = visit.go("")
    page.keyboard.press("/")
    page.keyboard.type(word)
    page.keyboard.press("Enter")
    page.wait_for_url("**/studies?q=*")
    assert page.locator(f"tr[data-row='{named['study_instance_uid']}']").count() == 1


def test_language_and_theme_are_kept_and_leave_the_address(visit: Visit) -> None:
    page = visit.go("studies?modality=CT")
    page.get_by_role("link", name="한국어").click()
    page.wait_for_selector("html[lang=ko]")
    page.get_by_role("link", name="어둡게").click()
    page.wait_for_selector("html[data-theme=dark]")
    assert visit.query == "modality=CT"
    visit.go("dose")
    root = page.locator("html")
    assert (root.get_attribute("lang"), root.get_attribute("data-theme")) == ("ko", "dark")


def test_everything_can_be_read_without_javascript(new_visit: Callable[..., Visit]) -> None:
    visit = new_visit(javascript=False)
    page = visit.go("studies?modality=CT")
    page.locator("a[data-open]").first.click()
    page.wait_for_selector("[data-panel-of]")
    assert "modality=CT" in visit.query
    page.locator("[data-close-panel]").click()
    page.get_by_label("Patient ID").fill("nobody")
    page.get_by_role("button", name="Search").click()
    page.wait_for_selector(".empty")
    page.goto(f"{visit.origin}/treegarth/?arrivals=table")
    assert page.locator("#arrivals tbody tr").count() == 30


def test_the_navigation_folds_and_stays_folded(visit: Visit) -> None:
    page = visit.go("studies")
    page.get_by_role("button", name="Fold").click()
    assert page.locator(".rail").bounding_box()["width"] < 100  # type: ignore[index]
    visit.go("dose")
    assert page.locator("html").get_attribute("data-rail") == "narrow"
    assert visit.violations() == []


def test_an_identifier_is_copied_by_its_button(visit: Visit) -> None:
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit.go("studies")
    page.locator("a[data-open]").first.click()
    button = page.locator(".panel [data-copy]").first
    button.click()
    page.wait_for_selector(".copy.done")
    assert page.evaluate("navigator.clipboard.readText()") == button.get_attribute("data-copy")
