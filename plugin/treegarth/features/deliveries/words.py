"""The states of objects in words, and the bar of a delivery that is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from treegarth.features.deliveries.model import ShownState
from treegarth.phrases import N_
from treegarth.web.parts import State

WORDS: Mapping[ShownState, tuple[State, str]] = {
    "waiting": ("waiting", N_("waiting")),
    "failed": ("attention", N_("failed, tried again")),
    "sending": ("waiting", N_("sending")),
    "sent": ("waiting", N_("sent")),
    "confirmed": ("ok", N_("confirmed")),
    "given up": ("failed", N_("given up")),
    "gone": ("unknown", N_("gone from here")),
}
STATES: Mapping[str, str] = {str(state): words for state, (_, words) in WORDS.items()}
BAR: tuple[ShownState, ...] = ("confirmed", "sent", "sending", "waiting", "failed", "given up", "gone")
"""In the order of the bar."""
PROOF_NAMES = {
    "commitment": N_("storage commitment"),
    "find": N_("found by C-FIND"),
    "qido": N_("found by QIDO"),
    "stored": N_("read back"),
    "status": N_("answer of the send"),
}


@dataclass(frozen=True, kw_only=True)
class BarPart:
    """A part of a delivery's bar, in percents of its width."""

    state: str
    words: str  # a msgid
    kind: State
    count: int
    begin: float
    width: float


def bar(counts: Mapping[str, int]) -> list[BarPart]:
    """The parts of a bar that together are its whole width."""
    total, begin, parts = sum(counts.values()), 0.0, []
    for state in BAR:
        if count := counts.get(state, 0):
            width = 100 * count / total
            kind, words = WORDS[state]
            parts.append(
                BarPart(
                    state=state.split()[0],
                    words=words,
                    kind=kind,
                    count=count,
                    begin=round(begin, 2),
                    width=round(width, 2),
                )
            )
            begin += width
    return parts
