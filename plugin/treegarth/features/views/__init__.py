"""Saved views: what a person asks of a list again and again, under a name; for oneself, or for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, House

if TYPE_CHECKING:
    from treegarth.documents.language import Documents
    from treegarth.web.listing import Listing
    from treegarth.web.routes import Route
    from treegarth.web.row_actions import RowAction

__all__ = ["FEATURE"]


def _parts(house: House) -> list[object]:
    from treegarth.features.views.store import views_of
    from treegarth.web.saved_views import SavedViews

    return [SavedViews(of=lambda call, connection, name: views_of(connection, name, call.actor.name))]


def _routes() -> list[Route]:
    from treegarth.features.views import saving

    return saving.routes()


def _listings() -> list[Listing[Any, Any]]:
    from treegarth.features.views.views import VIEWS

    return [VIEWS]


def _documents() -> list[Documents[Any]]:
    from treegarth.features.views.saving import VIEW_DOCUMENTS

    return [VIEW_DOCUMENTS]


def _row_actions() -> list[RowAction]:
    from treegarth.features.views.views import REMOVE

    return [REMOVE]


FEATURE = Feature(
    name="views", parts=_parts, routes=_routes, listings=_listings, documents=_documents, row_actions=_row_actions
)
