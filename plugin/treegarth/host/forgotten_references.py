"""Give back the references to a request's parts that Orthanc's plugin forgets.

Plugin 4.0 keeps every part of every request for good: the body of a POST, and the headers and arguments of each GET
(0.7 kB). Which parts is not told by a version but learnt from one request: whatever is still referred to after Orthanc
has finished with it, by somebody whom we do not know, was forgotten. What is not learnt is not given back.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator, Mapping
from time import monotonic, sleep
from typing import Any

_LEARN_WITHIN_S = 2.0
_PARTS_OF_PARTS = ("get", "headers")

_give_back = ctypes.pythonapi.Py_DecRef
_give_back.argtypes = [ctypes.py_object]
_give_back.restype = None


class ForgottenReferences:
    """Which parts of a request Orthanc forgets; none until they are learnt."""

    def __init__(self) -> None:
        self.kinds: frozenset[str] = frozenset()

    def learn(self, request: dict[str, Any]) -> None:
        """Learn from the parts of a request that was answered; the caller holds nothing of it but this dictionary.

        Texts of one letter, which all who use them share, say nothing.
        """
        parts = list(_parts(request))
        request.clear()
        deadline = monotonic() + _LEARN_WITHIN_S
        while (held := _held_elsewhere(parts)) and monotonic() < deadline:
            sleep(0.05)  # the answer was there before Orthanc had finished
        self.kinds |= {kind for kind, counts in held.items() if counts == {1}}

    def give_back(self, request: Mapping[str, Any]) -> None:
        """Give back one reference to each part that was forgotten; the last thing that is done with a request."""
        if self.kinds:
            for kind, part in _parts(request):
                if kind in self.kinds:
                    _give_back(part)


def _held_elsewhere(parts: list[tuple[str, Any]]) -> dict[str, set[int]]:
    """How often the parts of each kind are referred to by somebody whom we do not know; without those never."""
    counts: dict[str, set[int]] = {}
    for kind, part in parts:
        if isinstance(part, str | bytes) and len(part) < 2:
            continue
        ours = 4 if "." in kind else 3  # the pair, `part`, the argument; a value's dictionary
        counts.setdefault(kind, set()).add(sys.getrefcount(part) - ours)
    return {kind: found for kind, found in counts.items() if found != {0}}


def _parts(request: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, part in request.items():
        if name in _PARTS_OF_PARTS:
            yield from ((f"{name}.value", value) for value in part.values())
        yield name, part
