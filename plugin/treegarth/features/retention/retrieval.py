"""Bring pruned objects back from the destinations that have them, and see by their identifiers that they are here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Engine

from treegarth.database.engine import connect, transaction
from treegarth.errors import ObjectsKeptBack, TreegarthError
from treegarth.features.retention.store import ledger
from treegarth.features.retention.store.deletion import DueObject
from treegarth.features.retention.store.ledger import Wanted
from treegarth.phrases import P_, Phrase
from treegarth.tasks.backoff import Backoff

LEASE = timedelta(minutes=10)
BACKOFF = Backoff(first=timedelta(seconds=15), longest=timedelta(hours=1), most_attempts=5)
AT_ONCE = 50
"""Objects of one request to a destination: then it is seen what came."""

logger = logging.getLogger(__name__)


class Archive(Protocol):
    """Orthanc, as far as it is needed here."""

    def exists(self, path: str) -> bool: ...


class Sources(Protocol):
    """Where copies can be retrieved from: the deliveries feature's destinations."""

    def retrieve(self, name: str, objects: Sequence[DueObject]) -> None:
        """Have the objects sent to Orthanc. Raises ObjectsKeptBack where it had only some of them sent, another
        TreegarthError where the destination does not answer."""


@dataclass(frozen=True, kw_only=True)
class Bringer:
    """Carries wishes out. May run in several processes, and be killed at any point."""

    engine: Engine
    orthanc: Archive
    sources: Sources
    clock: Callable[[], datetime]

    def work(self) -> None:
        """Every wish whose turn it is."""
        while True:
            with transaction(self.engine) as connection:
                number = ledger.claim_bring_back(connection, self.clock(), LEASE)
            if number is None:
                return
            self.bring(number)

    def bring(self, number: int) -> None:
        """One attempt at everything that a wish still misses, at each destination in turn."""
        wanted, errors = self._see(number, None), list[Phrase]()
        for name in self._names(wanted):
            for begin in range(0, len(wanted), AT_ONCE):
                some = [one.found for one in wanted[begin : begin + AT_ONCE]]
                try:
                    self.sources.retrieve(name, some)
                except TreegarthError as error:
                    logger.info("Objects could not be retrieved from %s: %s", name, error)
                    errors.append(Phrase("%(name)s: %(why)s", {"name": name, "why": error.sentence}))
                    if not isinstance(error, ObjectsKeptBack):
                        break
            if not (wanted := self._see(number, name)):
                break
        self._finish(number, wanted, errors)

    def _see(self, number: int, via: str | None) -> list[Wanted]:
        """Note what Orthanc has now; what is still missing."""
        with connect(self.engine) as connection:
            wanted = ledger.still_wanted(connection, number)
        here = [one for one in wanted if self.orthanc.exists(f"/instances/{one.found.orthanc_instance_id}")]
        with transaction(self.engine) as connection:
            ledger.note_arrived(connection, number, [one.ledger_id for one in here], via, self.clock())
        return [one for one in wanted if one not in here]

    def _names(self, wanted: Sequence[Wanted]) -> list[str]:
        """The destinations that are proved to have any of these, the most promising first."""
        found: dict[str, int] = {}
        with connect(self.engine) as connection:
            for one in wanted:
                places = ledger.whereabouts(connection, one.found.orthanc_instance_id)
                for name in {*one.proved_at, *(place.destination for place in places)}:
                    found[name] = found.get(name, 0) + 1
        return sorted(found, key=lambda name: (-found[name], name))

    def _finish(self, number: int, missing: Sequence[Wanted], errors: Sequence[Phrase]) -> None:
        now = self.clock()
        with transaction(self.engine) as connection:
            (wish,) = ledger.list_bring_backs(connection, number=number)
            if not missing:
                ledger.finish_bring_back(connection, number, "done", error=None, at=now, again_at=None)
                return
            reason = _together(errors) if errors else P_("%(count)s objects did not arrive.", count=len(missing))
            again_at = BACKOFF.next_attempt(wish.attempts, now)
            if again_at is not None:
                ledger.finish_bring_back(connection, number, "waiting", error=reason, at=now, again_at=again_at)
                return
            state = "partly" if wish.arrived_count else "failed"
            ledger.finish_bring_back(connection, number, state, error=reason, at=now, again_at=None)


def _together(reasons: Sequence[Phrase]) -> Phrase:
    values = {f"reason{number}": reason for number, reason in enumerate(reasons)}
    return Phrase(" · ".join(f"%({name})s" for name in values), values)
