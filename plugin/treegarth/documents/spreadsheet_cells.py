"""Texts in cells that a spreadsheet would take for formulas: an apostrophe guards them, and reading takes it off. Pure.

Source: OWASP, CSV Injection: what begins with =, +, -, @ or a tab is one.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t]")
_GUARDED = re.compile(r"'+[=+\-@\t]")


def guarded(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """What `guarded` made of it, back; what needed no guard is as it is."""
    return text[1:] if _GUARDED.match(text) else text
