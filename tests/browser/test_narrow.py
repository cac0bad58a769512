"""Every page on a telephone, in both languages: as wide as it, with a bar of one height and a way to Help."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Visit, windows
from tests.browser.every_page import pages, prepared, push_two_studies
from tests.documents import encapsulated_pdf
from tests.places import places
from tests.servers import OrthancServer, store

WIDTH = 390
TALLEST_BAR = 64
FURTHER = ("studies?open={study_instance_uid}", "studies?q=nobody", "?arrivals=table", "dose/missing?months=table")
MEASURE = """() => {
  const wide = [...document.querySelectorAll('body *')].filter(one => {
    if (one.closest('.scroll, .rail, pre, dialog, .visually-hidden, .command')) return false;
    return one.getBoundingClientRect().right > innerWidth + 0.5;
  });
  const help = document.querySelector('.rail [data-help]');
  return {
    width: document.documentElement.scrollWidth,
    bar: document.querySelector('.rail').getBoundingClientRect().height,
    help: help !== null && help.getBoundingClientRect().width > 0
      && help.getBoundingClientRect().right <= innerWidth,
    wide: wide.slice(0, 3).map(one => one.outerHTML.slice(0, 90)),
  };
}"""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A server of which every page has something to show."""

    server: OrthancServer
    known: dict[str, Any]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("narrow")
    with OrthancServer(
        folder / "server",
        plugins=("libOrthancPython.so", "libOrthancDicomWeb.so"),
        treegarth={"StableSeconds": 1, "DestinationPlaces": places(tmp_path_factory.getbasetemp())},
    ) as server:
        server.start()
        _, gone = (encapsulated_pdf(folder / name) for name in ("report.dcm", "gone.dcm"))
        store(server, folder / "report.dcm", folder / "gone.dcm")
        push_two_studies(server)
        yield Filled(server=server, known=prepared(server, folder, gone))
        assert server.stop() == 0
        assert server.error_lines() == []


@pytest.mark.timeout(240)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_page_is_as_wide_as_a_telephone(browser: Browser, filled: Filled, language: str) -> None:
    paths = pages(filled.known)
    with windows(browser, filled.server) as make:
        visit: Visit = make(language=language)
        visit.page.set_viewport_size({"width": WIDTH, "height": 844})
        found = {}
        for path in (*paths, *(one.format(**filled.known) for one in FURTHER)):
            visit.page.goto(f"{visit.origin}/treegarth/{path}")
            found[path] = visit.page.evaluate(MEASURE)
    assert len(found) > len(FURTHER) + 30
    wide = [f"{path} {one['width']}: {one['wide']}" for path, one in found.items() if one["width"] > WIDTH]
    assert wide == [], "\n".join(wide)
    assert {path: one["bar"] for path, one in found.items() if one["bar"] > TALLEST_BAR} == {}
    assert [path for path, one in found.items() if not one["help"]] == []
