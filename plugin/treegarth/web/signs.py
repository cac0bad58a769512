"""The signs of states: which icon and which look each has, whatever is in that state. Pure.

A feature says which sign a state of its own has, and the word beside it. No two states of one kind of thing share an
icon, and the question mark means that nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Look: TypeAlias = Literal["ok", "attention", "failed", "quiet"]
State: TypeAlias = Literal[
    "ok",
    "attention",
    "failed",
    "waiting",
    "unknown",
    "again",
    "busy",
    "sending",
    "unproved",
    "arrived",
    "given up",
    "down",
    "new",
    "paused",
    "off",
    "stopped",
    "removed",
    "gone",
    "replaced",
    "taken back",
    "left out",
    "nothing",
    "not a patient",
    "doubted",
    "elsewhere",
    "returned",
]


@dataclass(frozen=True, kw_only=True)
class Sign:
    """How a state is shown beside its word."""

    icon: str  # of web/static/icons.svg
    look: Look


SIGNS: Mapping[State, Sign] = {
    "ok": Sign(icon="ok", look="ok"),
    "attention": Sign(icon="attention", look="attention"),
    "failed": Sign(icon="failed", look="failed"),
    "waiting": Sign(icon="waiting", look="quiet"),
    "unknown": Sign(icon="question", look="quiet"),
    "again": Sign(icon="retry", look="attention"),  # failed, and is tried again by itself
    "busy": Sign(icon="busy", look="quiet"),  # is being done
    "sending": Sign(icon="sending", look="quiet"),
    "unproved": Sign(icon="unproved", look="quiet"),  # sent, and nobody can be asked whether it arrived
    "arrived": Sign(icon="arrived", look="ok"),
    "given up": Sign(icon="given-up", look="failed"),
    "down": Sign(icon="unplugged", look="failed"),
    "new": Sign(icon="bell", look="attention"),
    "paused": Sign(icon="pause", look="quiet"),
    "off": Sign(icon="off", look="quiet"),
    "stopped": Sign(icon="stopped", look="quiet"),
    "removed": Sign(icon="bin", look="quiet"),
    "gone": Sign(icon="gone", look="quiet"),
    "replaced": Sign(icon="replaced", look="quiet"),
    "taken back": Sign(icon="undo", look="quiet"),
    "left out": Sign(icon="left-out", look="quiet"),
    "nothing": Sign(icon="nothing", look="quiet"),  # was read, and holds nothing
    "not a patient": Sign(icon="phantom", look="quiet"),
    "doubted": Sign(icon="doubted", look="attention"),
    "elsewhere": Sign(icon="external", look="quiet"),
    "returned": Sign(icon="rescue", look="ok"),
}
