"""Behind nginx and Caddy, under another name, by HTTPS, at the root and under a path: everything works as ever."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.browser.conftest import WHOLE_CHROMIUM, Visit
from tests.browser.every_page import no_pages, pages, prepared, push_two_studies
from tests.browser.page_reading import wait_until
from tests.browser.test_viewer import ENOUGH, SOFTWARE_WEBGL, coloured_share, wait_for_pixels, wait_for_share
from tests.documents import encapsulated_pdf
from tests.places import places
from tests.proxies import PATHS, PUBLIC_HOST, Kind, Place, Proxy, public_url
from tests.servers import OrthancServer, store

USER, PASSWORD = LOGIN = "physicist", "a long password"
ROOT_OF_DICOMWEB: dict[Place, str] = {"root": "/dicom-web/", "prefix": "pacs/dicom-web"}  # Orthanc takes both forms
ASK = """async paths => {
  const names = ['href', 'src', 'action', 'hx-get', 'hx-post'];
  const selector = names.map(name => `[${name}]`).join(',');
  const found = [];
  for (const path of paths) {
    const answer = await fetch(path);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    found.push({path, status: answer.status, headings: page.querySelectorAll('h1').length,
      addresses: [...page.querySelectorAll(selector)].flatMap(element => names
        .filter(name => element.hasAttribute(name) && !(name === 'action' && element.method === 'post'))
        .map(name => ({name, address: element.getAttribute(name)})))});
  }
  return found;
}"""
STATUS_OF = "address => fetch(address).then(answer => answer.status)"


@dataclass(frozen=True, kw_only=True)
class Published:
    """An Orthanc that people reach by a proxy, and what is in it."""

    server: OrthancServer
    place: Place
    known: dict[str, Any]
    document: str  # the Study Instance UID of a PDF

    @property
    def url(self) -> str:
        return public_url(self.place)


@pytest.fixture(
    scope="package", params=[pytest.param("root", marks=pytest.mark.soak), "prefix"]
)  # so that one place follows the other
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """A server with two studies of the made-up day, a PDF, a rule, a destination, a delivery and a policy."""
    place: Place = request.param
    folder = tmp_path_factory.mktemp(place)
    with OrthancServer(
        folder / "server",
        plugins=("libOrthancPython.so", "libOrthancDicomWeb.so"),
        treegarth={
            "SignIn": "orthanc",
            "PublicUrl": f"{public_url(place)}/",
            "StableSeconds": 1,
            "DestinationPlaces": places(tmp_path_factory.getbasetemp()),
        },
        settings={
            "AuthenticationEnabled": True,
            "RegisteredUsers": {USER: PASSWORD},
            "DicomWeb": {"Root": ROOT_OF_DICOMWEB[place]},
        },
    ) as server:
        server.start(wait=False).wait_until_ready(login=(USER, PASSWORD))
        document, gone = (encapsulated_pdf(folder / name) for name in ("report.dcm", "gone.dcm"))
        store(server, folder / "report.dcm", folder / "gone.dcm")
        push_two_studies(server, LOGIN)
        yield Published(server=server, place=place, known=prepared(server, folder, gone, LOGIN), document=document)
        assert server.stop() == 0
        assert server.error_lines() == []


@pytest.fixture(scope="module", params=["nginx", pytest.param("caddy", marks=pytest.mark.soak)])
def proxy(
    request: pytest.FixtureRequest, published: Published, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    kind: Kind = request.param
    folder = tmp_path_factory.mktemp("proxies") / kind
    with Proxy(kind, published.place, folder, published.server.http_port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def chromium(driver: Playwright, proxy: Proxy) -> Iterator[Browser]:
    """One that finds the public name at the proxy."""
    chromium = driver.chromium.launch(executable_path=WHOLE_CHROMIUM, args=[*SOFTWARE_WEBGL, proxy.browser_argument])
    yield chromium
    chromium.close()


@pytest.fixture
def visit(chromium: Browser, published: Published) -> Iterator[Visit]:
    """A window of somebody who is logged in."""
    context = chromium.new_context(
        viewport={"width": 1280, "height": 900},
        locale="en",
        ignore_https_errors=True,
        http_credentials={"username": USER, "password": PASSWORD},
    )
    context.set_default_timeout(60_000)
    yield Visit(context.new_page(), published.url)
    context.close()


def test_every_page_is_whole_and_every_address_in_it_leads_somewhere(visit: Visit, published: Published) -> None:
    """The browser asks for them as its pages do and does not draw them: the next test draws those of the navigation."""
    begin = f"{PATHS[published.place]}/"
    visit.go("")
    answers = visit.page.evaluate(ASK, [f"{begin}treegarth/{path}" for path in pages(published.known)])
    assert [a["path"] for a in answers if (a["status"], a["headings"]) != (200, 1)] == []
    tried = {path: f"{begin}treegarth/{path}" for path in no_pages(published.known)}  # one address of each shape
    for answer in answers:
        for found in answer["addresses"]:
            parts = urlsplit(found["address"])
            if parts.path and found["name"] != "hx-post":  # others are of this page
                tried.setdefault(re.sub(r"[0-9a-f-]{8,}|[\d.]+", "#", parts.path), found["address"])
            assert not parts.path or (parts.netloc == "" and parts.path.startswith(begin)), (answer["path"], found)
    assert len(tried) > len(answers)
    statuses = {address: visit.page.evaluate(STATUS_OF, address) for address in tried.values()}
    assert {address: status for address, status in statuses.items() if status >= 400} == {}
    assert visit.complaints == []


def test_the_navigation_search_and_the_cookies_of_language_and_theme_work(visit: Visit, published: Published) -> None:
    page = visit.go("")
    for entry in page.locator(".rail li a").all_inner_texts():
        page.locator(".rail li a", has_text=entry).first.click()
        expect(page.locator(".rail a[aria-current=page]")).to_have_text(entry)
    page.locator("#find").fill(published.known["patient_id"])
    page.locator("#find").press("Enter")
    page.wait_for_url(f"{published.url}/treegarth/studies?q=*")
    page.locator("tr[data-row] a[data-open]").first.click()
    page.wait_for_selector("[data-panel-of]")
    page.get_by_role("link", name="한국어").click()
    page.wait_for_selector("html[lang=ko]")
    page.get_by_role("link", name="어둡게").click()
    page.wait_for_selector("html[data-theme=dark]")
    visit.go("dose")
    assert page.locator("html").get_attribute("lang") == "ko"
    cookies = {cookie.get("name"): cookie for cookie in page.context.cookies(published.url + "/treegarth/")}
    for name in ("treegarth_language", "treegarth_theme"):
        cookie = cookies[name]
        place = (cookie.get("domain"), cookie.get("path"), cookie.get("secure"), cookie.get("httpOnly"))
        assert place == (PUBLIC_HOST, f"{PATHS[published.place]}/treegarth/", True, True)
    assert visit.complaints == []


def test_forms_change_something_and_lead_to_where_they_should(
    visit: Visit, proxy: Proxy, published: Published, tmp_path: Path
) -> None:
    page = visit.go("system")
    page.get_by_role("button", name="Compare now").click()
    page.wait_for_load_state("networkidle")
    assert page.url == f"{published.url}/treegarth/system"
    visit.go("deliveries/destinations/new")
    page.locator("#name").fill(f"By {proxy.kind}")
    page.locator("input[value=folder]").check()
    page.wait_for_selector("[name='address.path']")
    page.locator("[name='address.path']").fill(str(tmp_path))
    page.locator("#save").click()
    page.wait_for_url(re.compile(rf"^{re.escape(published.url)}/treegarth/deliveries/destinations/\d+$"))
    expect(page.locator("h1")).to_have_text(f"By {proxy.kind}")
    assert visit.complaints == []


def test_a_form_of_another_site_is_refused(visit: Visit, published: Published) -> None:
    page, evil = visit.page, "https://evil.example/"
    form = f"<form method=post action={published.url}/treegarth/system/compare><button>Win</button></form>"
    page.route(evil, lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto(evil)
    with page.expect_response(f"{published.url}/treegarth/system/compare") as refused:
        page.get_by_role("button", name="Win").click()
    assert refused.value.status == 403
    expect(page.locator("body")).to_contain_text("came from a page of another site")


def test_explorers_button_leads_here_and_ours_leads_back(visit: Visit, published: Published) -> None:
    page, study = visit.page, published.known
    page.goto(f"{published.url}/app/explorer.html#study?uuid={study['orthanc_study_id']}")
    page.get_by_role("link", name="Open in Treegarth").click()
    page.wait_for_url(f"{published.url}/treegarth/studies/{study['study_instance_uid']}")
    page.get_by_role("link", name="In Orthanc").first.click()
    page.wait_for_url(f"{published.url}/app/explorer.html#study?uuid={study['orthanc_study_id']}")
    page.goto(f"{published.url}/")
    page.wait_for_url(f"{published.url}/app/explorer.html")
    page.get_by_role("link", name="Treegarth: today").click()
    page.wait_for_url(f"{published.url}/treegarth/")
    assert visit.complaints == []


def test_a_study_shows_its_pictures_and_is_downloaded(visit: Visit, published: Published) -> None:
    page = visit.go(f"studies/{published.known['study_instance_uid']}")
    pictures = page.locator(".thumb img")
    assert pictures.count() > 0
    for number in range(pictures.count()):
        pictures.nth(number).scroll_into_view_if_needed()
    wait_until(page, "[...document.querySelectorAll('.thumb img')].every(p => p.complete && p.naturalWidth > 0)")
    with page.expect_download() as download:
        page.get_by_role("link", name="DICOM files (ZIP)").click()
    assert Path(download.value.path()).read_bytes()[:2] == b"PK"
    assert visit.complaints == []


def test_ohif_shows_pixels_and_a_pdf(visit: Visit, published: Published) -> None:
    page = visit.go(f"studies/{published.known['study_instance_uid']}")
    page.locator("[data-viewer]").first.click()
    assert wait_for_pixels(page) >= ENOUGH
    visit.go(f"studies/{published.document}")
    page.locator("[data-viewer]").first.click()
    assert wait_for_share(page, coloured_share) >= ENOUGH
    assert [complaint for complaint in visit.complaints if not complaint.startswith("console warning")] == []


def test_the_addresses_of_bulk_data_lead_here(visit: Visit, published: Published) -> None:
    visit.go("")
    root = f"{published.url}/{ROOT_OF_DICOMWEB[published.place].strip('/')}"
    found = visit.page.evaluate(
        """async root => {
          const metadata = await (await fetch(root, {headers: {Accept: 'application/dicom+json'}})).json();
          const address = metadata[0]['00420011'].BulkDataURI;
          const answer = await fetch(address, {headers: {Accept: 'multipart/related; type=application/octet-stream'}});
          return [address, answer.status, (await answer.text()).includes('%PDF-1.4')];
        }""",
        f"{root}/studies/{published.document}/metadata",
    )
    assert found[0].startswith(f"{root}/studies/{published.document}/series/")
    assert found[1:] == [200, True]
