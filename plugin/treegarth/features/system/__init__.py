"""The system itself: its health, its tasks, and what a person can do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from treegarth.feature import Feature, House

if TYPE_CHECKING:
    from treegarth.web.parts import HealthCheck
    from treegarth.web.routes import Route

__all__ = ["FEATURE"]


def _parts(house: House) -> list[object]:
    from treegarth.features.system.metrics import Metrics

    return [Metrics(house.measures())]


def _routes() -> list[Route]:
    from treegarth.features.system import api, metrics, pages, queue

    return [*api.routes(), *metrics.routes(), *pages.routes(), *queue.TASKS.routes()]


def _checks() -> list[HealthCheck]:
    from treegarth.features.system.health import host_checks

    return [host_checks]


FEATURE = Feature(name="system", parts=_parts, routes=_routes, checks=_checks)
