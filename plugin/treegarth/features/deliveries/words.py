"""The states of objects in words, and the bar of a delivery that is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from treegarth.features.deliveries.model import Standing
from treegarth.phrases import N_
from treegarth.web.signs import State

WORDS: Mapping[Standing, tuple[State, str]] = {
    Standing.WAITING: ("waiting", N_("waiting")),
    Standing.SENDING: ("sending", N_("sending")),
    Standing.ARRIVED: ("arrived", N_("arrived")),
    Standing.UNPROVED: ("unproved", N_("sent, unproved")),
    Standing.GIVEN_UP: ("given up", N_("given up")),
}
"""Of each: its sign, and its word."""
STATES: Mapping[str, str] = {str(state): words for state, (_, words) in WORDS.items()}
COLOURS: Mapping[Standing, str] = {
    Standing.ARRIVED: "--c2",
    Standing.UNPROVED: "--c5",
    Standing.SENDING: "--c1",
    Standing.WAITING: "--c7",
    Standing.GIVEN_UP: "--c3",
}
"""In the order of bars and charts."""
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
    kind: str
    count: int
    begin: float
    width: float


def bar(counts: Mapping[Standing, int]) -> list[BarPart]:
    """The parts of a bar that together are its whole width."""
    total, begin, parts = sum(counts.values()), 0.0, []
    for state in COLOURS:
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
