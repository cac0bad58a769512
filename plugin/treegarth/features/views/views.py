"""The list of saved views. A person has some dozens of them: every order is sorted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from treegarth.access.actors import Permission
from treegarth.documents.store import Author
from treegarth.feature import House
from treegarth.features.views.store import remove_views, select_views
from treegarth.features.views.tables import saved_view
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.parts import translated
from treegarth.web.routes import Parameters, Text
from treegarth.web.row_actions import NothingGiven, RowAction
from treegarth.web.saved_views import SavedView


class ViewsAsked(Parameters):
    """Which saved views."""

    list: Text | None = None
    """Of the list of this name: `archive.studies`."""
    shared: bool | None = None
    """Those that everybody sees, or only one's own."""


def find(asker: Asker, connection: Connection, asked: ViewsAsked) -> Select[Any]:
    found = select_views(asker.actor.name)
    if asked.list is not None:
        found = found.where(saved_view.c.list == asked.list)
    if asked.shared is not None:
        found = found.where(saved_view.c.is_shared == asked.shared)
    return found


def titles(call: AnyCall, connection: Connection) -> dict[str, str]:
    """What the lists are called, by name."""
    return {one.name: translated(call, one.title) for one in call.part(House).listings() if one.has_views}


def extras(call: AnyCall, connection: Connection, asked: ViewsAsked, found: Sequence[SavedView]) -> Mapping[str, Any]:
    lists = {one.name: one for one in call.part(House).listings()}
    labels = {one.name: {each.name: each.label for each in one.filters} for one in lists.values()}
    urls = {one.id: call.site.url(f"{one.list}_page", **one.query) for one in found if one.list in lists}
    return {"titles": titles(call, connection), "labels": labels, "urls": urls}


def remove(asker: Asker, connection: Connection, numbers: Sequence[int], given: NothingGiven) -> int:
    also_shared = asker.actor.may(Permission.ADMINISTER)
    author = Author(name=asker.actor.name, now=asker.now)
    return remove_views(connection, numbers, author, also_shared=also_shared)


VIEWS = Listing(
    name="views.views",
    title=N_("Saved views"),
    counts=NN_("%(num)s view", "%(num)s views"),
    path="views",
    api_name="saved_views",
    api_path="views",
    tag="views",
    summary="What people ask of lists again and again, under a name: one's own, and what others share.",
    record=SavedView,
    asked=ViewsAsked,
    query=find,
    unique="id",
    order="name",
    columns=(
        Column(name="name", label=N_("Name")),
        Column(name="list", label=N_("List")),
        Column(name="query", label=N_("Shows"), sorts_by=()),
        Column(name="is_shared", label=N_("For everybody")),
        Column(name="saved_by", label=N_("Saved by"), narrow="c-1"),
        Column(name="saved_at", label=N_("Saved"), narrow="c-2"),
    ),
    filters=(
        Filter(name="list", label=N_("List"), find_choices=titles, width="wide"),
        Filter(name="shared", label=N_("For everybody"), choices={"true": N_("yes"), "false": N_("no")}),
    ),
    empty=Empty(
        title=N_("No view is saved yet"),
        text=N_("Filter or sort any list, then choose “Save this view” under its title: it is one click from then on."),
        filtered=N_("No view fits these filters"),
    ),
    template="views/views.html",
    extras=extras,
)
REMOVE = RowAction(
    name="remove",
    lists=(VIEWS.name,),
    label=N_("Remove"),
    icon="close",
    done=NN_("%(num)s view was removed.", "%(num)s views were removed."),
    left=NN_(
        "%(num)s was left: another person shares it, or it is gone.",
        "%(num)s were left: other people share them, or they are gone.",
    ),
    act=remove,
    warning=N_("A view that is shared goes for everybody."),
    permission=Permission.SIGNED_IN,
)
