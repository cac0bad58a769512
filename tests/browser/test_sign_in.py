"""A person behind the hospital's proxy: led to the sign-in and back, in the viewer as well, and out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Playwright

from tests.browser.conftest import WHOLE_CHROMIUM
from tests.browser.every_page import push_two_studies
from tests.browser.test_viewer import ENOUGH, PATIENCE_S, SOFTWARE_WEBGL, wait_for_pixels
from tests.delivery_support import ledger_of
from tests.proxies import Proxy, public_url
from tests.servers import OrthancServer
from tests.sign_in_support import PASSWORD, add_token, add_user, of_user, until

URL = public_url("prefix")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OrthancServer]:
    """Its users sign in by its own page; it holds two studies of the made-up day."""
    with OrthancServer(
        tmp_path / "server",
        plugins=("libOrthancPython.so", "libOrthancDicomWeb.so"),
        treegarth={"SignIn": "treegarth", "PublicUrl": f"{URL}/", "StableSeconds": 1},
        settings={"DicomWeb": {"Root": "/pacs/dicom-web/"}},
    ) as made:
        made.start()
        token = add_token(made, add_user(made, "root", "administrator"))
        add_user(made, "김민수", "physicist")
        until(200, "GET", f"{made.url}/studies", 10, headers=of_user(token))
        push_two_studies(made, ("program", token))
        yield made
        assert made.stop() == 0
        assert made.error_lines() == []


def sign_in(page: Page, place: str) -> None:
    """At the page to which somebody was led who wanted to be there; it leads back."""
    page.wait_for_url("**/treegarth/sign-in?*", timeout=PATIENCE_S * 1000)
    assert parse_qs(urlsplit(page.url).query)["next"] == [place.removeprefix(f"https://{urlsplit(URL).netloc}")]
    page.fill("#name", "김민수")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(place)


def test_a_reader_is_led_to_the_sign_in_and_back_to_what_was_being_read(
    driver: Playwright, server: OrthancServer, tmp_path: Path
) -> None:
    with Proxy("nginx", "prefix", tmp_path / "nginx", server.http_port) as proxy:
        options = [*SOFTWARE_WEBGL, proxy.browser_argument]
        chromium = driver.chromium.launch(executable_path=WHOLE_CHROMIUM, args=options)
        context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="ko", ignore_https_errors=True)
        page = context.new_page()
        studies = f"{URL}/treegarth/studies?modality=CT"
        page.goto(studies)
        sign_in(page, studies)
        (cookie,) = [one for one in context.cookies() if one["name"] == "treegarth_session"]
        assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax")
        page.locator("tbody tr a").first.click()
        page.locator("[data-viewer]").first.click()
        assert wait_for_pixels(page) >= ENOUGH

        viewer = page.url
        with ledger_of(server) as ledger, ledger.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE user_session SET ended_at = now()")
        until(403, "GET", f"{server.url}/studies", 10, cookies={"treegarth_session": cookie["value"]})
        page.evaluate("fetch('/pacs/dicom-web/studies')")  # as the viewer asks for the next series
        sign_in(page, viewer)
        assert wait_for_pixels(page) >= ENOUGH

        page.goto(studies)
        page.get_by_role("button", name="로그아웃").click()
        page.wait_for_url("**/treegarth/sign-in")
        page.goto(studies)
        page.wait_for_url("**/treegarth/sign-in?*")
        chromium.close()
