"""What a person does: search, filter, walk by keys, share an address, change the language, read without JavaScript."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

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


def test_a_page_whose_address_changed_before_htmx_listened_is_read_anew(visit: Visit) -> None:
    page = visit.go("studies")
    study = page.locator("tr[data-row]").nth(2).get_attribute("data-row")
    page.add_init_script(  # as forward does, pressed while the page is on its way
        "if (!location.search && performance.getEntriesByType('navigation')[0].type === 'reload')"
        f" history.replaceState({{htmx: true}}, '', '?open={study}')"
    )
    page.reload()
    page.wait_for_selector(f"[data-panel-of='{study}']")


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


def test_rows_are_chosen_by_keys_and_put_on_hold(visit: Visit, treegarth_server: OrthancServer) -> None:
    page = visit.go("studies?modality=CT&sort=patient_name")
    bar = page.locator("#chosen")
    expect(bar).to_be_hidden()
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(bar).to_contain_text("Chosen: 2")
    every = page.get_by_label("Choose every row of this page")
    assert every.evaluate("box => box.indeterminate")
    assert visit.violations() == []
    every.check()
    count = page.locator("tr[data-row]").count()
    expect(bar).to_contain_text(f"Chosen: {count}")
    every.uncheck()
    expect(bar).to_be_hidden()
    page.keyboard.press("j")
    chosen = page.locator("tr[data-row]").nth(2)
    study = chosen.get_attribute("data-row")
    chosen.get_by_role("checkbox").check()
    bar.get_by_role("button", name="Hold").click()  # without a reason: the browser asks for it
    assert bar.get_by_label("Reason").evaluate("field => field === document.activeElement")
    bar.get_by_label("Reason").press("Enter")  # which of several things would it do? none
    expect(bar).to_contain_text("Chosen: 1")
    bar.get_by_label("Text of the label").fill("seen")
    bar.get_by_role("button", name="Label").click()  # needs no reason
    expect(page.get_by_role("status").filter(has_text="another label")).to_contain_text(
        "1 study has another label now."
    )
    chosen.get_by_role("checkbox").check()
    bar.get_by_label("Kind of hold").select_option("teaching")
    bar.get_by_label("Reason").fill("a rare case")
    bar.get_by_role("button", name="Hold").click()
    expect(page.get_by_role("status").filter(has_text="on hold")).to_contain_text("1 study is on hold.")
    assert visit.query == "modality=CT&sort=patient_name"  # what is said once is not in a link that is passed on
    held = treegarth_server.get("retention/holds", kind="teaching")["items"]
    assert [one["study_instance_uid"] for one in held] == [study]
    page = visit.go("retention/holds?kind=teaching")
    page.locator("tbody").get_by_role("checkbox").check()
    page.locator("#chosen summary").click()
    page.locator("#chosen").get_by_role("button", name="Release").click()
    expect(page.get_by_role("status").filter(has_text="released")).to_contain_text("1 hold was released.")
    assert treegarth_server.get("retention/holds", kind="teaching")["items"] == []


def test_a_view_is_saved_seen_by_a_colleague_and_removed(new_visit: Callable[..., Visit]) -> None:
    visit = new_visit()
    page = visit.go("dose?modality=CT")
    page.get_by_text("Save this view").click()
    form = page.locator(".views form")
    form.get_by_label("Name").fill("CT doses")
    form.get_by_label("For everybody").check()
    assert visit.violations() == []
    form.get_by_role("button", name="Save").click()
    view = page.get_by_role("navigation", name="Saved views").get_by_role("link", name="CT doses")
    expect(view).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("status").filter(has_text="CT doses")).to_contain_text("is saved for everybody.")
    page.get_by_text("Save this view").click()  # once more it begins from what is kept
    expect(form.get_by_label("Name")).to_have_value("CT doses")
    expect(form.get_by_label("For everybody")).to_be_checked()
    colleague = new_visit(language="ko")
    shown = colleague.go("dose")
    shown.get_by_role("link", name="CT doses").click()
    shown.wait_for_url("**/dose?modality=CT")
    shown.get_by_role("link", name="저장된 보기 모두").click()
    shown.get_by_role("row", name="CT doses").get_by_role("checkbox").check()
    assert colleague.violations() == []
    shown.locator("#chosen summary").click()
    shown.locator("#chosen").get_by_role("button", name="삭제").click()
    expect(shown.get_by_role("status").filter(has_text="보기")).to_contain_text("보기 1개를 삭제했습니다.")


def test_rows_are_chosen_without_javascript(new_visit: Callable[..., Visit]) -> None:
    page = new_visit(javascript=False).go("studies")
    page.locator("tbody").get_by_role("checkbox").first.check()
    page.locator("#chosen").get_by_label("Reason").fill("a rare case")
    page.locator("#chosen").get_by_role("button", name="Hold").click()
    expect(page.get_by_role("status").filter(has_text="on hold")).to_contain_text("1 study is on hold.")
    page = new_visit(javascript=False).go("retention/holds")
    page.locator("tbody").get_by_role("checkbox").first.check()
    page.locator("#chosen summary").click()
    page.locator("#chosen").get_by_role("button", name="Release").click()
    expect(page.get_by_role("status").filter(has_text="released")).to_contain_text("1 hold was released.")
