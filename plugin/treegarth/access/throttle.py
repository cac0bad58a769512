"""How wrong passwords slow who guesses them down: by name and place, never for good. Pure but for what it remembers.

A place is an address, or a browser by which the user has signed in before. Behind a proxy all addresses are the
proxy's: whoever guesses from elsewhere locks a name for strangers, and the user's own browser is let in all the same.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

FREE_TRIES = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=1)
MOST_REMEMBERED = 20_000


@dataclass(slots=True)
class _Tries:
    wrong: int
    last_at: datetime


class Throttle:
    """Of one server."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tries: OrderedDict[tuple[str, str], _Tries] = OrderedDict()

    def wait(self, name: str, place: str, now: datetime) -> timedelta:
        """How long the next try has to wait; nothing where it may be made."""
        with self._lock:
            tries = self._tries.get((name, place))
            if tries is None or now - tries.last_at >= FORGOTTEN_AFTER or tries.wrong < FREE_TRIES:
                return timedelta(0)
            return max(timedelta(0), tries.last_at + _pause_after(tries.wrong) - now)

    def note_wrong(self, name: str, place: str, now: datetime) -> bool:
        """That a password was wrong; whether this locks the name for the place."""
        with self._lock:
            tries = self._tries.pop((name, place), None)
            if tries is None or now - tries.last_at >= FORGOTTEN_AFTER:
                tries = _Tries(wrong=0, last_at=now)
            tries.wrong, tries.last_at = tries.wrong + 1, now
            self._tries[(name, place)] = tries
            while len(self._tries) > MOST_REMEMBERED:
                self._tries.popitem(last=False)
            return tries.wrong >= FREE_TRIES

    def note_right(self, name: str, place: str) -> None:
        with self._lock:
            self._tries.pop((name, place), None)


def _pause_after(wrong: int) -> timedelta:
    """30 s after the fifth wrong one, then twice as long each time, 15 minutes at most."""
    doublings = min(wrong - FREE_TRIES, 10)
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings))
