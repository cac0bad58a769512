"""How the reading of dose stands, for a monitoring system."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from treegarth.features.dose.registry.store.queue import count_sources
from treegarth.web.metrics import Metric


def measure(connection: Connection, now: datetime) -> list[Metric]:
    """Sources of dose by state."""
    found = count_sources(connection)
    states: dict[tuple[str, ...], float] = {
        ("waiting",): found.waiting,
        ("read",): found.read,
        ("refused",): found.refused,
        ("failed",): found.failed,
    }
    return [Metric(name="dose_sources", meaning="Sources of dose.", labels=("state",), values=states)]
