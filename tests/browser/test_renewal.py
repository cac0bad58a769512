"""Today and the list of studies renew themselves, and disturb nobody who works in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.browser.conftest import Visit, windows
from tests.browser.page_reading import wait_until
from tests.documents import encapsulated_pdf
from tests.servers import OrthancServer, store

PAST_A_ROUND = 10_500  # milliseconds
ANNOUNCED = """() => {
  window.told = [];
  const place = document.querySelector('#say');
  new MutationObserver(() => { if (place.textContent) window.told.push(place.textContent); })
    .observe(place, {childList: true});
}"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OrthancServer]:
    """A server of its own: what is looked at is what arrives."""
    with OrthancServer(tmp_path / "server") as server:
        server.start()
        yield server
        assert server.stop() == 0
        assert server.error_lines() == []


@pytest.fixture
def visit(browser: Browser, server: OrthancServer) -> Iterator[Visit]:
    with windows(browser, server, height=720) as make:
        made: Visit = make()
        made.page.clock.install()
        yield made
        assert made.complaints == []


@pytest.fixture
def arrive(server: OrthancServer, tmp_path: Path) -> Callable[[], str]:
    """One more study in Orthanc and in the index; its UID."""

    def one_more() -> str:
        count = len(server.get("studies")["items"])
        path = tmp_path / f"{count}.dcm"
        uid = encapsulated_pdf(path)
        store(server, path)
        deadline = monotonic() + 150
        while len(server.get("studies")["items"]) == count and monotonic() < deadline:
            sleep(0.1)
        return uid

    return one_more


def a_round(page: Page) -> None:
    """Ten seconds go by, and the page's question is answered."""
    with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true"):
        page.clock.run_for(PAST_A_ROUND)
    page.wait_for_load_state("networkidle")
    page.clock.run_for(500)


def test_today_shows_the_first_study_and_the_next_one(visit: Visit, arrive: Callable[[], str]) -> None:
    page = visit.go("")
    expect(page.locator("#nothing")).to_be_visible()
    arrive()
    a_round(page)
    expect(page.locator("#figures .big").first).to_contain_text("1study")
    expect(page.locator("#newest tbody tr")).to_have_count(1)
    chart = page.locator(".chart canvas").element_handle()
    well = page.locator("#well").element_handle()
    arrive()
    a_round(page)
    expect(page.locator("#figures .big").first).to_contain_text("2studies")
    expect(page.locator("#newest tbody tr")).to_have_count(2)
    assert not chart.evaluate("canvas => canvas.isConnected")  # drawn anew
    assert page.locator(".chart canvas").count() == 1
    assert well.evaluate("part => part.isConnected")  # nothing of it has changed


def test_the_list_of_studies_renews_itself_and_says_so_once(visit: Visit, arrive: Callable[[], str]) -> None:
    arrive()
    page = visit.go("studies?sort=-last_received_at")
    page.evaluate(ANNOUNCED)
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.headers.get("hx-request") == "true" and "bell" not in request.url:
            asked.append(request.url.removeprefix(visit.origin))

    page.on("request", note)
    page.get_by_label("Description").fill("half typed")
    a_round(page)
    assert page.evaluate("told") == []
    arrive()
    a_round(page)
    expect(page.locator("#list tbody tr")).to_have_count(2)
    expect(page.locator("#heading .count")).to_have_text("2 studies")
    wait_until(page, "told.length > 0")  # a moment after the rows
    assert page.evaluate("told") == ["2 studies"]
    a_round(page)
    assert page.evaluate("told") == ["2 studies"]
    field = page.get_by_label("Description")
    assert field.input_value() == "half typed"
    assert field.evaluate("field => field === document.activeElement")
    assert set(asked) == {"/treegarth/studies?sort=-last_received_at"}
    assert visit.query == "sort=-last_received_at"


def test_who_has_a_row_open_focused_or_selected_is_left_alone(visit: Visit, arrive: Callable[[], str]) -> None:
    arrive()
    page = visit.go("studies")
    rows = page.locator("#list tbody tr")
    rows.first.click()
    page.wait_for_selector("[data-panel-of]")
    arrive()
    a_round(page)
    expect(rows).to_have_count(1)
    page.keyboard.press("Escape")
    page.wait_for_selector("[data-panel-of]", state="detached")
    assert page.evaluate("document.activeElement.closest('tr[data-row]') !== null")  # Esc gave it back to the row
    a_round(page)
    expect(rows).to_have_count(1)
    page.evaluate(
        "document.activeElement.blur(); getSelection().selectAllChildren(document.querySelector('#list tbody'))"
    )
    a_round(page)
    expect(rows).to_have_count(1)
    page.evaluate("getSelection().removeAllRanges()")
    a_round(page)
    expect(rows).to_have_count(2)


def test_what_is_filtered_is_asked_for_with_its_filters(visit: Visit, arrive: Callable[[], str]) -> None:
    arrive()
    page = visit.go("studies")
    page.get_by_label("Patient ID").fill("nobody")
    page.get_by_role("button", name="Search").click()
    page.wait_for_selector(".empty")
    page.evaluate("document.activeElement.blur()")
    with page.expect_request(lambda request: request.url.endswith("/studies?patient_id=nobody")):
        page.clock.run_for(PAST_A_ROUND)
    arrive()
    a_round(page)
    expect(page.locator(".empty")).to_be_visible()


def test_an_answer_that_is_awaited_is_not_lost_to_a_renewal(visit: Visit, arrive: Callable[[], str]) -> None:
    arrive()
    page = visit.go("studies")
    held: list[Route] = []
    page.route("**/studies?patient_id=nobody", lambda route: held.append(route))  # playwright marks the function
    page.get_by_label("Patient ID").fill("nobody")
    page.get_by_role("button", name="Search").click()
    page.evaluate("document.activeElement.blur()")
    arrive()
    with page.expect_response(lambda answer: answer.url.endswith("/treegarth/studies")):
        page.clock.run_for(PAST_A_ROUND)
    assert len(held) >= 1
    for route in held:
        route.continue_()
    page.wait_for_selector(".empty")
    assert visit.query == "patient_id=nobody"
