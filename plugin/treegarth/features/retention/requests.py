"""What requests about policies have in common: who asks."""

from __future__ import annotations

from treegarth.documents.store import Author
from treegarth.web.call import AnyCall


def author_of(call: AnyCall) -> Author:
    """Who changes policies by this request, and when."""
    return Author(name=call.actor.name, now=call.services.clock())
