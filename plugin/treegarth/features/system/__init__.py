"""The system itself: its health, its tasks, and what a person can do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from treegarth.feature import Feature, House

if TYPE_CHECKING:
    from treegarth.web.listing import Listing
    from treegarth.web.parts import HealthCheck
    from treegarth.web.routes import Route
    from treegarth.web.row_actions import RowAction

__all__ = ["FEATURE"]


def _parts(house: House) -> list[object]:
    from treegarth.features.system.metrics import Metrics

    return [Metrics(house.measures())]


def _routes() -> list[Route]:
    from treegarth.features.system import api, metrics, pages

    return [*api.routes(), *metrics.routes(), *pages.routes()]


def _listings() -> list[Listing[Any, Any]]:
    from treegarth.features.system.queue import TASKS

    return [TASKS]


def _row_actions() -> list[RowAction]:
    from treegarth.features.system.queue import RETRY

    return [RETRY]


def _checks() -> list[HealthCheck]:
    from treegarth.features.system.health import host_checks

    return [host_checks]


FEATURE = Feature(
    name="system", parts=_parts, routes=_routes, listings=_listings, row_actions=_row_actions, checks=_checks
)
