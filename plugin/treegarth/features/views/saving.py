"""Saving a view of a list: from its page, or by a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from flask import Response
from pydantic import BeforeValidator, Field

from treegarth.errors import NotFound
from treegarth.feature import House
from treegarth.features.views.store import save_view
from treegarth.limits import LONGEST_QUERY
from treegarth.phrases import N_, P_
from treegarth.web.access import check_permission
from treegarth.web.actors import Permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import endpoint, route
from treegarth.web.routes import AnyText, Parameters, Route, Text
from treegarth.web.saved_views import SavedView
from treegarth.web.told import see_other
from treegarth.web.validation import validated

LONGEST_NAME = 100
Name = Annotated[
    AnyText,
    Field(min_length=1, max_length=LONGEST_NAME),
    BeforeValidator(lambda given: given.strip() if isinstance(given, str) else given),
]


class ViewForm(Parameters):
    """A view to be saved, from the page of its list."""

    list: Text
    """The list's name."""
    name: Name
    """What the view is called."""
    query: Annotated[AnyText, Field(max_length=LONGEST_QUERY)] = ""
    """What the address asks for."""
    shared: bool = False
    """Whether everybody is to see it."""


class ViewBody(Parameters):
    """A view to be saved."""

    list: Text
    """The list, by the name of its page: `archive.studies`."""
    name: Name
    """What the view is called. One's own of this name is replaced."""
    query: dict[Text, Text] = Field(default_factory=dict)
    """The list's parameters, its `sort` among them, as an address has them."""
    shared: bool = False
    """Whether everybody is to see it."""


def routes() -> list[Route]:
    return [
        route(
            name="views.save_page",
            path="/treegarth/views",
            method="POST",
            permission=Permission.VIEW,
            handler=save_page,
            summary="Save what a list shows under a name.",
        ),
        endpoint(
            "save_view",
            "views",
            save,
            "Save what is asked of a list under a name.",
            tag="views",
            method="POST",
            problems=(404, 503),
        ),
    ]


def save(call: Call[None, ViewBody, None]) -> SavedView:
    body = call.body
    return _save(call, body.list, body.name, body.query, is_shared=body.shared)


def save_page(call: Call[None, ViewForm, None]) -> Response:
    """Back to the list, which shows the view."""
    body = call.body
    view = _save(call, body.list, body.name, dict(parse_qsl(body.query)), is_shared=body.shared)
    said = P_("The view “%(name)s” is saved for you alone.", name=view.name)
    if view.is_shared:
        said = P_("The view “%(name)s” is saved for everybody.", name=view.name)
    return see_other(call, call.site.url(f"{view.list}_page", **view.query), said)


def _save(call: AnyCall, name_of_list: str, name: str, query: Mapping[str, str], *, is_shared: bool) -> SavedView:
    listing = next((one for one in call.part(House).listings() if one.name == name_of_list), None)
    if listing is None or not listing.has_views:
        raise NotFound(N_("There is no list of this name."))
    validated(listing.file_query, query)
    if is_shared:
        check_permission(call.actor, Permission.OPERATE)
    with call.begin() as connection:
        return save_view(
            connection,
            name_of_list=name_of_list,
            name=name,
            query=query,
            is_shared=is_shared,
            saved_by=call.actor.name,
            saved_at=call.services.clock(),
        )
