"""The pages about dose, and what dose lends to other pages."""

from __future__ import annotations

from treegarth.features.dose.pages import content, doses, equipment, missing, patient, unread
from treegarth.features.dose.pages.sections import health_check, study_section, system_section
from treegarth.web.routes import Route

__all__ = ["health_check", "routes", "study_section", "system_section"]


def routes() -> list[Route]:
    """Every page about dose."""
    return [route for part in (doses, equipment, missing, unread, patient, content) for route in part.routes()]
