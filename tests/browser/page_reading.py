"""What stands on a page as the browser shows it: its links, forms and buttons, and what no page may say."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from playwright.sync_api import Page

SETTLES_S = 30


def wait_until(page: Page, expression: str) -> None:
    """Until it is true on the page. Playwright's own waiting evaluates it there again and again, which the content
    security policy of the pages forbids."""
    deadline = monotonic() + SETTLES_S
    while not page.evaluate(expression):
        assert monotonic() < deadline, f"never: {expression}"
        sleep(0.05)


READ = """language => {
  const faults = [];
  const say = (what) => faults.push(what);
  if (document.documentElement.lang !== language) say(`its language is ${document.documentElement.lang}`);
  if (![...document.querySelectorAll('h1')].some(one => one.innerText.trim())) say('it has no h1');
  const main = document.querySelector('main, body');
  if (main.innerText.trim().length < 20) say(`it says almost nothing: ${main.innerText.trim()}`);
  if (/^\\s*(·|None|undefined)/.test(document.title)) say(`its title is ${document.title}`);
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const place = words.currentNode.parentElement, text = words.currentNode.data.trim();
    if (place.closest('script, style, code, pre, textarea')) continue;
    if (/^(None|null|NaN|\\{\\}|\\[\\])$/.test(text)
      || /\\bundefined\\b|\\[object |\\bNaN\\b|\\{\\}|%\\(\\w+\\)s/.test(text))
      say(`<${place.tagName.toLowerCase()}> says "${text.slice(0, 120)}"`);
  }
  for (const one of document.querySelectorAll('input, textarea'))
    if (/^(None|null|undefined|NaN|\\{\\})$/.test(one.value)) say(`the input ${one.name} holds "${one.value}"`);
  for (const one of document.querySelectorAll('[title], [aria-label], [placeholder]'))
    for (const name of ['title', 'aria-label', 'placeholder'])
      if (/^(None|null|undefined|NaN|\\{\\})$|%\\(\\w+\\)s/.test(one.getAttribute(name) ?? ''))
        say(`the ${name} of ${one.outerHTML.slice(0, 100)}`);
  const shown = one => one.checkVisibility({visibilityProperty: true});
  const named = one => (one.innerText.trim() || one.getAttribute('aria-label') || one.title || '').slice(0, 60);
  return {
    faults,
    links: [...document.querySelectorAll('a[href]')].map(one => ({
      href: one.href, said: named(one), is_swap: one.hasAttribute('hx-get'), is_shown: shown(one),
      is_file: one.hasAttribute('download'),
    })),
    forms: [...document.querySelectorAll('form')].map((one, number) => ({
      number, method: one.method, action: one.getAttribute('action') ?? '', id: one.id,
      buttons: [...one.elements].filter(it => it.type === 'submit' && !it.disabled && it.tabIndex >= 0)
        .map(it => ({name: it.name, value: it.value, said: named(it)})),
    })),
    anchors: [...document.querySelectorAll('[id]')].map(one => one.id),
  };
}"""
PRESSED = """() => {
  const shown = one => one.checkVisibility({visibilityProperty: true});
  const found = [...document.querySelectorAll('button[type=button], summary')].filter(shown);
  return found.map(one => {
    const what = one.tagName === 'SUMMARY' ? one.parentElement.className : one.className.replace(' done', '');
    const data = Object.keys(one.dataset).join(' ');
    const said = (one.innerText.trim() || one.ariaLabel || '').replace(/[0-9.]+/g, '0').slice(0, 40);
    return `${one.tagName.toLowerCase()} ${what} ${data} ${data.includes('copy') ? '' : said}`;
  });
}"""
"""What is pressed and sends nothing: one line each, the same for those that do the same."""


@dataclass(frozen=True, kw_only=True)
class Link:
    href: str
    said: str
    is_swap: bool  # htmx puts the answer into the page
    is_shown: bool
    is_file: bool


@dataclass(frozen=True, kw_only=True)
class Button:
    name: str
    value: str
    said: str


@dataclass(frozen=True, kw_only=True)
class Form:
    number: int  # on its page
    method: str
    action: str
    id: str
    buttons: tuple[Button, ...]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A page, read."""

    faults: tuple[str, ...]
    links: tuple[Link, ...]
    forms: tuple[Form, ...]
    anchors: frozenset[str]


def read(page: Page, language: str) -> Reading:
    found: dict[str, Any] = page.evaluate(READ, language)
    return Reading(
        faults=tuple(found["faults"]),
        links=tuple(Link(**one) for one in found["links"]),
        forms=tuple(
            Form(**{**one, "buttons": tuple(Button(**button) for button in one["buttons"])}) for one in found["forms"]
        ),
        anchors=frozenset(found["anchors"]),
    )
