"""States are told apart by their icons: no two of one kind of thing share one, and "?" is of the unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import pytest

from treegarth.features.deliveries.model import Standing
from treegarth.features.deliveries.pages.destinations import DESTINATION_STATES
from treegarth.features.deliveries.words import WORDS as STANDINGS
from treegarth.features.dose.registry.pages.sources import SIGNS as DOSE_SOURCES
from treegarth.features.dose.registry.pages.sources import STATES as DOSE_WORDS
from treegarth.features.retention.words import LEDGER_STATES
from treegarth.features.system.model import TaskState
from treegarth.features.system.queue import SIGNS as TASKS
from treegarth.web.signs import SIGNS, State
from treegarth.work.pages import STATES as WORKS

ROOT = Path(__file__).resolve().parents[3]
ICONS = set(re.findall(r'<symbol id="([a-z-]+)"', (ROOT / "web/static/icons.svg").read_text(encoding="utf-8")))
KINDS = {
    "tasks": TASKS.values(),
    "dose sources": DOSE_SOURCES.values(),
    "long work": [sign for sign, _ in WORKS.values()],
    "the ledger": [sign for sign, _ in LEDGER_STATES.values()],
    "deliveries": [sign for sign, _ in STANDINGS.values()],
    "destinations": ["failed", "waiting", *(sign for sign, _ in DESTINATION_STATES.values())],
}


def test_every_state_has_a_sign_and_every_sign_an_icon_of_its_own() -> None:
    assert SIGNS.keys() == set(get_args(State))
    assert {sign.icon for sign in SIGNS.values()} <= ICONS
    assert len({sign.icon for sign in SIGNS.values()}) == len(SIGNS)


def test_a_question_mark_means_unknown_only() -> None:
    assert [state for state, sign in SIGNS.items() if sign.icon == "question"] == ["unknown"]
    templates = (ROOT / "web/templates").rglob("*.html")
    found = [
        (path.name, word) for path in templates for word in re.findall(r'state\("unknown", (.*?)\)', path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_states_of_one_kind_share_an_icon(kind: str) -> None:
    signs: Iterable[State] = KINDS[kind]
    icons = [SIGNS[sign].icon for sign in signs]
    assert len(icons) >= 3
    assert len(set(icons)) == len(icons)


def test_the_states_are_all_there() -> None:
    assert set(TASKS) == set(TaskState)
    assert DOSE_SOURCES.keys() == DOSE_WORDS.keys()
    assert set(STANDINGS) == set(Standing)


@pytest.mark.parametrize("kind", ["date", "datetime-local", "month", "week"])
def test_no_form_writes_days_as_the_browsers_people_do(kind: str) -> None:
    """03/04/2026 is two days: every input of a day is `day_of` of forms.html, in ISO form."""
    templates = (ROOT / "web/templates").rglob("*.html")
    assert [path.name for path in templates if f'type="{kind}"' in path.read_text(encoding="utf-8")] == []
