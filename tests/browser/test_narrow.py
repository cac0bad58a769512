"""Every page on a telephone, a small screen, a tablet and on paper: nothing wider than its place, nothing cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Visit, windows
from tests.browser.every_page import pages, prepared, push_two_studies
from tests.browser.page_reading import wait_until
from tests.documents import encapsulated_pdf
from tests.places import places
from tests.servers import OrthancServer, store

WIDTH = 390
SMALL = ((1280, 720), (820, 1180))
PAPER = (1032, 700)
"""A4, landscape, less its margins, in CSS pixels."""
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

CUT_OFF = """() => [...document.querySelectorAll('main *')].filter(one => {
  if (one.closest('.visually-hidden, dialog') || !one.checkVisibility()) return false;
  const hides = ['hidden', 'clip'].includes(getComputedStyle(one).overflowX);
  return hides && one.scrollWidth > one.clientWidth + 1 && /[0-9]/.test(one.textContent);
}).map(one => one.outerHTML.slice(0, 90))"""
PLACE = "[scrollY, document.activeElement === document.body]"
ON_PAPER = """() => {
  const gone = (one) => !one.closest('details:has(form), dialog, .choose') && one.getClientRects().length === 0;
  const scrolls = (one) => ['auto', 'scroll', 'hidden'].includes(getComputedStyle(one).overflowX)
    && one.scrollWidth > one.clientWidth + 1 && !one.closest('.lines, .command, pre, .code, select, .visually-hidden');
  const cells = [...document.querySelectorAll('main :is(th, td)')];
  return {
    width: document.documentElement.scrollWidth,
    gone: cells.filter(gone).map(one => one.outerHTML.slice(0, 90)),
    scrolls: [...document.querySelectorAll('main *')].filter(scrolls).map(one => one.outerHTML.slice(0, 90)),
    heads: cells.filter(one => getComputedStyle(one).position === 'sticky').length,
    links: [...document.querySelectorAll('.rail, .top, .tabs, button')].filter(one => one.checkVisibility()).length,
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


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.soak), "ko"])
def test_every_page_fits_a_telephone_and_a_small_screen_and_is_read_from_its_top(
    browser: Browser, filled: Filled, language: str
) -> None:
    cut_off: dict[str, Any] = {}
    found = {}
    with windows(browser, filled.server) as make:
        visit: Visit = make(language=language)
        for path in (*pages(filled.known), *(one.format(**filled.known) for one in FURTHER)):
            visit.page.set_viewport_size({"width": WIDTH, "height": 844})
            visit.page.goto(f"{visit.origin}/treegarth/{path}")
            place = visit.page.evaluate(PLACE)
            found[path] = visit.page.evaluate(MEASURE)
            for width, height in SMALL:
                visit.page.set_viewport_size({"width": width, "height": height})
                cut = visit.page.evaluate(CUT_OFF)
                if cut or place != [0, True]:
                    cut_off[f"{path} {width}"] = (place, cut[:3])
    assert len(found) > len(FURTHER) + 30
    wide = [f"{path} {one['width']}: {one['wide']}" for path, one in found.items() if one["width"] > WIDTH]
    assert wide == [], "\n".join(wide)
    assert {path: one["bar"] for path, one in found.items() if one["bar"] > TALLEST_BAR} == {}
    assert [path for path, one in found.items() if not one["help"]] == []
    assert cut_off == {}


@pytest.mark.timeout(1800)
def test_paper_loses_no_column(browser: Browser, filled: Filled) -> None:
    found: dict[str, Any] = {}
    with windows(browser, filled.server) as make:
        visit: Visit = make()
        visit.page.emulate_media(media="print")
        visit.page.set_viewport_size({"width": PAPER[0], "height": PAPER[1]})
        for path in (*pages(filled.known), *(one.format(**filled.known) for one in FURTHER)):
            visit.page.goto(f"{visit.origin}/treegarth/{path}")
            seen = visit.page.evaluate(ON_PAPER)
            if seen["width"] > PAPER[0] or seen["gone"] or seen["scrolls"] or seen["heads"] or seen["links"]:
                found[path] = seen
    assert found == {}


def test_paper_says_on_every_sheet_where_it_is_from(browser: Browser, filled: Filled, tmp_path: Path) -> None:
    with windows(browser, filled.server) as make:
        visit: Visit = make()
        address = f"{visit.origin}/treegarth/"
        visit.page.goto(address)
        visit.page.pdf(path=tmp_path / "today.pdf", prefer_css_page_size=True)
        absolute = visit.page.locator("#newest time").first.get_attribute("title")
    written = run(["pdftotext", "-layout", tmp_path / "today.pdf", "-"], capture_output=True, text=True, check=True)
    sheets = [sheet for sheet in written.stdout.split("\f") if sheet.strip()]
    assert len(sheets) > 1
    assert all(address in sheet and "Printed 20" in sheet for sheet in sheets)
    assert sum(bool(re.search(r"^\s*Day\s", sheet, re.MULTILINE)) for sheet in sheets) > 1  # one table on two sheets
    days = set(re.findall(r"^\s*(20[0-9]{2}-[0-9]{2}-[0-9]{2})\s", written.stdout, re.MULTILINE))
    assert len(days) >= 30
    assert absolute is not None
    assert absolute in written.stdout
    assert " ago" not in written.stdout


def test_another_page_of_a_list_is_read_from_its_top(browser: Browser, filled: Filled) -> None:
    with windows(browser, filled.server) as make:
        visit: Visit = make()
        visit.page.set_viewport_size({"width": 1280, "height": 420})
        visit.page.goto(f"{visit.origin}/treegarth/dose/sources")
        visit.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        assert visit.page.evaluate("scrollY") > 0
        visit.page.get_by_role("link", name="Kind").evaluate("link => link.click()")
        visit.page.wait_for_url("**sort=*kind*")
        wait_until(visit.page, "scrollY === 0")


def test_a_day_is_written_in_iso_form_and_chosen_in_a_calendar(browser: Browser, filled: Filled) -> None:
    with windows(browser, filled.server) as make:
        visit: Visit = make()
        visit.page.goto(f"{visit.origin}/treegarth/studies")
        first = visit.page.get_by_label("From", exact=True)
        first.fill("20200105")
        first.press("Enter")
        visit.page.wait_for_url("**study_date_from=2020-01-05*")
        assert first.input_value() == "2020-01-05"
        visit.page.get_by_role("button", name="Choose a day").first.click()
        visit.page.locator("input[type=date]").evaluate(
            "input => { input.value = '2021-02-03'; input.dispatchEvent(new Event('change')); }"
        )
        visit.page.wait_for_url("**study_date_from=2021-02-03*")
        wait_until(visit.page, "document.querySelector('#filters input[type=date]') === null")
