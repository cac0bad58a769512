"""Long work as people and programs see it: the list, one work's page, stop, going on, and the file that came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, House, Work

if TYPE_CHECKING:
    from procrastinate import Blueprint

    from treegarth.web.listing import Listing
    from treegarth.web.routes import Route

__all__ = ["FEATURE"]


def _routes() -> list[Route]:
    from treegarth.features.works import api, pages

    return [*api.routes(), *pages.routes()]


def _listings() -> list[Listing[Any, Any]]:
    from treegarth.features.works.works import WORKS

    return [WORKS]


def _tasks(house: House, work: Work) -> list[Blueprint]:
    from treegarth.work.runner import blueprint

    return [blueprint(work.context, house.carried(work))]


FEATURE = Feature(name="works", routes=_routes, listings=_listings, tasks=_tasks)
