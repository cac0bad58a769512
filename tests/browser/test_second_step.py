"""An authenticator app from its QR code to the sign-in, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pyotp import TOTP

from tests.browser.conftest import windows
from tests.servers import OrthancServer
from tests.sign_in_support import PASSWORD, add_user


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OrthancServer]:
    made = OrthancServer(tmp_path / "server", treegarth={"SignIn": "treegarth"}).start()
    add_user(made, "Ada", "administrator")
    yield made
    assert made.stop() == 0
    assert made.error_lines() == []


def sign_in(page: Page) -> None:
    page.fill("#name", "ada")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")


def test_an_app_is_set_up_by_its_picture_and_asked_from_then_on(server: OrthancServer, browser: Browser) -> None:
    with windows(browser, server) as new_visit:
        visit = new_visit()
        page = visit.go("account/second-step")
        sign_in(page)
        page.wait_for_url("**/account/second-step")
        page.fill("#begin", PASSWORD)
        page.press("#begin", "Enter")
        picture = page.locator(".qr svg")
        expect(picture).to_be_visible()
        box = picture.bounding_box()
        assert box is not None
        assert box["width"] == box["height"] > 150
        assert visit.violations() == []
        app = TOTP(page.inner_text("code.key").replace(" ", ""))
        page.fill("#code", app.now())
        page.press("#code", "Enter")
        expect(page.locator(".recovery-codes code")).to_have_count(10)
        assert visit.violations() == []
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in")
        sign_in(page)
        page.wait_for_url("**/sign-in/code")
        expect(page.locator("#code")).to_be_focused()
        assert visit.violations() == []
        page.fill("#code", app.at(datetime.now(UTC) + timedelta(seconds=30)))
        page.press("#code", "Enter")
        page.wait_for_url("**/treegarth/")
        assert visit.complaints == []
