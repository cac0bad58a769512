"""What the endpoints of destinations take and answer. Models only."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from treegarth.features.deliveries.addresses import Address, Kind
from treegarth.features.deliveries.destinations import DestinationSettings, WantedProof
from treegarth.features.deliveries.store.destinations import DestinationChange
from treegarth.features.deliveries.windows import Window
from treegarth.web.routes import Answer, Identifier, Parameters


class DestinationQuery(Parameters):
    """Which destinations."""

    removed: bool = False
    """Also those that were removed."""


class DestinationEdit(Parameters):
    """Other settings of a destination."""

    document: DestinationSettings
    """All of them."""
    version: Identifier
    """The version that was read before. Status 409 if somebody else set it anew since."""


class DestinationItem(Answer):
    """A destination: what is set of it, how it is, and what waits for it."""

    id: int
    version: int
    """Counts how often its settings were set."""
    name: str
    kind: Kind
    address: Address
    proof: WantedProof
    alternate: str | None
    windows: list[Window] | None
    max_associations: int
    max_mbit_per_s: float | None
    max_attempts: int
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
    waiting: int
    """Objects that were not tried yet."""
    failed: int
    """Objects that were tried and wait for the next try."""
    sending: int
    sent: int
    """Objects that it took and that no better proof confirms yet."""
    given_up: int
    waiting_bytes: int
    """Of what waits, failed or not."""
    oldest_waiting_at: datetime | None
    sends_last_hour: int
    sent_bytes_last_hour: int
    mbit_per_s: float | None
    """How fast a send of the last hour was on average; null without any."""


class DestinationList(Answer):
    """Every destination, by name."""

    items: list[DestinationItem]


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


class DestinationHistory(Answer):
    """The changes of a destination, the newest first, at most a hundred."""

    items: list[DestinationChange]
