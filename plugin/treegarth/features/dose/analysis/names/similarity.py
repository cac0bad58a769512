"""How alike two names are, for suggestions. Pure.

Dice's coefficient of their pairs of letters: twice those that both have, by all of both; words in any order, spaces at
the ends of each counted as letters. 1 is the same words, 0 is nothing in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from treegarth.features.dose.analysis.names.patterns import plain

LEAST = 0.4
"""Less alike is no suggestion: English words share a few pairs by chance, `head child` and `chest` 0.375."""
MOST = 3
"""Suggestions for one name."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A standard name that a raw one may be."""

    standard_name_id: int
    name: str
    likeness: float
    """0 to 1."""


def pairs_of(text: str, without: str = "") -> frozenset[str]:
    """Its pairs of letters: ` thorax ` has seven. What is no letter and no digit parts words; `without` is a word that
    does not count."""
    words = "".join(one if one.isalnum() else " " for one in plain(text)).split()
    words = [one for one in words if one != plain(without)]
    return frozenset(padded[i : i + 2] for word in words for padded in [f" {word} "] for i in range(len(padded) - 1))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Dice's coefficient (Dice 1945, Ecology 26: 297-302)."""
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 0.0


class Suggester:
    """Knows standard names of one modality with what is called so already. The modality's own word, as CT, is no
    likeness."""

    def __init__(self, modality: str, names: Mapping[int, str], called: Mapping[int, Iterable[str]]) -> None:
        self._names, self._common = names, modality
        self._known = [
            (number, pairs)
            for number, name in names.items()
            for pairs in {pairs_of(text, modality) for text in (name, *called.get(number, ()))}
            if pairs
        ]

    def suggest(self, texts: Sequence[str]) -> list[Suggestion]:
        """For a raw name of these texts; the likeliest first."""
        asked = [pairs for text in texts if (pairs := pairs_of(text, self._common))]
        best: dict[int, float] = {}
        for number, known in self._known:
            found = max((likeness(one, known) for one in asked), default=0.0)
            if found >= max(LEAST, best.get(number, 0.0)):
                best[number] = found
        ranked = sorted(best.items(), key=lambda item: (-item[1], self._names[item[0]]))
        return [
            Suggestion(standard_name_id=number, name=self._names[number], likeness=round(value, 3))
            for number, value in ranked[:MOST]
        ]
