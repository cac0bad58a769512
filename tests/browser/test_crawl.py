"""Everything that can be pressed on the demonstration's dashboard is pressed: each link, each button, each form.

A browser begins at Today and follows what it finds. A form that is new is in `FORMS` with what is typed into it, or a
test fails; so it does for a page that no link leads to. `make soak` follows the like more often, and in Korean too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Error
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from tests.browser.conftest import PLUGINS, windows
from tests.browser.crawling import Bounds, Crawl, Place
from tests.browser.every_page import NO_PAGES, every_route, html_routes, prepared
from tests.browser.every_state import states
from tests.browser.form_fillings import ELSEWHERE, FILES_OF_MANY, FORMS, FURTHER, Filling
from tests.browser.form_sending import Sender, fill_in
from tests.browser.page_reading import Button, read
from tests.documents import encapsulated_pdf
from tests.places import places
from tests.servers import ROOT, OrthancServer, copied_server, store
from tests.studies import small_studies
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application

SOAK = os.environ.get("TREEGARTH_SOAK") == "1"
SHORT = Bounds(instances=1, variants=0, names=1, swaps=1, lists=3, as_it_stands=False, everywhere=False)
LONG = Bounds(instances=3, variants=3, names=2, swaps=40, lists=100, as_it_stands=True, everywhere=True)
BOUNDS = LONG if SOAK else SHORT
KOREAN = Bounds(instances=3, variants=1, names=1, swaps=1, lists=100, as_it_stands=False, everywhere=True)
BY_NO_LINK = {
    "accounts.account_page": "the name of who has signed in leads there: nobody signs in at this server",
    "archive.not_shown_page": "health leads there while an object is nested too deep for Orthanc: the demo has none",
    "rules.why_page": "a form of a rule's page leads there, with the study that is typed in",
    "retention.preview_page": "scripts put it into the policy's page, in place of the link to it",
}
"""Pages that no link of the dashboard leads to: by the name of the route, why."""
BEGINNINGS = {
    ".csv": b"\xef\xbb\xbf",
    ".xlsx": b"PK\x03\x04",
    ".parquet": b"PAR1",
    "/archive": b"PK\x03\x04",
    "/file": b"",
}
"""What a file begins with, by the end of its address."""


@cache
def addresses() -> MapAdapter:
    return make_application(make_services(ROOT / "web")).url_map.bind("")


def route_of(address: str, method: str = "GET") -> str:
    """The name of the route, "" where the address is none of ours."""
    try:
        return str(addresses().match(urlsplit(address).path, method=method)[0])
    except HTTPException:
        return ""


PAGES = {route.name for route in html_routes()} - NO_PAGES.keys()


def is_page(route: str) -> bool:
    return route in PAGES


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A server of which every page has something to show, and every state a form is made for."""

    server: OrthancServer
    known: dict[str, Any]

    @property
    def start(self) -> str:
        return f"{self.server.base_url}/"

    @property
    def further(self) -> list[str]:
        """Addresses that the walk in `make test` is too short for."""
        return [f"{self.server.base_url}/{path.format(**self.known)}" for path in FURTHER]


