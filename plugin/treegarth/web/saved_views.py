"""Saved views: what a person asks of a list, under a name. Here what a list knows of them; a feature keeps them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from treegarth.record import Record
from treegarth.web.call import AnyCall


class SavedView(Record):
    """What is asked of a list, under a name."""

    id: int
    """Its number."""
    list: str
    """The list, by the name of its page: `archive.studies`."""
    name: str
    """As who saved it called it."""
    query: dict[str, str]
    """The parameters of the list, by name."""
    is_shared: bool
    """Whether everybody sees it; else only who saved it."""
    saved_by: str | None
    """Who saved it; null without a login."""
    saved_at: datetime
    """When it was saved last."""


@dataclass(frozen=True, kw_only=True)
class SavedViews:
    """Finds the views of a list that who asks can see, by name."""

    of: Callable[[AnyCall, Connection, str], Sequence[SavedView]]
