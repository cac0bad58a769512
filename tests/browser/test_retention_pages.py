"""A person sees what a policy would delete, switches it on, rescues a study, holds another, and brings objects back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from time import monotonic, sleep

import pytest
import requests
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Visit, windows
from tests.browser.page_reading import wait_until
from tests.servers import OrthancServer, store
from tests.studies import small_studies

PATIENCE_S = 180  # a deletion that was interrupted, as by a busy Orthanc, is settled two minutes later
POLICY = """name: in the folder
why: the kept folder has them
keep: nothing
after: 0 minutes since received
minimum age: 0 minutes
proof: {at: Kept folder, within: 1 day}
grace: 1 day
ask twice above: 1 %
"""


@pytest.fixture(scope="module")
def retention_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancServer]:
    """A server with three studies that are proved to be in a folder."""
    folder = tmp_path_factory.mktemp("retention")
    server = OrthancServer(folder / "server", treegarth={"StableSeconds": 1}).start()
    store(server, *small_studies(folder / "before", studies=3, series=1, instances=2, seed=1))
    server.wait_until_idle()
    destination = {"name": "Kept folder", "kind": "folder", "address": {"path": str(folder / "kept")}}
    requests.post(f"{server.api}/destinations", json={"document": destination}, timeout=120).raise_for_status()
    for study in server.get("studies")["items"]:
        wish = {"destination": "Kept folder", "study_instance_uid": study["study_instance_uid"]}
        requests.post(f"{server.api}/deliveries", json=wish, timeout=120).raise_for_status()
    deadline = monotonic() + PATIENCE_S
    while len(list((folder / "kept").rglob("*.dcm"))) < 6:
        assert monotonic() < deadline, "the studies did not arrive in the folder"
        sleep(0.3)
    yield server
    assert server.stop() == 0
    assert server.error_lines() == []


@pytest.fixture
def open_window(browser: Browser, retention_server: OrthancServer) -> Iterator[Callable[..., Visit]]:
    """Windows on that server in a language and a theme."""
    with windows(browser, retention_server) as make:
        yield make


def wait_for(visit: Visit, path: str, text: str) -> Page:
    """Look at a page again until it says this."""
    deadline = monotonic() + PATIENCE_S
    while text not in (page := visit.go(path)).locator("main").inner_text():
        assert monotonic() < deadline, f"{text!r} is not on {path}:\n{page.locator('main').inner_text()[:2000]}"
        page.wait_for_timeout(700)
    return page


def switch_on(page: Page, wrong: str = "") -> None:
    """Type the number that the page asks for; first a wrong one, if any."""
    expect(page.locator("#count")).to_be_visible()
    right = re.search(r"may go today: (\d+)", page.locator("#preview").inner_text())
    assert right is not None
    if wrong:
        page.locator("#count").fill(wrong)
        page.locator("#switch-on").click()
        expect(page.locator(".note.failed")).to_contain_text("more than its share of the archive")
    page.locator("#count").fill(right[1])
    page.locator("#switch-on").click()
    expect(page.locator("#switch")).to_be_visible()


def test_from_a_preview_to_what_is_brought_back(
    open_window: Callable[..., Visit], retention_server: OrthancServer
) -> None:
    visit = open_window()
    studies = [one["study_instance_uid"] for one in retention_server.get("studies")["items"]]
    page = visit.go("retention/policies/new")
    page.locator("#show-text").click()
    page.locator("#text").fill(POLICY.replace("0 minutes since received", "a while"))
    page.locator("#save").click()
    expect(page.locator("#problems")).to_contain_text("after (line 4)")
    page.locator("#text").fill(POLICY)
    expect(page.locator("#ahead .figures")).to_contain_text("6 objects")  # it follows what is typed
    page.locator("#save").click()
    page.wait_for_url(re.compile(r"/policies/\d+$"))
    page.wait_for_selector("#preview .chart canvas")
    assert visit.violations() == []
    switch_on(page, wrong="900")

    page = wait_for(visit, "retention/marked", "6 objects")
    page.locator(f'tr[data-row="{studies[0]}"]').get_by_role("button", name=re.compile("^Rescue")).click()
    expect(page.locator(".note.ok")).to_contain_text("1 study was rescued")
    page = visit.go(f"studies/{studies[1]}")
    page.get_by_text("Put the study on hold").click()
    page.locator("#hold-kind").select_option("teaching")
    page.locator("#hold-reason").fill("a rare case")
    page.locator("#set-hold").click()
    expect(page.get_by_role("region", name="Retention")).to_contain_text("a rare case")
    assert visit.violations() == []
    page = visit.go("retention/marked")
    expect(page.locator(".title .count")).to_contain_text("2 objects")

    visit.go("retention/policies/1/edit")
    page.get_by_label("Period of grace").fill("0")
    page.locator("#save").click()
    page.wait_for_url(re.compile(r"/policies/1$"))
    switch_on(page)
    page = wait_for(visit, f"retention/ledger?study={studies[2]}", "1 on this page")
    wait_for(visit, "studies", "2 pruned")
    assert visit.violations() == []
    page = wait_for(visit, f"retention/ledger/objects?study_instance_uid={studies[2]}", "2 on this page")
    assert visit.go("retention/ledger?state=kept").locator("main").get_by_text("Kept folder").count() == 0
    page.go_back()
    page.get_by_role("link", name="where is it now?").first.click()
    expect(page.locator("h1")).to_have_text("Where is it now?")
    expect(page.get_by_role("region", name="Places that are proved to have it")).to_contain_text("Kept folder")
    assert visit.violations() == []
    visit.go("retention/policies/1").locator("#switch").click()  # what is old would go again at once
    page.go_back()
    page = wait_for(visit, f"studies/{studies[2]}", "Bring all of it back")
    page.locator("#bring-back-study").click()
    expect(page.get_by_role("region", name="Retention")).to_contain_text("Ended", timeout=PATIENCE_S * 1000)
    assert len(retention_server.orthanc("instances")) >= 4
    wait_for(visit, f"retention/ledger?study={studies[2]}", "here again")

    page = visit.go("retention/holds")
    page.get_by_role("button", name="Release · teaching, a rare case").click()
    expect(page.get_by_role("heading", name="No study is on hold")).to_be_visible()
    assert visit.violations() == []
    assert visit.complaints == []


def test_what_is_typed_while_an_answer_is_on_its_way_stays(
    open_window: Callable[..., Visit], retention_server: OrthancServer
) -> None:
    visit = open_window()
    page = visit.go("retention/policies/new")
    answers: list[Route] = []

    def hold_back_changes(route: Route) -> None:
        if is_change(route):
            answers.append(route)
        else:
            route.continue_()

    page.route("**/retention/policies/new", hold_back_changes)
    page.locator("[id='c.0.field']").fill("Modality")
    page.locator("[id='c.0.value']").fill("CT")  # leaving the field has sent the form
    page.locator("#why").fill("typed meanwhile")
    deadline = monotonic() + PATIENCE_S
    while not answers and monotonic() < deadline:
        page.wait_for_timeout(50)
    for route in list(answers):
        route.continue_()
    page.unroute("**/retention/policies/new")
    wait_until(page, "!document.querySelector('#policy-form.htmx-request')")
    page.wait_for_timeout(300)
    expect(page.locator("[id='c.0.value']")).to_have_value("CT")
    expect(page.locator("#why")).to_have_value("typed meanwhile")
    assert visit.complaints == []


def is_change(route: Route) -> bool:
    """A form that is sent by htmx because something in it was changed, not the look ahead."""
    return route.request.method == "POST" and "act=look" not in (route.request.post_data or "")


def test_a_policy_is_built_in_the_form_and_the_only_copy_is_asked_twice(
    open_window: Callable[..., Visit], retention_server: OrthancServer
) -> None:
    visit = open_window()
    page = visit.go("retention/policies/new")
    page.locator("#save").click()
    expect(page.locator("#problems a")).to_have_text(["Name", "Why", "Destination"])
    expect(page.locator("#name")).to_be_focused()
    page.locator("#problems a", has_text="Destination").click()
    expect(page.locator("[id='demands.0.at']")).to_be_focused()
    page.locator("#name").fill("by form")
    page.locator("#why").fill("the folder has them")
    page.locator("[id='c.0.field']").fill("Modality")
    page.locator("[id='c.0.value']").fill("CT")
    page.locator("#keeps_dose").uncheck()
    page.locator("#after").fill("0")
    page.locator("#minimum_age").fill("0")
    page.locator("[id='demands.0.at']").select_option("Kept folder")
    expect(page.locator("#ahead .figures")).to_contain_text(re.compile("[1-9] objects"))
    assert visit.violations() == []
    page.locator("#show-text").click()
    expect(page.locator("#text")).to_have_value(re.compile("at: Kept folder"))
    page.locator("#show-form").click()
    expect(page.locator("[id='c.0.value']")).to_have_value("CT")

    page.locator("#proof-none").check()
    expect(page.locator("#only-copy")).to_contain_text("cannot be brought back by anybody")
    page.locator("#save").click()
    expect(page.locator("#only_copy")).to_be_focused()
    expect(page.locator("#problems")).to_contain_text("Say once more that the only copy may go")
    assert visit.violations() == []
    page.locator("#only_copy").check()
    page.locator("#save").click()
    page.wait_for_url(re.compile(r"/policies/\d+$"))
    expect(page.locator("#only-copy-may-go")).to_be_visible()
    page.locator("#count").fill("1")
    page.locator("#switch-on").click()
    assert page.locator("#only-copy-may-go").evaluate("box => box.validity.valueMissing")
    assert visit.violations() == []
    (made,) = [one for one in retention_server.get("retention/policies")["items"] if one["name"] == "by form"]
    assert not made["is_on"]
    address = f"{retention_server.api}/retention/policies/{made['id']}"
    assert requests.put(f"{address}/state", json={"is_on": True, "typed_count": 6}, timeout=120).status_code == 409
    requests.delete(address, timeout=120).raise_for_status()
    assert visit.complaints == []


def test_the_form_of_a_policy_works_without_javascript(open_window: Callable[..., Visit]) -> None:
    visit = open_window(javascript=False)
    page = visit.go("retention/policies/new?example=space")
    page.locator("#add-kept").click()
    page.locator("[id='k.0.field']").fill("SeriesDescription")
    page.locator("[id='k.0.value']").fill("key images")
    page.locator("#look").click()
    expect(page.locator("#ahead")).to_contain_text("In 30 days")
    page.locator("#show-text").click()
    assert "high: 800 GB" in page.locator("#text").input_value()
    assert "at: Kept folder" in page.locator("#text").input_value()


@pytest.fixture
def places(retention_server: OrthancServer) -> dict[str, object]:
    """A study, a policy and an entry of the ledger on that server, made where no test has made them before."""

    def items(path: str) -> list[dict[str, object]]:
        return list(retention_server.get(path)["items"])

    study = items("studies")[0]["study_instance_uid"]
    if not items("retention/policies"):
        document = {"text": POLICY}
        answer = requests.put(f"{retention_server.api}/retention/policies/text", json=document, timeout=120)
        answer.raise_for_status()
    if not items("retention/ledger"):
        orthanc_id = retention_server.orthanc("instances")[0]
        requests.delete(f"{retention_server.url}/instances/{orthanc_id}", timeout=120).raise_for_status()
        retention_server.wait_until_idle()
    return {
        "study": study,
        "policy": items("retention/policies")[0]["id"],
        "entry": items("retention/ledger/objects")[0]["id"],
    }


PAGES = (
    *("retention", "retention/policies/new", "retention/policies/{policy}", "retention/policies/{policy}/edit"),
    *("retention/policies/{policy}/preview?show=table", "retention/policies/import"),
    "retention/policies/{policy}/explain?study_instance_uid={study}",
    *("retention/marked", "retention/marked/objects", "retention/holds?all=true"),
    *("retention/ledger", "retention/ledger/objects", "retention/ledger/{entry}"),
    *("retention/storage", "retention/storage?growth=table", "studies/{study}", "studies"),
)


@pytest.mark.parametrize(("language", "theme"), [pytest.param("en", "dark", marks=pytest.mark.soak), ("ko", "light")])
def test_every_page_is_accessible_and_fits(
    open_window: Callable[..., Visit], places: dict[str, object], language: str, theme: str
) -> None:
    visit = open_window(language=language, theme=theme)
    for path in PAGES:
        page = visit.go(path.format(**places))
        assert visit.violations() == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, path
    assert visit.complaints == []
