"""Every page in English on light, in Korean on dark paper: no complaint of browser or axe-core, nothing from elsewhere.

Neither is twice as long a walk: what a colour is like does not depend on the language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from time import monotonic, sleep
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser

from tests.browser.conftest import Visit, windows
from tests.browser.every_page import SIZES, made_user
from tests.browser.page_reading import wait_until
from tests.servers import OrthancServer
from treegarth.features.dose.analysis.levels.documents import EXAMPLE

PAGES = {
    "today": "",
    "today as table": "?arrivals=table",
    "studies": "studies",
    "studies with a panel": "studies?open={study}",
    "no study fits": "studies?patient_id=nobody",
    "study": "studies/{study}",
    "saved views": "views",
    "one's own account": "account",
    "users": "access/users",
    "a user": "access/users/{user}",
    "a new user": "access/users/new",
    "roles": "access/roles",
    "a role": "access/roles/{role}",
    "a new role": "access/roles/new",
    "a role to edit": "access/roles/{role}/edit",
    "roles to import": "access/roles/import",
    "who did what": "audit",
    "instances": "studies/{study}/series/{series}/instances",
    "an object": "studies/{study}/series/{report_series}/instances/{object}",
    "nothing that cannot be shown": "not-shown",
    "no instance fits": "studies/{study}/series/{series}/instances?sop_instance_uid=nobody",
    "dose": "dose",
    "irradiation events": "dose/events",
    "irradiation events of one kind": "dose/events?kind=ct&event_dlp_from_mgy_cm=0.1",
    "dose by equipment": "dose/equipment",
    "no device fits": "dose/equipment?equipment=nobody",
    "studies without dose": "dose/missing",
    "studies without dose as table": "dose/missing?months=table",
    "the doses of a year": "dose/report",
    "sources of dose": "dose/sources",
    "doses decided anew": "dose/redeciding",
    "dose reports that were not read": "dose/sources?state=failed",
    "the doses of a patient": "dose/patient?patient_id={patient}",
    "a source object": "dose/reports/{report}/content",
    "doses of one kind between limits": "dose?kind=ct&ctdi_vol_from_mgy=0.1",
    "the dose of one study": "dose/studies/{study}",
    "decisions about doses": "dose/acts",
    "limits of plausibility": "dose/limits",
    "figures of doses": "dose/analysis",
    "figures of one name": "dose/analysis/name",
    "a device": "dose/equipment/{device}",
    "size-specific doses": "dose/ssde",
    "standard names": "dose/standard-names",
    "a standard name": "dose/standard-names/{standard_name}",
    "a standard name to be changed": "dose/standard-names/{standard_name}/edit",
    "standard names as text": "dose/standard-names/new",
    "standard names taken in": "dose/standard-names/import",
    "standard names of a table": "dose/standard-names/csv",
    "a rule of standard names": "dose/standard-names/rule?modality=CT&name=Tried&study_description=*",
    "raw names": "dose/raw-names",
    "files of sizes": "dose/sizes",
    "a file of sizes": "dose/sizes/{sizes}",
    "alerts": "dose/alerts",
    "an alert": "dose/alerts/{alert}",
    "levels of alerts": "dose/alert-levels",
    "a level of alerts": "dose/alert-levels/{alert_level}",
    "a level of alerts to be changed": "dose/alert-levels/{alert_level}/edit",
    "a new level of alerts": "dose/alert-levels/new",
    "levels of alerts taken in": "dose/alert-levels/import",
    "coefficients of derived doses": "dose/coefficients",
    "derived doses": "dose/derived",
    "derived doses without a value": "dose/derived?derived=false",
    "reference levels": "dose/levels",
    "new reference levels": "dose/levels/new/form",
    "reference levels to edit": "dose/levels/{level_set}/form",
    "a comparison without exams": "dose/comparison",
    "rules for phantoms": "dose/not-patients",
    "a rule for phantoms tried out": "dose/not-patients?patient_id=*&study_description=*a*",
    "no rule yet": "rules",
    "no destination yet": "deliveries/destinations",
    "no delivery yet": "deliveries",
    "no policy yet": "retention",
    "nothing marked yet": "retention/marked",
    "no hold yet": "retention/holds",
    "nothing deleted yet": "retention/ledger",
    "storage": "retention/storage",
    "system": "system",
    "tasks": "system/tasks",
    "long works": "work",
    "a long work": "work/{work}",
    "no task of a kind": "system/tasks?task_name=nothing",
    "api": "api/?q=views",  # each endpoint and object looks like these
    "help": "help",
}


def _looks() -> Iterator[Any]:
    """Each page in one look, by turns; `make soak` sees the other too."""
    for number, name in enumerate(PAGES):
        for turn, look in enumerate((("en", "light"), ("ko", "dark"))):
            yield pytest.param(name, *look, marks=pytest.mark.soak if (number + turn) % 2 else ())


LOOKS = list(_looks())
TITLES = {"en": ("Today", "Studies", "Dose", "System"), "ko": ("오늘", "검사", "선량", "시스템")}


@pytest.fixture(scope="module")
def ct_study(treegarth_server: OrthancServer) -> str:
    """The Study Instance UID of a CT with a dose report."""
    items = treegarth_server.get("studies", modality="CT")["items"]
    return next(item["study_instance_uid"] for item in items if "SR" in item["modalities"])


@pytest.fixture(scope="module")
def known(treegarth_server: OrthancServer, ct_study: str) -> dict[str, str]:
    """What the addresses of pages are filled with."""
    report = next(
        item for item in treegarth_server.get("dose/reports")["items"] if item["study_instance_uid"] == ct_study
    )
    study = treegarth_server.get(f"studies/{ct_study}")
    its_report = next(one for one in study["series"] if one["modality"] == "SR")["series_instance_uid"]
    objects = treegarth_server.get(f"studies/{ct_study}/series/{its_report}/instances")["items"]
    return {
        "report_series": its_report,
        "object": objects[0]["sop_instance_uid"],
        "study": ct_study,
        "series": study["series"][0]["series_instance_uid"],
        "report": report["orthanc_instance_id"],
        "patient": study["patient_id"],
        "device": treegarth_server.get("dose/equipment")["items"][0]["key"],
        **analysed(treegarth_server),
        "user": made_user(treegarth_server.api),
        "role": treegarth_server.get("access/roles")["items"][0]["id"],
        "work": requests.post(f"{treegarth_server.api}/dose/reread", timeout=120).json()["id"],
    }


def analysed(server: OrthancServer) -> dict[str, int]:
    """The numbers of a standard name, a file of sizes, a level of alerts and an alert that it has made."""

    def made(path: str, **body: Any) -> Any:
        answer = requests.post(f"{server.api}/{path}", json=body, timeout=120)
        answer.raise_for_status()
        return answer.json()

    chest = {"name": "chest", "modality": "CT", "rules": [{"study_description": "*thorax*"}]}
    watched = {"name": "any CT", "kind": "exam", "quantity": "dlp_mgy_cm", "above": 1e-3, "exams_from": "2000-01-01"}
    found = {
        "standard_name": made("dose/standard-names", document=chest)["id"],
        "sizes": made("dose/sizes", text=SIZES, file_name="his.csv")["file"]["id"],
        "level_set": made("dose/levels", document=EXAMPLE)["id"],
        "alert_level": made("dose/alert-levels", document=watched)["id"],
    }
    deadline = monotonic() + 150
    while not (alerts := server.get("dose/alerts")["items"]):
        assert monotonic() < deadline, "no alert"
        sleep(0.2)
    return {**found, "alert": alerts[0]["id"]}


@pytest.fixture(scope="module")
def kept_visits(browser: Browser, treegarth_server: OrthancServer) -> Iterator[dict[str, Visit]]:
    """A window for each language, which goes from page to page: to open one costs as much as to look at a page."""
    with windows(browser, treegarth_server, height=720) as make:
        yield {"en": make(), "ko": make(language="ko", theme="dark")}


@pytest.mark.parametrize(("name", "language", "theme"), LOOKS)
def test_a_page_is_sound_on_light_and_on_dark_paper(
    kept_visits: dict[str, Visit], known: dict[str, str], name: str, language: str, theme: str
) -> None:
    visit = kept_visits[language]
    visit.complaints.clear()
    page = visit.go(PAGES[name].format(**known))
    root = page.locator("html")
    assert (root.get_attribute("lang"), root.get_attribute("data-theme")) == (language, theme)
    assert page.locator("h1").count() == 1
    assert visit.violations() == []
    assert visit.complaints == []


def test_the_whole_reference_of_the_api_leads_to_each_of_its_parts(visit: Visit) -> None:
    page = visit.go("api/")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids)) > 500
    links = page.evaluate("[...document.querySelectorAll('main a[href^=\"#\"]')].map(one => one.hash.slice(1))")
    assert len(links) > 500
    assert set(links) <= set(ids)
    named = page.evaluate(
        "[...document.querySelectorAll('[aria-labelledby]')].map(one => one.getAttribute('aria-labelledby'))"
    )
    assert set(named) <= set(ids)
    assert page.locator("h1").count() == 1
    assert visit.complaints == []


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_navigation_leads_to_each_page(new_visit: Callable[..., Visit], language: str) -> None:
    visit = new_visit(language=language)
    page = visit.go("")
    for title in TITLES[language]:
        page.get_by_role("navigation").get_by_role("link", name=title, exact=True).click()
        page.wait_for_load_state()
        assert page.locator("h1").inner_text() == title
        assert page.locator(".rail a[aria-current=page]").inner_text() == title
    assert visit.complaints == []


def test_a_study_shows_its_dose_and_its_pictures(visit: Visit, ct_study: str, treegarth_server: OrthancServer) -> None:
    page = visit.go(f"studies/{ct_study}")
    (report,) = treegarth_server.get(f"dose/studies/{ct_study}")["reports"]
    dose = page.get_by_role("region", name="Irradiation events")
    assert dose.locator("tbody tr").count() == len(report["irradiation_events"])
    total = page.locator(".totals dd").first
    assert float(total.get_attribute("title") or "") == pytest.approx(report["totals"]["dlp_total_mgy_cm"])
    pictures = page.locator(".thumb img")
    assert pictures.count() > 0
    for number in range(pictures.count()):
        pictures.nth(number).scroll_into_view_if_needed()
    wait_until(page, "[...document.querySelectorAll('.thumb img')].every(p => p.complete && p.naturalWidth > 0)")
    assert visit.complaints == []


def test_the_chart_and_its_table_have_the_same_figures(visit: Visit, treegarth_server: OrthancServer) -> None:
    page = visit.go("?arrivals=table")
    today = page.locator("#arrivals tbody tr").first.locator("td").last.inner_text()
    page.get_by_role("link", name="As chart").click()
    page.wait_for_selector(".chart canvas")
    drawn = page.evaluate(
        "echarts.getInstanceByDom(document.querySelector('.chart')).getOption().series.map(s => s.data.at(-1))"
    )
    assert sum(drawn) == int(today) == treegarth_server.orthanc("statistics")["CountStudies"]


def test_what_is_not_here_gets_a_page_with_a_reference(visit: Visit) -> None:
    page = visit.go("studies/1.2.3")
    assert re.search(r"treegarth-[0-9a-f]{12}", page.locator("body").inner_text())
    if page.evaluate("document.contentType") == "text/plain":  # Orthanc 1.12 and later say so of every error
        assert page.locator("body").inner_text().startswith("404 · Not Found")
        return
    assert page.locator("h1").inner_text() == "This is not here"
    assert page.locator(".id").inner_text().startswith("treegarth-")
    assert visit.violations() == []


def test_the_system_page_asks_again_and_compares_when_told(visit: Visit) -> None:
    visit.page.clock.install()
    page = visit.go("system")
    with page.expect_response(lambda response: response.url.endswith("/treegarth/system")):
        page.clock.fast_forward("01:00")
    page.get_by_role("button", name="Compare now").click()
    page.wait_for_load_state("networkidle")
    assert page.locator("#state").count() == 1
    assert page.url.endswith("/treegarth/system")
    assert visit.complaints == []
