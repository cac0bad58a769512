"""What a route says that it answers as is what it answers as: what is a page, and what a file, follows from that."""

from __future__ import annotations

from tests.database.test_hostile_requests import asked
from tests.hostile_site import Site, ordered

EACH_ITS_OWN = "application/octet-stream"


def test_every_route_answers_as_the_media_type_that_it_names(site: Site) -> None:
    different, count = [], 0
    for route in (*ordered(site, is_api=False, reads=True), *ordered(site, is_api=True, reads=True)):
        answer = site.ask(asked(route, {}))
        if answer.status != route.status or route.answers_as == EACH_ITS_OWN:
            continue
        count += 1
        if answer.headers["Content-Type"].partition(";")[0] != route.answers_as:
            different.append((route.name, answer.headers["Content-Type"], route.answers_as))
    assert different == []
    assert count > 90
