"""A person has every dose decided anew: presses the button of the system page, waits, and sees what came of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Visit
from tests.servers import OrthancServer


@pytest.mark.parametrize("javascript", [True, False])
def test_every_dose_is_decided_anew_and_the_page_says_when_it_is_done(
    new_visit: Callable[..., Visit], treegarth_server: OrthancServer, javascript: bool
) -> None:
    studies = len(treegarth_server.get("dose/studies", limit=200)["items"])
    visit = new_visit(javascript=javascript)
    page = visit.go("system")
    page.get_by_role("button", name="Decide all anew").click()
    page.wait_for_url("**/dose/redeciding")
    done = page.get_by_text(f"{studies} of {studies} studies")
    for _ in range(60):  # the workers look every 5 seconds; without JavaScript somebody has to ask again
        if done.count():
            break
        page.wait_for_timeout(1000)
        if not javascript:
            page.reload()
    assert done.count() == 1
    assert page.get_by_role("heading", name="No dose has changed").count() == 1
    assert page.locator("#state[data-poll]").count() == 0
    assert visit.complaints == []
