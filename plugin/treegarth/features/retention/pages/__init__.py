"""The pages about retention, and what they lend to a study's page."""

from __future__ import annotations

from treegarth.features.retention.pages import editing, holds, ledger, marked, policies, policy, storage
from treegarth.features.retention.pages.sections import study_section
from treegarth.features.retention.service import Desk
from treegarth.web.routes import Route

__all__ = ["routes", "study_section"]


def routes(desk: Desk) -> list[Route]:
    """Every page about retention."""
    return [
        route for part in (policies, editing, policy, marked, holds, ledger, storage) for route in part.routes(desk)
    ]
