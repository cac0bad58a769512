"""What the endpoints of destinations take and answer. Models only."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from treegarth.documents.store import Stored
from treegarth.features.deliveries.destinations import DestinationSettings
from treegarth.features.deliveries.model import Standing
from treegarth.web.routes import Answer


class DestinationItem(Stored):
    """A destination: its settings, how it is, and what waits for it."""

    document: DestinationSettings  # type: ignore[assignment]
    """Its settings. Secrets by their place."""
    state: Literal["removed", "paused", "down", "up", "unknown"]
    """`down`: it does not answer; `unknown`: nothing was sent there yet."""
    refused: list[str]
    """Why the setting `DestinationPlaces` does not let it be used: what waits for it waits; empty where it does."""
    is_open: bool
    """Whether its windows allow sending now."""
    opens_at: datetime | None
    """When they do, where they do not now."""
    can_commit: bool | None
    """Whether it answers storage commitment; null: not known yet."""
    can_find: bool | None
    """Whether it can be asked what it has; null: not known yet."""
    down_since: datetime | None
    failures: int
    """In a row."""
    next_attempt_at: datetime | None
    last_success_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    objects: dict[Standing, int]
    """By state; every one is named."""
    tried: int
    """Of the objects that wait, those that were tried already."""
    waiting_bytes: int
    """Of the objects that wait."""
    oldest_waiting_at: datetime | None
    sends_last_hour: int
    sent_bytes_last_hour: int
    mbit_per_s: float | None
    """How fast a send of the last hour was on average; null without any."""


class EchoAnswer(Answer):
    """Whether a destination answers now."""

    answers: bool
    seconds: float
    """How long that took."""
    said: str | None
    """What it calls itself."""
    can_find: bool | None
    can_commit: bool | None
    reason: str | None
    """Why it does not answer, or what it cannot do."""
