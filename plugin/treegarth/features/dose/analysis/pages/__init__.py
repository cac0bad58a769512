"""The pages of analysis, and what it lends to other pages."""

from __future__ import annotations

from treegarth.features.dose.analysis.pages import files, matrix, name, overview, physicians
from treegarth.web.routes import Route

__all__ = ["routes"]


def routes() -> list[Route]:
    """Every page of analysis, and the files of their tables."""
    return [route for part in (overview, name, matrix, physicians, files) for route in part.routes()]
