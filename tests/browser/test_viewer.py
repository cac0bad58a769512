"""The button of a study opens OHIF, and OHIF shows pixels of the CT that was pushed."""

from __future__ import annotations

from io import BytesIO
from time import monotonic

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Playwright

from tests.browser.conftest import CHROMIUM
from tests.servers import OrthancServer

SOFTWARE_WEBGL = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
BRIGHT = 60  # of 255; an empty viewport is black but for a few letters
ENOUGH = 0.03  # of the viewport
PATIENCE_S = 90


def bright_share(canvas: Locator) -> float:
    """The share of a canvas' pixels that are brighter than an empty viewport's."""
    picture = Image.open(BytesIO(canvas.screenshot())).convert("L")
    return float((np.asarray(picture) > BRIGHT).mean())


def wait_for_pixels(page: Page) -> float:
    canvas = page.locator("canvas.cornerstone-canvas").first
    canvas.wait_for(timeout=PATIENCE_S * 1000)
    deadline, share = monotonic() + PATIENCE_S, 0.0
    while monotonic() < deadline and share < ENOUGH:
        page.wait_for_timeout(500)
        share = bright_share(canvas)
    return share


@pytest.mark.timeout(240)
def test_ohif_shows_the_pixels_of_a_ct(driver: Playwright, treegarth_server: OrthancServer) -> None:
    study = treegarth_server.get("studies", modality="CT")["items"][0]["study_instance_uid"]
    refused: list[str] = []
    chromium = driver.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE_WEBGL)
    page = chromium.new_page(viewport={"width": 1280, "height": 720})
    page.on("response", lambda response: refused.append(response.url) if response.status >= 400 else None)
    page.goto(f"{treegarth_server.base_url}/studies/{study}")
    page.locator("[data-viewer]").first.click()
    assert wait_for_pixels(page) >= ENOUGH
    chromium.close()
    assert refused == []
