"""When to try again what failed. Pure: times and chance are arguments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_DOUBLINGS = 20  # beyond any `longest`, and far from what a timedelta can hold


@dataclass(frozen=True, kw_only=True, slots=True)
class Backoff:
    """Pauses that double from `first` up to `longest`; after `most_attempts` a person decides, with None nobody does.

    `chance` in 0..1 spreads a pause by a quarter to either side, so that what failed together is not tried together.
    """

    first: timedelta
    longest: timedelta
    most_attempts: int | None = None

    def pause(self, failures: int, chance: float = 0.5) -> timedelta:
        """After so many failures in a row; before the first one as after it."""
        doubled = self.first * (1 << min(max(failures - 1, 0), _DOUBLINGS))
        return min(self.longest, doubled) * (0.75 + chance / 2)

    def next_attempt(self, attempts: int, now: datetime, chance: float = 0.5) -> datetime | None:
        """When to try again after so many attempts, the one that just failed included; None: not any more."""
        if self.most_attempts is not None and attempts >= self.most_attempts:
            return None
        return now + self.pause(attempts, chance)
