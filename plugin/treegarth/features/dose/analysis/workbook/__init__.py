"""Doses as a workbook of spreadsheets: figures of every name, the exams and events behind them, a sheet a protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from treegarth.web.routes import Route


def routes() -> list[Route]:
    """Its addresses. A worker that makes one loads no page."""
    from treegarth.features.dose.analysis.workbook import api, pages

    return [*api.routes(), *pages.routes()]
