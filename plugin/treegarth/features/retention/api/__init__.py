"""Retention over HTTP: what policies would do, what is marked, holds, the ledger, space."""

from __future__ import annotations

from treegarth.features.retention.api import forecast, holds, ledger, marked
from treegarth.web.routes import Route

__all__ = ["routes"]


def routes() -> list[Route]:
    """Retention's part of the API."""
    return [
        *forecast.routes(),
        *marked.routes(),
        *holds.routes(),
        *ledger.routes(),
    ]