@pytest.fixture(scope="module")
def filled(made_up_day: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("crawl")
    treegarth = {"StableSeconds": 1, "DestinationPlaces": places(tmp_path_factory.getbasetemp())}
    with copied_server(made_up_day, folder / "server", treegarth=treegarth, plugins=PLUGINS) as server:
        server.start()
        _, gone = (encapsulated_pdf(folder / name) for name in ("report.dcm", "gone.dcm"))
        without_dose = small_studies(folder / "plain", studies=4, series=1, instances=2, seed=5)
        store(server, folder / "report.dcm", folder / "gone.dcm", *without_dose)
        server.wait_until_idle()
        known = prepared(server, folder, gone)
        yield Filled(server=server, known=known | states(server, known))
        assert server.stop() == 0
        assert server.error_lines() == []


@contextmanager
def walker(browser: Browser, filled: Filled, bounds: Bounds, language: str = "en") -> Iterator[Crawl]:
    with windows(browser, filled.server) as make:
        visit = make(language=language)
        visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield Crawl(visit=visit, route_of=route_of, is_page=is_page, bounds=bounds, language=language)


@pytest.fixture(scope="module")
def crawl(browser: Browser, filled: Filled) -> Iterator[Crawl]:
    with walker(browser, filled, BOUNDS) as one:
        one.walk(filled.start)
        yield one


@pytest.mark.timeout(7200)
def test_every_link_button_and_search_is_answered(crawl: Crawl) -> None:
    assert crawl.faults == [], "\n".join(crawl.faults)
    assert len(crawl.reached) > 30


def test_a_link_leads_to_every_page(crawl: Crawl) -> None:
    assert PAGES - crawl.reached.keys() == BY_NO_LINK.keys()


def test_what_is_no_page_is_there(crawl: Crawl, filled: Filled) -> None:
    """Files, and what leads to Orthanc and its explorers."""
    wrong = [
        f"{place}: {address}: {seen}" for address, place in crawl.others.items() for seen in looked_at(filled, address)
    ]
    assert wrong == [], "\n".join(wrong)
    assert {route_of(address) for address in crawl.others} >= {"archive.studies_csv", "rules.export_page", ""}


def looked_at(filled: Filled, address: str) -> Iterator[str]:
    """What is wrong with the answer."""
    address, fragment = urldefrag(address)
    answer = requests.get(address, timeout=120)
    if answer.status_code != 200:
        yield f"answers {answer.status_code}"
    elif len(answer.content) < 20:
        yield f"answers only {answer.content!r}"
    for end, beginning in BEGINNINGS.items():
        if urlsplit(address).path.endswith(end) and not answer.content.startswith(beginning):
            yield f"begins with {answer.content[:8]!r}"
    for found in re.findall(r"\b[0-9a-f]{8}(?:-[0-9a-f]{8}){4}\b", fragment):
        levels = ("patients", "studies", "series", "instances")
        if not any(requests.get(f"{filled.server.url}/{one}/{found}", timeout=120).ok for one in levels):
            yield f"Orthanc has no {found}"
    for uid in re.findall(r"\b\d+(?:\.\d+){3,}\b", unquote(fragment)):
        if not requests.post(f"{filled.server.url}/tools/lookup", data=uid, timeout=120).json():
            yield f"Orthanc has nothing of {uid}"


@pytest.mark.timeout(7200)
@pytest.mark.skipif(not SOAK, reason="the pages of every route are looked at in Korean by another test")
def test_every_link_is_answered_in_korean(browser: Browser, filled: Filled) -> None:
    with walker(browser, filled, KOREAN, "ko") as one:
        one.walk(filled.start)
    assert one.faults == [], "\n".join(one.faults)


@pytest.mark.timeout(7200)
def test_every_form_is_answered_as_it_stands_and_filled_in(browser: Browser, filled: Filled, crawl: Crawl) -> None:
    """In the order of `FORMS`: what removes comes last. The server is not used afterwards."""
    crawl.walk(*filled.further)
    found = {
        (route, button): place
        for (route, button), place in crawl.forms.items()
        if route not in ELSEWHERE and (BOUNDS.as_it_stands or is_filled(FORMS.get(route, Filling()), button))
    }
    names = {route for route, _ in found}
    assert names == FORMS.keys(), "a form that is not in FORMS, or one that no page has"
    order = list(FORMS)
    forms = sorted(found.items(), key=lambda one: (order.index(one[0][0]), is_filled(FORMS[one[0][0]], one[0][1])))
    wrong: list[str] = []
    with walker(browser, filled, BOUNDS) as one:
        sender = Sender(one.visit.page, one.pending)
        for (route, button), place in forms:
            what = f"{route}, {button.name}={button.value}, {place}"
            one.visit.complaints.clear()
            try:
                wrong += [f"{what}: {seen}" for seen in sent_twice(one, sender, route, button, place)]
            except (AssertionError, Error) as error:
                wrong.append(f"{what}: {str(error).partition('Call log')[0]}")
            wrong += [f"{what}: {seen}" for seen in one.visit.complaints]
    assert wrong == [], "\n".join(wrong)


def is_filled(filling: Filling, button: Button) -> bool:
    """Whether it is this button that sends what is typed in; the others change the form."""
    return button.value == filling.button if filling.button else True


def sent_twice(one: Crawl, sender: Sender, route: str, button: Button, place: Place) -> Iterator[str]:
    """As it stands, then filled in unless that was enough; what was wrong."""
    filling, outcome = FORMS[route], ""
    for turn in ("as it stands", "filled in"):
        if turn == "filled in" and (not is_filled(filling, button) or (outcome == "done" and not filling.typed)):
            return
        if outcome != "held":
            one.visit.page.goto(place.page)
            one.pending.settle()
        forms = read(one.visit.page, one.language).forms
        of_route = [it for it in forms if it.method == "post" and route_of(it.action or place.page, "POST") == route]
        found = next(((it, shown) for it in of_route if (shown := sender.prepare(it, button))), None)
        if found is None:
            yield f"{turn}: it is gone: who sent what it needs before it?"
            return
        form, shown = found
        if turn == "filled in":
            fill_in(one.visit.page, shown, filling)
        sent = sender.press(form, button)
        outcome = sent.outcome
        if turn == "filled in" and outcome != "done":
            yield f"{turn}: {outcome} with {sent.status}: {sent.problems}"
        if outcome == "refused" and 400 <= sent.status < 500:  # the browser says so, too
            said = (
                f"{sent.status} ",
                f"console error: Failed to load resource: the server responded with a status of {sent.status}",
            )
            one.visit.complaints[:] = [it for it in one.visit.complaints if not it.startswith(said)]
        yield from (f"{turn}: {fault}" for fault in read(one.visit.page, one.language).faults)


def test_every_address_that_takes_a_form_has_one() -> None:
    posted = {route.name for route in every_route() if route.method == "POST" and not route.is_api}
    assert {name for name in posted if not name.endswith(FILES_OF_MANY)} == FORMS.keys() | ELSEWHERE.keys()
