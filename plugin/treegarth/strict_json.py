"""JSON from outside, read so that whatever it holds is an answer or one clear refusal. Pure.

Python's own reader recurses in C at each level: some hundred brackets end a process whose threads have small stacks. It
also reads NaN, keeps the last of keys that stand twice, and reads numbers and letters that no database holds.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from treegarth.errors import InvalidRequest
from treegarth.limits import DEEPEST_NESTING, is_storable
from treegarth.phrases import P_

# A whole text, also one that is never closed, or one bracket. Possessive: no bytes are looked at twice.
_TEXT_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class UnreadableJson(InvalidRequest):
    """The body is not JSON as it is read here."""


def read_json(data: bytes) -> Any:
    """What JSON in UTF-8 (RFC 8259) says. Raises UnreadableJson, before it is parsed where it is nested too deep."""
    try:
        text = data.decode("utf-8-sig")  # some programs begin with a byte order mark
    except UnicodeDecodeError:
        raise UnreadableJson(P_("The body is not UTF-8.")) from None
    _check_depth(text)
    try:
        found = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise UnreadableJson(P_("The body is not JSON: %(reason)s.", reason=str(error))) from None
    except ValueError:  # of thousands of digits
        raise UnreadableJson(_UNSTORABLE) from None
    if not is_storable(found):
        raise UnreadableJson(_UNSTORABLE)
    return found


_UNSTORABLE = P_(
    "The body holds what cannot be kept: a number beyond 64 bits, one that is not finite, NUL, or half a character."
)


def _check_depth(text: str) -> None:
    depth = 0
    for match in _TEXT_OR_BRACKET.finditer(text):
        sign = match[0]
        if sign in "[{":
            depth += 1
            if depth > DEEPEST_NESTING:
                raise UnreadableJson(P_("The body is nested deeper than %(deep)s levels.", deep=DEEPEST_NESTING))
        elif sign in "]}":
            depth -= 1


def _refuse_constant(name: str) -> NoReturn:
    raise UnreadableJson(P_("The body is not JSON: %(name)s is no number there.", name=name))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise UnreadableJson(P_("The body says “%(name)s” twice.", name=name))
        found[name] = value
    return found
