"""The pages about rules and notifications, and what rules lend to other pages."""

from __future__ import annotations

from treegarth.features.rules.pages import editor, notifications, rule, rule_list, trial
from treegarth.features.rules.pages.notifications import health_check
from treegarth.features.rules.pages.parts import RulePages
from treegarth.web.routes import Route

__all__ = ["RulePages", "health_check", "routes"]


def routes() -> list[Route]:
    """Every page about rules."""
    return [route for part in (rule_list, editor, rule, trial, notifications) for route in part.routes()]
