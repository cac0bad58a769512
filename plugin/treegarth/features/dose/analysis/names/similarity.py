"""How alike two names are, for suggestions. Pure.

Two parts of three are for words that both have, one is for letters: of either Dice's coefficient, twice what both have
by all of both (Dice 1945, Ecology 26: 297-302). Letters are compared in pairs, the spaces at the ends of a word
counted, so that a slip of the pen or another ending costs little. A word by which n standard names are called counts
1/n: `routine`, which stands in every name, says less than `chest`. Texts are folded as rules fold them, in any order of
words; Korean letters and others beside them are words of their own, 흉부CT is 흉부 and CT. 1 is the same words, 0 is
nothing in common.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from treegarth.features.dose.analysis.names.patterns import plain

OF_WORDS = 2 / 3
"""What the words count; letters count the rest."""
LEAST = 0.4 * (1 - OF_WORDS)
"""Less alike is no suggestion: English words share a few pairs of letters by chance, `head child` and `chest` 0.375."""
MOST = 3
"""Suggestions for one name."""

_HANGUL = "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3"
_WORD = re.compile(f"[{_HANGUL}]+|[^\\W_{_HANGUL}]+")


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A standard name that a raw one may be."""

    standard_name_id: int
    name: str
    likeness: float
    """0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Spelt:
    """A text as it is compared."""

    words: frozenset[str]
    pairs: frozenset[str]
    """Of letters: ` thorax ` has seven."""


def spelt(text: str, without: str = "") -> Spelt:
    """The text; what is no letter and no digit parts words, `without` is a word that does not count."""
    words = [one for one in _WORD.findall(plain(text)) if one != plain(without)]
    pairs = (padded[i : i + 2] for padded in (f" {word} " for word in words) for i in range(len(padded) - 1))
    return Spelt(words=frozenset(words), pairs=frozenset(pairs))


def likeness(one: Spelt, other: Spelt, called: Mapping[str, int] | None = None) -> float:
    """0 to 1; `called` says how many standard names are called by a word, where more than one are."""
    counts = called or {}
    in_words = _dice(*(sum(1 / counts.get(word, 1) for word in words) for words in _parted(one.words, other.words)))
    return OF_WORDS * in_words + (1 - OF_WORDS) * _dice(*map(len, _parted(one.pairs, other.pairs)))


def _parted(one: frozenset[str], other: frozenset[str]) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    return one & other, one, other


def _dice(both: float, one: float, other: float) -> float:
    return 2 * both / (one + other) if one or other else 0.0


class Suggester:
    """Knows standard names of one modality with what is called so already. The modality's own word, as CT, is no
    likeness."""

    def __init__(self, modality: str, names: Mapping[int, str], called: Mapping[int, Iterable[str]]) -> None:
        self._names, self._common = names, modality
        self._known = [
            (number, text)
            for number, name in names.items()
            for text in {spelt(text, modality) for text in (name, *called.get(number, ()))}
            if text.words
        ]
        by_name = {(number, word) for number, text in self._known for word in text.words}
        self._called = Counter(word for _, word in by_name)

    def suggest(self, texts: Sequence[str]) -> list[Suggestion]:
        """For a raw name of these texts; the likeliest first."""
        asked = [text for one in texts if (text := spelt(one, self._common)).words]
        best: dict[int, float] = {}
        for number, known in self._known:
            found = max((likeness(one, known, self._called) for one in asked), default=0.0)
            if found >= max(LEAST, best.get(number, 0.0)):
                best[number] = found
        ranked = sorted(best.items(), key=lambda item: (-item[1], self._names[item[0]]))
        return [
            Suggestion(standard_name_id=number, name=self._names[number], likeness=round(value, 3))
            for number, value in ranked[:MOST]
        ]
