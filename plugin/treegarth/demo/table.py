"""Draws a table of text whose columns line up also where letters are two cells wide. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

Alignment = Literal["left", "right"]


def display_width(text: str) -> int:
    """The cells that a terminal gives the text: two for wide letters such as Hangul, none for combining marks."""
    return sum(_cells(letter) for letter in text)


def _cells(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], alignments: Sequence[Alignment]) -> str:
    """The rows under their heads, two spaces between columns, a rule below the heads."""
    widths = [max(display_width(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    rule = ["─" * width for width in widths]
    return "\n".join(_line(row, widths, alignments) for row in (heads, rule, *rows))


def _line(row: Sequence[str], widths: Sequence[int], alignments: Sequence[Alignment]) -> str:
    cells = []
    for text, width, alignment in zip(row, widths, alignments, strict=True):
        padding = " " * (width - display_width(text))
        cells.append(padding + text if alignment == "right" else text + padding)
    return "  ".join(cells).rstrip()
