"""Walks a dashboard in the browser as somebody would who tries everything: each link, each button, each search.

Nothing here sends a form that changes something; where those are is noted. What is wrong becomes a line that names the
page, what was pressed there, and what was seen.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import parse_qsl, urldefrag, urlsplit

from playwright.sync_api import Error, Locator, Page
from playwright.sync_api import TimeoutError as TooLate

from tests.browser.conftest import Visit
from tests.browser.page_reading import PRESSED, Button, Link, Reading, read

SETTLED_S = 60
SWITCHES = {"lang", "theme"}
"""Of addresses that only change how every page looks: another test presses them."""
TYPED = """form => {
  for (const one of form.elements) {
    if (one.tagName === 'SELECT') one.selectedIndex = one.options.length - 1;
    else if (one.tagName !== 'INPUT' || ['hidden', 'checkbox', 'radio'].includes(one.type)) continue;
    else if ('day' in one.dataset) one.value = '2020-01-01';
    else if (/_below$/.test(one.name)) one.value = '2';
    else if (['numeric', 'decimal'].includes(one.inputMode)) one.value = one.min || '1';
    else one.value = /_from|_to|^age/.test(one.name) ? '1' : one.name.endsWith('patient_id') ? 'T*' : '*';
  }
}"""
"""Something into each input of a search, the last of each choice."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much of the like is enough."""

    instances: int  # pages of one route
    variants: int  # of one route with the same names in its query
    names: int  # in a query
    swaps: int  # links of one list with the same names in their query
    lists: int  # of which the links are pressed that put a part of another page into this one
    as_it_stands: bool  # searches too, and buttons that only add to a form or take away from it
    everywhere: bool  # what opens, folds and copies, on each kind of page


@dataclass(frozen=True)
class Place:
    """Where a link or a form was met."""

    page: str
    element: str

    def __str__(self) -> str:
        return f"{self.element!r} on {self.page}"


@dataclass
class Pending:
    """The requests of a page that have no answer yet."""

    page: Page
    count: int = 0

    def __post_init__(self) -> None:
        self.page.on("request", lambda _: self._add(1))
        self.page.on("requestfinished", lambda _: self._add(-1))
        self.page.on("requestfailed", lambda _: self._add(-1))

    def _add(self, number: int) -> None:
        self.count += number

    def settle(self) -> None:
        """Wait until the page has all that it asked for. Raises TooLate where it does not get it."""
        deadline = monotonic() + SETTLED_S
        self.page.wait_for_load_state()
        while self.count > 0:
            if monotonic() > deadline:
                self.count = 0
                raise TooLate(f"what the page asked for has no answer after {SETTLED_S} s")
            self.page.wait_for_timeout(20)
            self.page.wait_for_load_state()


