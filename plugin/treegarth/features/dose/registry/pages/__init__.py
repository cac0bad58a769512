"""The pages about dose, and what dose lends to other pages."""

from __future__ import annotations

from treegarth.features.dose.registry.pages import (
    acts,
    content,
    device,
    limits,
    missing_dose,
    not_patients,
    patient,
    redecision,
    sizes,
    sources,
    study,
    this_study,
)
from treegarth.features.dose.registry.pages.notes import study_notes
from treegarth.features.dose.registry.pages.panel import panel_section
from treegarth.features.dose.registry.pages.sections import health_check, study_section, system_section
from treegarth.features.dose.registry.pages.study import kept_study_address
from treegarth.web.routes import Route

__all__ = [
    "health_check",
    "kept_study_address",
    "panel_section",
    "routes",
    "study_notes",
    "study_section",
    "system_section",
]


def routes() -> list[Route]:
    """Every page about dose."""
    parts = (
        missing_dose,
        sources,
        redecision,
        not_patients,
        patient,
        study,
        this_study,
        content,
        acts,
        limits,
        device,
        sizes,
    )
    return [route for part in parts for route in part.routes()]
