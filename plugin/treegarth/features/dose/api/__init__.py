"""Radiation dose over HTTP: studies, sources, devices, patients, what is missing, rules, reading again."""

from __future__ import annotations

from treegarth.features.dose.api import not_patients, registry, reports, rereading, studies
from treegarth.features.dose.api.studies import IsIndexed
from treegarth.web.routes import Route
from treegarth.web.services import Services

__all__ = ["routes"]


def routes(services: Services, is_indexed: IsIndexed) -> list[Route]:
    """Dose's part of the API; `is_indexed` tells a study without dose from one that is not here."""
    return [
        *studies.routes(services, is_indexed),
        *reports.routes(services),
        *registry.routes(services),
        *not_patients.routes(services),
        *rereading.routes(services),
    ]
