"""What one may not do is not shown: no page that a role may see has a form or a link of ours that the role may not use.

Each built-in role signs in to the whole application on a database with one of everything, opens every page of the route
table that it may see and what these pages lead to, and the routes behind every form, link and htmx request are asked
for their permissions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect

from tests.accounts_support import OWN_PAGE, AccountsSite, accounts_site
from tests.hostile_site import KNOWN, make_site
from treegarth.access.actors import OF_EVERYBODY, Permission
from treegarth.access.roles import ADMINISTRATOR, BUILT_IN
from treegarth.web.routes import Route

METHODS = {"hx-get": "GET", "hx-post": "POST", "hx-put": "PUT", "hx-delete": "DELETE"}
PAGES_OF_A_ROUTE = 2
"""Beside the one of the route table: more of the same kind show nothing new."""


@dataclass(frozen=True)
class Offered:
    """Something that a page offers: what is asked for when it is used."""

    method: str
    address: str
    element: str


class Page(HTMLParser):
    """What a page offers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.offered: list[Offered] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in of:
            self.offered.append(Offered("GET", of["href"], "link"))
        if tag == "form" and "action" in of:
            self.offered.append(Offered(of.get("method", "get").upper(), of["action"], "form"))
        if "formaction" in of:
            self.offered.append(Offered("POST", of["formaction"], "button"))
        self.offered += [Offered(method, of[name], name) for name, method in METHODS.items() if name in of]


@dataclass(frozen=True)
class Walker:
    """A role that walks."""

    site: AccountsSite
    role: str
    permissions: frozenset[Permission]

    @property
    def routes(self) -> dict[str, Route]:
        found: dict[str, Route] = self.site.app.extensions["treegarth"].routes
        return found

    def may(self, route: Route) -> bool:
        return self.permissions.issuperset((route.permission, *route.further))

    def route_of(self, addresses: MapAdapter, one: Offered) -> Route | None:
        path = urlsplit(one.address).path
        if not path.startswith("/treegarth/"):
            return None
        try:
            return self.routes[addresses.match(path, method=one.method)[0]]
        except (RequestRedirect, HTTPException):
            return None

    def starts(self) -> Iterator[str]:
        """Every page of the table that the role may see."""
        for route in self.routes.values():
            if route.is_html and not route.is_api and "{path:path}" not in route.path and self.may(route):
                yield KNOWN.path(route)

    def walk(self) -> tuple[list[str], int]:
        """What is offered and may not be used, and how many pages were seen."""
        client = self.site.browser(self.site.add(self.role, self.role)).client
        addresses = self.site.app.url_map.bind("")
        queue, seen, opened, faults = deque(self.starts()), set[str](), dict[str, int](), dict[str, str]()
        count = 0
        while queue:
            address = queue.popleft()
            if address in seen:
                continue
            seen.add(address)
            answer = client.get(address, headers=OWN_PAGE)
            if answer.status_code != 200 or not answer.mimetype.endswith("html"):
                assert answer.status_code not in (401, 403, 500), f"{self.role}: {address}: {answer.status_code}"
                continue
            count += 1
            for one in Page(answer.text).offered:
                route = self.route_of(addresses, one)
                if route is not None and not self.may(route):
                    faults.setdefault(f"{self.role}: {one.element} to {route.name}", f" on {address}")
                elif route is not None and one.method == "GET" and route.is_html:
                    opened[route.name] = opened.get(route.name, 0) + 1
                    if opened[route.name] <= PAGES_OF_A_ROUTE:
                        queue.append(one.address.partition("#")[0])
        return [f"{what}{where}" for what, where in sorted(faults.items())], count


@pytest.fixture
def site(engine: Engine) -> AccountsSite:
    make_site(engine)
    return accounts_site(engine)


@pytest.mark.parametrize("role", [one for one in BUILT_IN if one != ADMINISTRATOR])
def test_a_page_offers_nothing_that_its_reader_may_not_use(site: AccountsSite, role: str) -> None:
    walker = Walker(site, role, OF_EVERYBODY | frozenset(BUILT_IN[role]))
    faults, count = walker.walk()
    assert faults == []
    assert count > 10


def test_an_administrator_is_offered_what_nobody_else_is(site: AccountsSite) -> None:
    walker = Walker(site, ADMINISTRATOR, OF_EVERYBODY | frozenset(BUILT_IN[ADMINISTRATOR]))
    faults, count = walker.walk()
    assert faults == []
    assert count > 60
