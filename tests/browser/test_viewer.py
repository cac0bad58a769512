"""The button of a study opens OHIF, and OHIF shows pixels of the CT and the PDF that were pushed."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image
from playwright.sync_api import Locator, Page, Playwright

from tests.browser.conftest import CHROMIUM, WHOLE_CHROMIUM
from tests.browser.test_pages import PAGES
from tests.deep_objects import KILLS_ORTHANC, deep_object
from tests.documents import COLOUR, encapsulated_pdf
from tests.load import bench_instances
from tests.servers import OrthancServer, script_without_filter, store
from treegarth.dicom.depth import DEEPEST_NESTING
from treegarth.web.formats import readable_name

SOFTWARE_WEBGL = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",  # to draw pages by WebGL in software takes three times the work
]
BRIGHT = 60  # of 255; an empty viewport is black but for a few letters
ENOUGH = 0.03  # of the viewport
PATIENCE_S = 150  # in software, beside other tests


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


def test_ohif_shows_the_pixels_of_a_ct_its_report_and_the_way_back(
    driver: Playwright, treegarth_server: OrthancServer
) -> None:
    """On the first series that is no localizer, in the reader's language, with names and dates as the dashboard has."""
    study = next(one for one in treegarth_server.get("studies", modality="CT")["items"] if "흉부" in str(one))
    uid = study["study_instance_uid"]
    page_of_study = f"{treegarth_server.base_url}/studies/{uid}"
    complaints: list[str] = []
    chromium = driver.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE_WEBGL)
    page = chromium.new_page(viewport={"width": 1280, "height": 720}, locale="ko-KR")
    page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= 400 else None)
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(page_of_study)
    page.locator("[data-viewer]").first.click()
    assert wait_for_pixels(page) >= ENOUGH
    thumbnails = page.locator('[data-cy^="study-browser-thumbnail"]')
    assert "Localizer" in thumbnails.nth(0).inner_text()
    active = page.locator('[data-cy="viewport-pane"], .viewport-wrapper').first
    active.get_by_text(thumbnails.nth(1).inner_text().splitlines()[1]).first.wait_for(timeout=PATIENCE_S * 1000)
    assert page.get_by_text(study["study_date"]).count() > 0  # 2026-11-20
    names = [
        None,
        "",
        study["patient_name"],
        "Hong^Gildong=洪^吉洞=홍^길동",
        "홍^길동",
        "YAMADA^TAROU=山田^太郎=やまだ^たろう",
    ]
    names += ["MÜLLER^JÜRGEN^^DR.", "O'BRIEN^SIOBHAN^MARY", "A^B^C^D^E", "=洪^吉洞"]
    for name in names:
        groups = dict(zip(("Alphabetic", "Ideographic", "Phonetic"), (name or "").split("="), strict=False))
        for given in (name, groups, [groups]):
            shown = page.evaluate("name => window.config.treegarth.personName(name)", given)
            assert (shown or None) == (readable_name(name) if name else None), (name, given)
    thumbnails.filter(has_text="SR").first.dblclick()
    page.locator("[data-readable-report] a").click()
    page.wait_for_url(f"{page_of_study}/series/*/instances/*")
    assert page.locator(".content-tree").count() == 1
    page.go_back()
    page.get_by_role("link", name="검사로 돌아가기").click(timeout=PATIENCE_S * 1000)
    page.wait_for_url(page_of_study)
    chromium.close()
    assert complaints == []


def test_ohif_shows_a_pdf_wherever_dicomweb_is(driver: Playwright, tmp_path: Path) -> None:
    """Debian's configuration names the host `localhost`, without a port: bulk data are asked for here all the same."""
    dicomweb = {"Root": "pacs/images", "Host": "localhost"}
    plugins = ("libOrthancPython.so", "libOrthancDicomWeb.so")
    study = encapsulated_pdf(tmp_path / "report.dcm")
    with OrthancServer(tmp_path / "server", plugins=plugins, settings={"DicomWeb": dicomweb}).start() as server:
        store(server, tmp_path / "report.dcm")
        server.wait_until_idle()
        complaints: list[str] = []
        chromium = driver.chromium.launch(executable_path=WHOLE_CHROMIUM, args=SOFTWARE_WEBGL)
        page = chromium.new_page(viewport={"width": 1280, "height": 720})
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"{server.base_url}/ohif/viewer?StudyInstanceUIDs={study}")
        assert wait_for_share(page, coloured_share) >= ENOUGH
        chromium.close()
        assert complaints == []


@pytest.mark.soak
def test_ohif_shows_one_patient_beside_an_object_of_another_that_would_end_orthanc(
    driver: Playwright, tmp_path: Path
) -> None:
    """Stored by REST, where nothing of ours can refuse it: no page, and no list of the viewer, has Orthanc read it."""
    plugins = ("libOrthancPython.so", "libOrthancDicomWeb.so")
    script = script_without_filter(tmp_path / "entry.py")
    with OrthancServer(tmp_path / "server", plugins=plugins, settings={"PythonScript": str(script)}).start() as server:
        small_ct = tmp_path / "ct"
        small_ct.mkdir()
        bench_instances(3, small_ct, series_size=3, series_per_study=1)
        store(server, small_ct)
        by_rest = deep_object(1, DEEPEST_NESTING + 1)
        requests.post(f"{server.url}/instances", data=by_rest, timeout=120).raise_for_status()
        (tmp_path / "deeper.dcm").write_bytes(deep_object(2, KILLS_ORTHANC))  # an upload of it would end Orthanc 1.10.1
        store(server, tmp_path / "deeper.dcm")
        server.wait_until_idle()
        studies = server.get("studies")["items"]
        assert len(studies) == 3
        study = next(one for one in studies if not one["patient_id"].startswith("BAD"))
        asked: list[str] = []
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE_WEBGL)
        page = chromium.new_page(viewport={"width": 1280, "height": 720})
        page.on("request", lambda request: asked.append(request.url))
        for place in PAGES.values():
            if "{" not in place:
                page.goto(f"{server.base_url}/{place}")
        for other in studies:
            page.goto(f"{server.base_url}/studies/{other['study_instance_uid']}")
            assert page.locator("[data-viewer]").count() == (1 if other is study else 0)
        page.goto(f"{server.base_url}/studies/{study['study_instance_uid']}")
        page.locator("[data-viewer]").first.click()
        assert wait_for_pixels(page) >= ENOUGH
        chromium.close()
        lists = [url for url in asked if "/dicom-web/studies?" in url]
        own = (f"StudyInstanceUID={study['study_instance_uid']}", f"00100020={study['patient_id']}&")
        assert lists != []
        assert [url for url in lists if own[0] not in url and own[1] not in url] == []
        assert len(server.orthanc("instances")) == 5
        assert server.stop() == 0
