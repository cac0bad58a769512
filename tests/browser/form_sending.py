"""Sends a form of a page by its button, as it stands there or filled in, and tells what the page made of it."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Literal

from playwright.sync_api import Locator, Page, Request

from tests.browser.crawling import Pending
from tests.browser.form_fillings import TYPED, Filling
from tests.browser.page_reading import Button, Form

Outcome = Literal["held", "refused", "done"]
"""Kept back by the browser, which says what is missing; answered with what is wrong; done."""
PATIENCE_S = 10
PREPARE = """() => {
  for (const one of document.querySelectorAll('details')) one.open = true;
  window.heldBack = false;
  document.addEventListener('invalid', () => { window.heldBack = true; }, true);
}"""
MARK = """([number, name, value]) => {
  const buttons = [...document.forms[number].elements].filter(one => one.type === 'submit' && one.tabIndex >= 0);
  const alike = text => text.split(/\\s+/).map(part => /\\d/.test(part) ? '0' : part).join(' ');
  const found = buttons.find(one => !one.disabled && one.name === name && alike(one.value) === value);
  if (found) found.id = 'to-be-pressed';
  return Boolean(found);
}"""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of a form."""

    outcome: Outcome
    status: int = 0
    problems: str = ""


class Sender:
    """Of one browser page."""

    def __init__(self, page: Page, pending: Pending) -> None:
        self._page, self._pending = page, pending
        self._posts: list[Request] = []
        page.on("request", lambda request: self._posts.append(request) if request.method == "POST" else None)

    def prepare(self, form: Form, button: Button) -> Locator | None:
        """Show everything of the page and choose a row where rows are chosen; the form, where it has this button."""
        self._page.evaluate(PREPARE)
        found = self._page.locator("form").nth(form.number)
        boxes = self._page.locator("input[name=chosen]")
        if form.id == "chosen" and boxes.count() and not boxes.first.is_checked():
            boxes.first.check()
        return found if self._mark(form, button) else None

    def press(self, form: Form, button: Button) -> Sent:
        """The button of a form that was prepared. Raises AssertionError where nothing comes of it."""
        self._posts.clear()
        self._pending.settle()
        assert self._mark(form, button), "the button is gone"
        self._page.locator("#to-be-pressed").click()
        deadline = monotonic() + PATIENCE_S
        while not self._posts:
            if self._page.evaluate("window.heldBack === true"):
                return Sent(outcome="held")
            assert monotonic() < deadline, "nothing was sent, and nothing said why"
            self._page.wait_for_timeout(20)
        answer = self._posts[0].response()
        self._pending.settle()
        assert answer is not None, "no answer"
        wrong = self._page.locator("#problems, .note.failed[role=alert]")
        problems = wrong.first.inner_text() if wrong.count() else ""
        is_done = answer.status in (200, 204, 303) and not problems  # 204: htmx is told where to go
        return Sent(outcome="done" if is_done else "refused", status=answer.status, problems=problems)

    def _mark(self, form: Form, button: Button) -> bool:
        """Filling in may have put another form into the place of this one."""
        return bool(self._page.evaluate(MARK, [form.number, button.name, button.value]))


def fill_in(page: Page, form: Locator, filling: Filling) -> None:
    """As a person would: what is named, then what is empty and has to be said."""
    for name, value in {**TYPED, **filling.typed}.items():
        for one in form.locator(f"[name='{name}']:not([type=hidden], [type=radio])").all():
            if name not in filling.typed and one.input_value():
                continue
            kind = one.evaluate("one => one.type")
            if kind == "checkbox":
                one.check()
            elif kind.startswith("select"):
                one.select_option(value)
            else:
                one.fill(number_asked_for(page) if name == "count" else value)
                one.press("Tab")  # a list of suggestions closes
    for select in form.locator("select").all():
        if not select.input_value():
            select.select_option(index=select.locator("option").count() - 1)


def number_asked_for(page: Page) -> str:
    """The number of objects that a large deletion wants typed."""
    words = page.locator("main, body").first.inner_text()
    return next((word for word in words.partition("may go today: ")[2].split()), "0").strip(".")
