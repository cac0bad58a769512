"""How the reading of dose stands, for a monitoring system."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from treegarth.features.dose.registry.store.queue import count_sources
from treegarth.features.dose.registry.store.studies import count_doubted
from treegarth.web.metrics import Metric, single


def measure(connection: Connection, now: datetime) -> list[Metric]:
    """Sources of dose by state, and how many exams have a doubt."""
    found = count_sources(connection)
    states: dict[tuple[str, ...], float] = {
        ("waiting",): found.waiting,
        ("read",): found.read,
        ("refused",): found.refused,
        ("failed",): found.failed,
    }
    return [
        Metric(name="dose_sources", meaning="Sources of dose.", labels=("state",), values=states),
        single("dose_studies_doubted", "Exams with a doubted dose, counted to 10,000.", count_doubted(connection)),
    ]
