"""The system itself: its health, its tasks, and what a person can do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from treegarth.feature import Feature, House

if TYPE_CHECKING:
    from treegarth.web.parts import HealthCheck
    from treegarth.web.routes import Route
    from treegarth.web.services import Services

__all__ = ["FEATURE"]


def _routes(house: House, services: Services) -> list[Route]:
    from treegarth.features.system import api, metrics, pages

    lent = house.lent
    counts = api.WorkCounts(
        indexed_instances=lent.count_instances, stale_series=lent.count_stale, dose_waiting=lent.count_dose_waiting
    )
    return [
        *api.routes(services, counts),
        *metrics.routes(services, house.measures()),
        *pages.routes(checks=house.checks(), sections=house.system_sections()),
    ]


def _checks() -> list[HealthCheck]:
    from treegarth.features.system.health import host_checks

    return [host_checks]


FEATURE = Feature(name="system", routes=_routes, checks=_checks)
