"""When what waits for a destination can be sent. Pure: destinations and the time are arguments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo

from treegarth.features.deliveries.destinations import Destination
from treegarth.features.deliveries.model import ALTERNATE_AFTER, NEVER
from treegarth.features.deliveries.windows import is_open, opens_at


def not_before(one: Destination, others: Iterable[Destination], now: datetime, zone: tzinfo) -> datetime:
    """From when on objects may go there, by itself or by its alternate: now, after its pause, in its hours. NEVER where
    only a person can let it go on."""
    if one.removed_at is not None or one.is_paused:
        return NEVER
    if one.down_since is not None and now - one.down_since >= ALTERNATE_AFTER:
        alternate = next((other for other in others if other.name == one.alternate), None)
        if alternate is not None and not alternate.failures and _may_be_sent_to(alternate, now, zone):
            return now
    return opens_at(one.windows, max(now, one.next_attempt_at or now), zone)


def _may_be_sent_to(one: Destination, now: datetime, zone: tzinfo) -> bool:
    is_free = one.next_attempt_at is None or one.next_attempt_at <= now
    return one.removed_at is None and not one.is_paused and is_free and is_open(one.windows, now, zone)
