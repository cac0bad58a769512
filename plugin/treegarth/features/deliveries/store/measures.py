"""How deliveries stand, for a monitoring system. Reads what is open, through its indexes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from treegarth.features.deliveries.store.destinations import list_destinations, read_figures
from treegarth.web.metrics import Metric


def measure(connection: Connection, now: datetime) -> list[Metric]:
    """By destination: objects by state, sends and bytes of the last hour, whether it answers."""
    found = list_destinations(connection)
    figures = read_figures(connection, [one.id for one in found], now)
    named = {one.name: figures[one.id] for one in found}
    oldest = {name: of.oldest_waiting_at for name, of in named.items()}
    label = ("destination",)
    return [
        Metric(
            name="delivery_objects",
            meaning="Objects by destination and state.",
            labels=("destination", "state"),
            values={(name, str(state)): count for name, of in named.items() for state, count in of.counts.items()},
        ),
        Metric(
            name="delivery_waiting_bytes",
            meaning="Size of the objects that wait.",
            labels=label,
            values={(name,): of.waiting_bytes for name, of in named.items()},
        ),
        Metric(
            name="delivery_oldest_waiting_seconds",
            meaning="For how long the oldest of them has waited.",
            labels=label,
            values={(name,): (now - at).total_seconds() if at else 0.0 for name, at in oldest.items()},
        ),
        Metric(
            name="delivery_sends_last_hour",
            meaning="Sends that arrived within the last hour.",
            labels=label,
            values={(name,): of.sends for name, of in named.items()},
        ),
        Metric(
            name="delivery_sent_bytes_last_hour",
            meaning="What they carried.",
            labels=label,
            values={(name,): of.sent_bytes for name, of in named.items()},
        ),
        Metric(
            name="destination_up",
            meaning="Whether a destination answered when it was last asked.",
            labels=label,
            values={(one.name,): one.down_since is None for one in found},
        ),
        Metric(
            name="destination_paused",
            meaning="Whether a person has paused it.",
            labels=label,
            values={(one.name,): one.is_paused for one in found},
        ),
    ]
