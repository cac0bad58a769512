"""The pages of alerts: the list, one alert, levels and their form; what they lend to health."""

from __future__ import annotations

from treegarth.features.dose.alerts.pages import alerts, levels
from treegarth.web.routes import Route


def routes() -> list[Route]:
    return [*alerts.routes(), *levels.routes()]
