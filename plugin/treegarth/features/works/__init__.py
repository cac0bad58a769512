"""Long work as people and programs see it: the list, one work's page, stop, going on, and the file that came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, House, Work

if TYPE_CHECKING:
    from procrastinate import Blueprint
    from sqlalchemy import Connection

    from treegarth.web.listing import Listing
    from treegarth.web.parts import HealthCheck
    from treegarth.web.routes import Route
    from treegarth.work.kinds import Block, Carry, Report, WorkKind
    from treegarth.work.store import ClaimedWork

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


def _works() -> list[WorkKind]:
    from treegarth.work.list_kinds import ACTING, EXPORTING

    return [EXPORTING, ACTING]


def _carries(house: House, work: Work) -> Mapping[str, Carry]:
    from treegarth.work.kinds import Outside, Within
    from treegarth.work.list_kinds import ACTING, EXPORTING

    def export(given: ClaimedWork, report: Report) -> Block:
        from treegarth.work.lists import write_file

        listing, search = house.listing(given.given["list"]), house.lent.search()
        return write_file(listing, work.sending.engine, work.zone, given, report, search)

    def act(connection: Connection, given: ClaimedWork, now: datetime) -> Block:
        from treegarth.work.lists import act_on_next

        listing = house.listing(given.given["list"])
        (action,) = (one for one in house.row_actions().of(listing.name) if one.name == given.given["action"])
        return act_on_next(connection, listing, action, given, now, work.zone, house.lent.search())

    return {EXPORTING.name: Outside(act=export), ACTING.name: Within(block=act)}


def _checks() -> list[HealthCheck]:
    from treegarth.features.works.health import health_check

    return [health_check]


FEATURE = Feature(
    name="works",
    routes=_routes,
    listings=_listings,
    tasks=_tasks,
    works=_works,
    carries=_carries,
    checks=_checks,
)
