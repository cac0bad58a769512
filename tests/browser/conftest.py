"""A server with a made-up hospital day, and Debian's headless Chromium to look at it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import LOCK_EX, flock
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    Response,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.servers import OrthancServer, copied_server
from treegarth.demo.demonstration import demonstrate
from treegarth.demo.examinations import Extent

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium-headless-shell")
"""Takes half the processor time of the whole Chromium, which alone shows a PDF."""
WHOLE_CHROMIUM = os.environ.get("WHOLE_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
# What htmx says of a request that did not end; the browser tells of it too, and whether that was by leaving the page.
NO_ANSWER_OF_HTMX = re.compile(r"htmx:(afterRequest|sendError|sendAbort)")
expect.set_options(timeout=60_000)  # as what a page is asked for: a busy machine may take long for each
AXE = Path(__file__).resolve().parents[2] / "web" / "vendor" / "axe.min.js"


@dataclass
class Visit:
    """A page, and everything it did that a person would not want."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("request", self._on_request)
        self.page.on("response", self._on_response)
        self.page.on("requestfailed", self._on_request_failed)

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.origin}/treegarth/{path}")
        self.page.wait_for_load_state("networkidle")
        return self.page

    def use_theme(self, theme: str) -> None:
        """From the next page on."""
        url = f"{self.origin}/treegarth/"
        self.page.context.add_cookies([{"name": "treegarth_theme", "value": theme, "url": url}])

    @property
    def query(self) -> str:
        return urlsplit(self.page.url).query

    def violations(self, *, of_colours: bool = False) -> list[str]:
        """What axe-core calls serious or critical; or only what another theme of the same page can change."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        wanted = {"resultTypes": ["violations"], **({"runOnly": ["color-contrast"]} if of_colours else {})}
        found = self.page.evaluate("wanted => axe.run(document, wanted).then(result => result.violations)", wanted)
        return [
            f"{violation['impact']} {violation['id']}: {node['html'][:160]}"
            for violation in found
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not NO_ANSWER_OF_HTMX.match(message.text):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "data:", "blob:", "chrome:", "chrome-extension:")):
            self.complaints.append(f"asked another server: {request.url}")

    def _on_request_failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.failure} {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")


PLUGINS = ("libOrthancPython.so", "libOrthancDicomWeb.so")


@pytest.fixture(scope="session")
def made_up_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server that has received and read the made-up day, and ended. One for all processes of a run."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "made-up-day"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not (folder / "made").exists():
            server = OrthancServer(folder / "server", plugins=PLUGINS).start()
            output, extent = StringIO(), Extent(slices=0.25, detail=0.25)
            code = demonstrate(server.url, server.dicom_port, "TREEGARTH", True, output, extent=extent)
            assert code == 0, output.getvalue()
            assert server.stop() == 0
            assert server.error_lines() == []
            (folder / "made").touch()
    return folder / "server"


@pytest.fixture(scope="package")
def treegarth_server(made_up_day: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancServer]:
    """A running Orthanc with Treegarth that has received and read the made-up day. It ends with the browser's tests."""
    server = copied_server(made_up_day, tmp_path_factory.mktemp("browser") / "server", plugins=PLUGINS).start()
    server.wait_until_idle()
    yield server
    assert server.stop() == 0
    assert server.error_lines() == []


@pytest.fixture(scope="package")
def driver() -> Iterator[Playwright]:
    """The one Playwright of the browser's tests."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(driver: Playwright) -> Iterator[Browser]:
    chromium = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield chromium
    chromium.close()


@contextmanager
def windows(browser: Browser, server: OrthancServer, *, height: int = 900) -> Iterator[Callable[..., Visit]]:
    """Opens windows on a server with a language, a theme, with or without JavaScript; closes them at the end."""
    contexts: list[BrowserContext] = []

    def make(*, language: str = "en", theme: str = "light", javascript: bool = True) -> Visit:
        viewport: ViewportSize = {"width": 1280, "height": height}
        context = browser.new_context(viewport=viewport, locale=language, java_script_enabled=javascript)
        cookies = (("treegarth_language", language), ("treegarth_theme", theme))
        url = f"{server.url}/treegarth/"
        context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies])
        context.set_default_timeout(60_000)
        contexts.append(context)
        return Visit(context.new_page(), server.url)

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def new_visit(browser: Browser, treegarth_server: OrthancServer) -> Iterator[Callable[..., Visit]]:
    """Windows of 1280 × 720 on the server with the made-up day."""
    with windows(browser, treegarth_server, height=720) as make:
        yield make


@pytest.fixture
def visit(new_visit: Callable[..., Visit]) -> Visit:
    """An English window on light paper."""
    return new_visit()
