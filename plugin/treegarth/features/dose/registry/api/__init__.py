"""Radiation dose over HTTP: studies, sources, devices, patients, what is missing, rules, reading again."""

from __future__ import annotations

from treegarth.features.dose.registry.api import (
    acts,
    devices,
    limits,
    not_patients,
    registry,
    reports,
    revision,
    sizes,
    studies,
)
from treegarth.web.routes import Route

__all__ = ["routes"]


def routes() -> list[Route]:
    """Dose's part of the API."""
    return [
        *studies.routes(),
        *reports.routes(),
        *registry.routes(),
        *devices.routes(),
        *sizes.routes(),
        *not_patients.routes(),
        *revision.routes(),
        *acts.routes(),
        *limits.routes(),
    ]
