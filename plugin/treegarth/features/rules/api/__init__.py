"""Rules over HTTP: keep them, try them, apply them, what failed, and the labels of a study."""

from __future__ import annotations

from treegarth.features.rules.api import labels, rules, texts, trial, work
from treegarth.features.rules.api.parts import Desk
from treegarth.features.rules.service.book import RuleBook
from treegarth.web.routes import Route
from treegarth.web.services import Services

__all__ = ["routes"]


def routes(services: Services, book: RuleBook) -> list[Route]:
    """The rules' part of the API."""
    desk = Desk(services=services, book=book)
    return [
        *texts.routes(desk),
        *rules.routes(desk),
        *trial.routes(desk),
        *work.routes(desk),
        *labels.routes(desk),
    ]
