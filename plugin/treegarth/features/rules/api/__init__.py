"""Rules over HTTP: try them, apply them, what failed, and the labels of a study."""

from __future__ import annotations

from treegarth.features.rules.api import labels, trial, work
from treegarth.web.routes import Route

__all__ = ["routes"]


def routes() -> list[Route]:
    """The rules' part of the API."""
    return [
        *trial.routes(),
        *work.routes(),
        *labels.routes(),
    ]
