"""Two people edit the same document, of every kind that has a form: the second sees what the first changed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.edited_kinds import KINDS, EditedKind
from tests.servers import OrthancServer


def write(page: Page, kind: EditedKind, value: object) -> None:
    text = page.locator("#document-form #text")
    if text.count():
        line = f"{kind.changed}: {value}"
        text.fill(re.sub(rf"{kind.changed}: \w+", line, text.input_value()))
    else:
        page.locator(f"#{kind.changed}").fill(str(value))
    only_copy = page.locator("#only_copy")
    if only_copy.count():
        only_copy.check()
    page.locator("#save").click()


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("kind", [one for one in KINDS if one.page], ids=lambda one: one.path)
def test_the_second_is_told_and_can_save_over_it(
    new_visit: Callable[..., Visit], treegarth_server: OrthancServer, kind: EditedKind, language: str
) -> None:
    first, second = kind.values
    made = requests.post(f"{treegarth_server.api}/{kind.path}", json={"document": kind.document}, timeout=120).json()
    address, done = f"{treegarth_server.api}/{kind.path}/{made['id']}", re.compile(rf"/{made['id']}(\?|$)")
    visits = [new_visit(language=language) for _ in kind.values]
    one, other = (visit.go(f"{kind.page}/{made['id']}/edit") for visit in visits)
    write(one, kind, first)
    one.wait_for_url(done)
    write(other, kind, second)
    newer = other.locator("#newer")
    told = {"en": "Somebody else changed this meanwhile. Nothing was saved.", "ko": "아무것도 저장하지 않았습니다."}
    expect(newer).to_contain_text(told[language])
    label = "" if kind.said and language != "en" else kind.said or kind.changed  # a page's words are translated
    expect(newer.locator("del")).to_contain_text(f"{label}: {first}")
    expect(newer.locator("ins")).to_contain_text(f"{label}: {second}")
    assert visits[1].violations() == []
    assert requests.get(address, timeout=120).json()["document"][kind.changed] == first
    other.locator("#save-over").click()
    other.wait_for_url(done)
    kept = requests.get(f"{address}/versions", timeout=120).json()["items"]
    before = kind.document[kind.changed]
    assert [version["document"][kind.changed] for version in kept] == [second, first, before]
    assert [visit.complaints for visit in visits] == [[], []]
    requests.delete(address, timeout=120).raise_for_status()
