"""Patterns of `like`: * is any text, ? any one character, A to Z in capitals or not. Pure."""

from __future__ import annotations

import string

_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold(text: str) -> str:
    """With A to Z in small letters, and no other character changed: what PostgreSQL's "C" collation makes of it too."""
    return text.translate(_FOLD)


def like_pattern(pattern: str) -> str:
    """The same pattern for SQL's LIKE on folded text."""
    escaped = fold(pattern).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%").replace("?", "_")


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text is like the pattern. Goes back to the last * only, so its time is at most the product of
    both lengths."""
    pattern, text = fold(pattern), fold(text)
    at = place = 0
    star = resume = -1
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            star, resume, place = place, at, place + 1
        elif place < len(pattern) and pattern[place] in ("?", text[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return not pattern[place:].strip("*")
