"""The pages about destinations and deliveries, and what they lend to other pages."""

from __future__ import annotations

from treegarth.features.deliveries.pages import deliveries, destination_editor, destinations, sections
from treegarth.features.deliveries.pages.sections import health_check, study_section, system_section
from treegarth.web.routes import Route

__all__ = ["health_check", "routes", "study_section", "system_section"]


def routes() -> list[Route]:
    """Every page about destinations and deliveries."""
    return [*deliveries.routes(), *destinations.routes(), *destination_editor.routes(), *sections.routes()]
