"""Saving a view of a list: from its page, or by a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl

from flask import Response
from pydantic import BeforeValidator, Field
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.documents.language import Documents, at_place, author_of, validated_at
from treegarth.documents.store import Wording
from treegarth.errors import DocumentRefused, Problem, RequestForbidden
from treegarth.feature import House
from treegarth.features.views.store import VIEWS_KIND, StoredView, keep_view
from treegarth.limits import LONGEST_QUERY
from treegarth.phrases import P_
from treegarth.web.access import check_permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.routes import AnyText, Identifier, Parameters, Route, Text
from treegarth.web.told import see_other
from treegarth.web.validation import InvalidFields, validated

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


class SavedViewDocument(Parameters):
    """A saved view."""

    name: Name
    """What the view is called; one's own of a list have different names."""
    list: Text
    """The list, by the name of its page: `archive.studies`."""
    query: dict[Text, Text] = Field(default_factory=dict)
    """The list's parameters, its `sort` among them, as an address has them."""
    shared: bool = False
    """Whether everybody is to see it."""


class SavedViewPath(Parameters):
    view_id: Identifier
    """The view's number."""


def parse(call: AnyCall, connection: Connection, document: Any, place: str) -> Wording:
    view: SavedViewDocument = validated_at(SavedViewDocument, document, place)
    listing = next((one for one in call.part(House).listings() if one.name == view.list), None)
    if listing is None or not listing.has_views:
        raise DocumentRefused([Problem(f"{place}.list", P_("There is no list of this name."))])
    try:
        validated(listing.file_query, view.query)
    except InvalidFields as refused:
        raise at_place(refused, f"{place}.query") from None
    return Wording(document=view.model_dump())


def sees(call: AnyCall, stored: StoredView) -> bool:
    return stored.is_shared or stored.saved_by == call.actor.name


def check_may(call: AnyCall, stored: StoredView | None, document: Mapping[str, Any]) -> None:
    """Who shares must be allowed to; another person's is changed by who may administer."""
    if document["shared"]:
        check_permission(call.actor, Permission.ANNOTATE)
    if stored is not None and stored.saved_by != call.actor.name and not call.actor.may(Permission.ADMINISTER):
        raise RequestForbidden(P_("Another person shares this view."))


VIEW_DOCUMENTS = Documents(
    kind=VIEWS_KIND,
    name="saved_view",
    example={"name": "CT of this month", "list": "archive.studies", "query": {"modality": "CT", "sort": "-study_date"}},
    names="saved_views",
    one="saved view",
    many="views",
    path="views",
    tag="views",
    number=SavedViewPath,
    parse=parse,
    model=SavedViewDocument,
    sees=sees,
    check_may=check_may,
    write_permission=Permission.SIGNED_IN,
    switch_permission=Permission.SIGNED_IN,
    is_listed=False,
)


def routes() -> list[Route]:
    return [
        route(
            name="views.save_page",
            path="/treegarth/views",
            method="POST",
            permission=Permission.SIGNED_IN,
            handler=save_page,
            summary="Save what a list shows under a name.",
        )
    ]


def save_page(call: Call[None, ViewForm, None]) -> Response:
    """In place of one's own of this name; back to the list, which shows the view."""
    given = call.body.model_dump() | {"query": dict(parse_qsl(call.body.query))}
    with call.begin() as connection:
        document = parse(call, connection, given, "document").document
        check_may(call, None, document)
        view = keep_view(connection, document, author_of(call))
    said = P_("The view “%(name)s” is saved for you alone.", name=view.name)
    if view.is_shared:
        said = P_("The view “%(name)s” is saved for everybody.", name=view.name)
    return see_other(call, call.site.url(f"{view.list}_page", **document["query"]), said)
