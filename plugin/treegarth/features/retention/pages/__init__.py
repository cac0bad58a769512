"""The pages about retention, and what they lend to a study's page."""

from __future__ import annotations

from treegarth.features.retention.pages.editor import routes as form_routes
from treegarth.features.retention.pages.holds import routes as hold_routes
from treegarth.features.retention.pages.ledger import routes as ledger_routes
from treegarth.features.retention.pages.marked import routes as marked_routes
from treegarth.features.retention.pages.policies import routes as list_routes
from treegarth.features.retention.pages.policy import routes as policy_routes
from treegarth.features.retention.pages.sections import study_section
from treegarth.features.retention.pages.storage import routes as storage_routes
from treegarth.web.routes import Route

__all__ = ["routes", "study_section"]


def routes() -> list[Route]:
    """Every page about retention."""
    of_policies = (list_routes, form_routes, policy_routes, storage_routes)
    of_objects = (marked_routes, hold_routes, ledger_routes)
    return [
        *(route for part in of_policies for route in part()),
        *(route for part in of_objects for route in part()),
    ]
