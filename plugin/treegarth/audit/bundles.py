"""Join events that repeat: the first is written at once, those that follow as one with their count. Pure.

A page that asks again every few seconds is one row an hour. What is refused is told each minute, however it goes on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from treegarth.audit.model import JOINED_AT_MOST, JOINED_WITHIN, Event, EventOutcome

MOST_OPEN = 20_000


@dataclass(kw_only=True)
class _Open:
    first: datetime  # of the one that was written
    last: datetime
    is_refusal: bool
    repeated: Event | None = None
    count: int = 0
    until: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        if self.is_refusal or now - self.first >= JOINED_AT_MOST:
            return now - self.first >= JOINED_WITHIN
        return now - self.last >= JOINED_WITHIN

    def joined(self) -> Event | None:
        return None if self.repeated is None or self.until is None else self.repeated.joined(self.count, self.until)


class Bundles:
    """What was written, and how often it came again since."""

    def __init__(self, most_open: int = MOST_OPEN) -> None:
        self._open: OrderedDict[tuple[object, ...], _Open] = OrderedDict()
        self._most_open = most_open

    def take(self, event: Event) -> list[Event]:
        """What is to be written now, because of this one."""
        if not event.may_join:
            return [event]
        found = self._open.get(event.joins_by)
        if found is not None and not found.is_over(event.at):
            found.last = event.at
            found.repeated = found.repeated or event
            found.count += event.count
            found.until = max(found.until or event.at, event.at)
            return []
        ended = self._open.pop(event.joins_by, None)
        self._open[event.joins_by] = _Open(
            first=event.at, last=event.at, is_refusal=event.outcome is EventOutcome.REFUSED
        )
        others = [self._open.popitem(last=False)[1]] if len(self._open) > self._most_open else []
        return [*_joined([*([ended] if ended else []), *others]), event]

    def due(self, now: datetime) -> list[Event]:
        """Those that do not go on."""
        keys = [key for key, one in self._open.items() if one.is_over(now)]
        return _joined([self._open.pop(key) for key in keys])

    def rest(self) -> list[Event]:
        """All that are left, at the end."""
        found = _joined(self._open.values())
        self._open.clear()
        return found


def _joined(found: Iterable[_Open]) -> list[Event]:
    return [event for one in found if (event := one.joined()) is not None]
