"""How a page shows the content tree of a structured report: what is asked for in its address, what its part gets."""

from __future__ import annotations

from typing import Any

from treegarth.dicom.content_lines import Search, Unfolded, lines_of
from treegarth.dicom.content_tree import SourceContent
from treegarth.web.routes import Parameters, Text


class ContentTreeQuery(Parameters):
    """How the tree is shown."""

    q: Text | None = None
    """What is looked for in names, values, units and codes: a part of them, in capitals or not."""
    unfolded: Unfolded | None = None
    """`all` or `none`; without it the first two levels."""
    codes: bool | None = None
    """Whether value types and codes with their schemes are shown."""


def tree_values(content: SourceContent | None, asked: ContentTreeQuery) -> dict[str, Any]:
    """What `content_tree.html` shows."""
    search = Search(asked.q)
    return {
        "content": content,
        "search": search,
        "tree": None if content is None else lines_of(content.root, search, asked.unfolded),
    }
