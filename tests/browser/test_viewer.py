"""The button of a study opens OHIF, and OHIF shows pixels of the CT and the PDF that were pushed."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Playwright

from tests.browser.conftest import CHROMIUM
from tests.documents import COLOUR, encapsulated_pdf
from tests.servers import OrthancServer, store

SOFTWARE_WEBGL = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
BRIGHT = 60  # of 255; an empty viewport is black but for a few letters
ENOUGH = 0.03  # of the viewport
PATIENCE_S = 90


def bright_share(canvas: Locator) -> float:
    """The share of a canvas' pixels that are brighter than an empty viewport's."""
    picture = Image.open(BytesIO(canvas.screenshot())).convert("L")
    return float((np.asarray(picture) > BRIGHT).mean())


def coloured_share(page: Page) -> float:
    """The share of the window that has the colour of the made-up PDF, nearly."""
    picture = np.asarray(Image.open(BytesIO(page.screenshot())).convert("RGB"), dtype=np.int16)
    return float((np.abs(picture - COLOUR).max(axis=2) < 12).mean())


def wait_for_share(page: Page, share_of: Callable[[Any], float], of: Any = None) -> float:
    """What is measured, as soon as it is enough or there is no patience left."""
    deadline, share = monotonic() + PATIENCE_S, 0.0
    while monotonic() < deadline and share < ENOUGH:
        page.wait_for_timeout(500)
        share = share_of(of or page)
    return share


def wait_for_pixels(page: Page) -> float:
    canvas = page.locator("canvas.cornerstone-canvas").first
    canvas.wait_for(timeout=PATIENCE_S * 1000)
    return wait_for_share(page, bright_share, canvas)


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


@pytest.mark.timeout(240)
def test_ohif_shows_a_pdf_wherever_dicomweb_is(driver: Playwright, tmp_path: Path) -> None:
    """Debian's configuration names the host `localhost`, without a port: bulk data are asked for here all the same."""
    dicomweb = {"Root": "pacs/images", "Host": "localhost"}
    plugins = ("libOrthancPython.so", "libOrthancDicomWeb.so")
    study = encapsulated_pdf(tmp_path / "report.dcm")
    with OrthancServer(tmp_path / "server", plugins=plugins, settings={"DicomWeb": dicomweb}).start() as server:
        store(server, tmp_path / "report.dcm")
        server.wait_until_idle()
        complaints: list[str] = []
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE_WEBGL)
        page = chromium.new_page(viewport={"width": 1280, "height": 720})
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"{server.base_url}/ohif/viewer?StudyInstanceUIDs={study}")
        assert wait_for_share(page, coloured_share) >= ENOUGH
        chromium.close()
        assert complaints == []
