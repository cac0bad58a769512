"""Texts compared with patterns, in time that grows with their lengths and no faster, whatever somebody wrote. Pure.

`*` is any text and `?` any character, as in DICOM (PS3.4 C.2.2.2.4); texts are folded as the archive's search folds
them, and a run of spaces is one. A pattern is of the whole text. Where it has Korean, Chinese or Japanese letters, a
text fits too that is the same but for its spaces: 흉부 CT is 흉부CT.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from treegarth.folding import fold, is_written_together


def plain(text: str) -> str:
    """A text as it is compared."""
    return " ".join(fold(text).split())


@dataclass(frozen=True)
class Pattern:
    """A pattern, as somebody wrote it."""

    written: str

    def fits(self, text: str) -> bool:
        """Whether a text, made `plain` before, is one of those that it means."""
        return self._as_written.fits(text) or (
            self._together is not None and self._together.fits(text.replace(" ", ""))
        )

    @cached_property
    def _as_written(self) -> _Pieces:
        return _Pieces(plain(self.written))

    @cached_property
    def _together(self) -> _Pieces | None:
        text = plain(self.written)
        return _Pieces(text.replace(" ", "")) if is_written_together(text) else None


class _Pieces:
    """The parts between the stars, looked for from left to right, each once: nothing is tried again.

    The leftmost place of each part leaves the most for those behind it, so that the first attempt decides.
    """

    def __init__(self, pattern: str) -> None:
        first, *others = re.split(r"\*+", pattern)
        self._first = _compiled(first)
        self._last = _compiled(others[-1]) if others else None
        self._last_length = len(others[-1]) if others else 0
        self._between = [_compiled(one) for one in others[:-1]]

    def fits(self, text: str) -> bool:
        if self._last is None:
            return self._first.fullmatch(text) is not None
        begin = self._first.match(text)
        if begin is None:
            return False
        end, place = len(text) - self._last_length, begin.end()
        for part in self._between:
            found = part.search(text, place, max(end, 0))
            if found is None:
                return False
            place = found.end()
        return place <= end and self._last.fullmatch(text, end) is not None


def _compiled(part: str) -> re.Pattern[str]:
    """A part without stars: a fixed number of characters, in which nothing repeats."""
    return re.compile(re.escape(part).replace(r"\?", "."), re.DOTALL)
