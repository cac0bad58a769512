"""The yearly report of doses: one set of figures, shown as a page, as a PDF and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from treegarth.web.routes import Route


def routes() -> list[Route]:
    """Its page and its endpoints. A worker that makes its PDF loads neither."""
    from treegarth.features.dose.analysis.yearly import api, pages

    return [*api.routes(), *pages.routes()]
