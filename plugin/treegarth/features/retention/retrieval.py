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
from treegarth.phrases import N_, NN_, P_, Phrase
from treegarth.tasks.backoff import Backoff
from treegarth.work.kinds import Block, Report, WorkKind
from treegarth.work.store import ClaimedWork

LEASE = timedelta(minutes=10)
"""Longer than a destination takes for one request."""
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


class NotAllBack(TreegarthError):
    """Some of the objects did not arrive; they are asked for again."""


@dataclass(frozen=True, kw_only=True)
class Bringer:
    """Brings back what is asked back of a study. May be killed at any point: Orthanc says what has arrived."""

    engine: Engine
    orthanc: Archive
    sources: Sources
    clock: Callable[[], datetime]

    def bring(self, work: ClaimedWork, report: Report) -> Block:
        """One attempt at everything that is still missing, at each destination in turn. Raises NotAllBack."""
        wanted, errors = self._see(work.id, None), list[Phrase]()
        total = work.total or 0
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
                report(total - len(self._see(work.id, name)) - work.done, None)
            if not (wanted := self._see(work.id, name)):
                break
        done = total - len(wanted) - work.done
        if not wanted:
            return Block(done=done, ends="done")
        reason = _together(errors) if errors else P_("%(count)s objects did not arrive.", count=len(wanted))
        if BRINGING_BACK.backoff.next_attempt(work.attempts + 1, self.clock()) is None:
            return Block(done=done, ends="partly" if len(wanted) < total else "failed", error=reason)
        report(done, None)
        raise NotAllBack(reason)

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


BRINGING_BACK = WorkKind(
    name=ledger.BRINGS_BACK,
    title=N_("Bringing a study back"),
    explained=N_(
        "It is retrieved from the places that are proved to have it, tried five times, and counts as here when Orthanc "
        "has it by its identifier."
    ),
    unit=NN_("%(num)s object", "%(num)s objects"),
    about=("archive.open_study", "orthanc_study_id"),
    backoff=Backoff(first=timedelta(seconds=15), longest=timedelta(hours=1), most_attempts=5),
    waits_for_others=True,
)


def _together(reasons: Sequence[Phrase]) -> Phrase:
    values = {f"reason{number}": reason for number, reason in enumerate(reasons)}
    return Phrase(" · ".join(f"%({name})s" for name in values), values)
