"""Radiation dose over HTTP: studies, sources, devices, patients, what is missing, rules, reading again."""

from __future__ import annotations

from treegarth.features.dose.api import not_patients, registry, reports, rereading, studies
from treegarth.web.routes import Route
from treegarth.web.services import Services

__all__ = ["routes"]


def routes(services: Services) -> list[Route]:
    """Dose's part of the API."""
    return [
        *studies.routes(services),
        *reports.routes(services),
        *registry.routes(services),
        *not_patients.routes(services),
        *rereading.routes(services),
    ]