@dataclass
class Crawl:
    """One walk through the dashboard, and what it met."""

    visit: Visit
    route_of: Callable[..., str]  # the name of the route that an address has by a method, "" where it is none's
    is_page: Callable[[str], bool]  # of a route's name: whether the browser shows its answer
    bounds: Bounds
    language: str = "en"
    faults: list[str] = field(default_factory=list)
    reached: dict[str, list[str]] = field(default_factory=dict)
    """The routes of pages, each with the addresses that were opened."""
    others: dict[str, Place] = field(default_factory=dict)
    """Addresses that are no page of the dashboard: files, and what leads out of it."""
    forms: dict[tuple[str, Button], Place] = field(default_factory=dict)
    """What would change something: the route, the button, and where it stands: first, or where a walk began by name."""

    def __post_init__(self) -> None:
        self.pending = Pending(self.visit.page)
        self._queue: deque[tuple[str, Place]] = deque()
        self._taken: set[str] = set()
        self._routes: set[str] = set()
        self._shapes: Counter[tuple[str, ...]] = Counter()
        self._pressed: set[tuple[str, str]] = set()
        self._starts: set[str] = set()
        self._lists = 0

    def walk(self, *starts: str) -> None:
        """From these addresses, until nothing new is met."""
        self._starts.update(starts)
        for start in starts:
            if start not in self._taken:
                self._taken.add(start)
                self._queue.append((start, Place("the start", start)))
        while self._queue:
            self._open(*self._queue.popleft())

    def _open(self, address: str, place: Place) -> None:
        page, route = self.visit.page, self.route_of(address)
        self.reached.setdefault(route, []).append(address)
        with self._watched(str(place)):
            answer = page.goto(address)
            self.pending.settle()
            if answer is None or answer.status != 200:
                self._complain(str(place), f"{address} answers {answer and answer.status}")
                return
        found = self._look(str(place))
        fragment = urldefrag(address).fragment
        if fragment and fragment not in found.anchors:
            self._complain(str(place), f"nothing on the page has the id {fragment}")
        if len(self.reached[route]) <= self.bounds.instances:
            self._press(address, route)
        if len(self.reached[route]) == 1:
            self._search(address, route, found)
            self._swap(address)

    # ---- what a page has ----
    def _look(self, what: str) -> Reading:
        """Read the page that is open, take its links and forms."""
        address = self.visit.page.url
        found = read(self.visit.page, self.language)
        for fault in found.faults:
            self._complain(what, f"at {address}: {fault}")
        for link in found.links:
            self._take(link, address, found)
        for form in found.forms:
            if form.method == "post":
                for button in form.buttons:
                    name = self.route_of(form.action or address, "POST")
                    self._keep((name, _alike(button)), Place(address, button.said))
        return found

    def _keep(self, form: tuple[str, Button], place: Place) -> None:
        """The first place, unless the same page was asked for by name: narrowed, it has the form for longer."""
        known = self.forms.setdefault(form, place)
        if place.page in self._starts and urlsplit(place.page).path == urlsplit(known.page).path:
            self.forms[form] = place

    def _take(self, link: Link, where: str, found: Reading | None = None) -> None:
        """Put a link into the queue, unless enough of its kind were."""
        address, fragment = urldefrag(link.href)
        place = Place(where, link.said)
        if not address.startswith(f"{self.visit.origin}/"):
            self._complain(str(place), f"leads to another server: {address}")
        elif found and address == urldefrag(where).url:
            if fragment and fragment not in found.anchors:
                self._complain(str(place), f"nothing on the page has the id {fragment}")
        elif not SWITCHES & set(names_of(address)) and not (link.is_swap and link.is_shown):
            self._sort_in(link.href, place, link.is_file)

    def _sort_in(self, href: str, place: Place, is_file: bool) -> None:
        address, route, names = urldefrag(href).url, self.route_of(href), names_of(href)
        is_page = bool(route) and self.is_page(route) and not is_file
        kind = route or re.sub(r"[0-9a-f-]{44}", "ID", urlsplit(href).path)
        shape = (kind, *names)
        limit = self.bounds.variants if names else self.bounds.instances
        is_new = is_page and route not in self._routes  # perhaps no other link leads there
        if is_new:
            limit = max(limit, 1)
        if address in self._taken or (len(names) > self.bounds.names and not is_new) or self._shapes[shape] >= limit:
            return
        self._shapes[shape] += 1
        self._taken.add(address)
        self._routes.add(route)
        if is_page:
            self._queue.append((href, place))
        else:
            self.others[href] = place

    def _press(self, address: str, route: str) -> None:
        """What opens, folds and copies, each kind once."""
        page = self.visit.page
        for _ in range(50):
            lines: list[str] = page.evaluate(PRESSED)
            place_of = route if self.bounds.everywhere else ""
            number = next((at for at, line in enumerate(lines) if (place_of, line) not in self._pressed), None)
            if number is None:
                return
            self._pressed.add((place_of, lines[number]))
            place = Place(address, lines[number])
            with self._watched(str(place)):
                page.locator("button[type=button]:visible, summary:visible").nth(number).click()
                self.pending.settle()
                if page.locator("dialog[open]").count():
                    page.keyboard.press("Escape")
            for fault in read(page, self.language).faults:
                self._complain(str(place), fault)

    def _search(self, address: str, route: str, found: Reading) -> None:
        """Each form that only asks, as it stands and filled in."""
        for form in found.forms:
            if form.method != "get" or (route != self.route_of(form.action) and ("", form.action) in self._pressed):
                continue
            self._pressed.add(("", form.action))
            for is_filled in (False, True) if self.bounds.as_it_stands else (True,):
                self._again(address)
                box = self.visit.page.locator("form").nth(form.number)
                place = Place(address, f"the form of {form.action}, {'filled in' if is_filled else 'as it stands'}")
                with self._watched(str(place)):
                    if is_filled:
                        box.evaluate(TYPED)
                    with self.visit.page.expect_request("**"):
                        box.evaluate("form => form.requestSubmit()")
                    self.pending.settle()
                self._look(str(place))

    def _swap(self, address: str) -> None:
        """The links that put a part of another page into this one: of its list each sort, filter, page and row."""
        page, shapes = self.visit.page, Counter[tuple[str, ...]]()
        if self._lists >= self.bounds.lists:
            return
        self._again(address)  # what was pressed there may have made it narrower
        swaps = [link for link in read(page, self.language).links if link.is_swap and link.is_shown]
        self._lists += bool(swaps)
        for link in swaps:
            names = names_of(link.href)
            most = max(self.bounds.variants, 1) if "open" in names else self.bounds.swaps
            if shapes[names] >= most:
                continue
            shapes[names] += 1
            place = Place(address, link.said)
            with self._watched(str(place)):
                shown = _shown_link(page, link.href)
                if shown is None:
                    self._again(address)
                    shown = _shown_link(page, link.href)
                if shown is None:
                    self._complain(str(place), "it is gone when the page is opened again")
                    continue
                shown.click()
                self.pending.settle()
                if page.url != link.href:
                    self._complain(str(place), f"the address is {page.url} and not {link.href}")
            self._look(str(place))

    def _again(self, address: str) -> None:
        self.visit.page.goto(address)
        self.pending.settle()

    # ---- what is wrong ----
    @contextmanager
    def _watched(self, what: str) -> Iterator[None]:
        self.visit.complaints.clear()
        try:
            yield
        except Error as error:
            self._complain(what, str(error).partition("\n")[0])
        for complaint in self.visit.complaints:
            self._complain(what, complaint)
        self.visit.complaints.clear()

    def _complain(self, what: str, seen: str) -> None:
        self.faults.append(f"{what}: {seen}")


def names_of(address: str) -> tuple[str, ...]:
    """What an address asks for: the names in its query."""
    return tuple(sorted({name for name, _ in parse_qsl(urlsplit(address).query, keep_blank_values=True)}))


def _shown_link(page: Page, href: str) -> Locator | None:
    found = page.locator(f"a[href={quoted(urlsplit(href))}]:visible")
    return found.first if found.count() else None


def quoted(address: object) -> str:
    path = f"{address.path}?{address.query}" if address.query else address.path  # type: ignore[attr-defined]
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _alike(button: Button) -> Button:
    """The same for all buttons that do the same to another row."""
    value = " ".join("0" if any(letter.isdigit() for letter in part) else part for part in button.value.split())
    return Button(name=button.name, value=value, said="")
