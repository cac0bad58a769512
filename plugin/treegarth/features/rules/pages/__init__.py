"""The pages about rules and notifications, and what rules lend to other pages."""

from __future__ import annotations

from treegarth.features.rules.pages import editing, listing, notifications, rule, trying
from treegarth.features.rules.pages.kit import RulePages
from treegarth.features.rules.pages.notifications import health_check
from treegarth.web.routes import Route

__all__ = ["RulePages", "health_check", "routes"]


def routes(pages: RulePages) -> list[Route]:
    """Every page about rules."""
    own = [route for part in (listing, editing, rule, trying) for route in part.routes(pages)]
    return [*own, *notifications.routes()]
