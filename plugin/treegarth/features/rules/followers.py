"""What other features tell rules of, in their own transactions: rows are written where some rule that is on looks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from treegarth.features.rules.model import Trigger
from treegarth.features.rules.store.events import hasten, note_events
from treegarth.features.rules.store.rules import triggers_in_use
from treegarth.index.follower import IndexFollower
from treegarth.index.labels import forget_labels


class Stable(Protocol):
    """A study, or one of its series, of which nothing arrived for a while; "" stands for the study as a whole."""

    @property
    def orthanc_study_id(self) -> str: ...

    @property
    def orthanc_series_id(self) -> str: ...


def follow_stable(connection: Connection, stable: Sequence[Stable], now: datetime) -> int:
    """Note the events of studies and series that were decided to be stable; how many rules have to look at."""
    if not stable:
        return 0
    in_use = triggers_in_use(connection)
    noted = 0
    for trigger, is_series in ((Trigger.STUDY_STABLE, False), (Trigger.SERIES_STABLE, True)):
        if trigger in in_use:
            found = [one for one in stable if bool(one.orthanc_series_id) is is_series]
            subjects = [(one.orthanc_study_id, one.orthanc_series_id) for one in found]
            noted += note_events(connection, trigger, subjects, now)
    return noted


def follow_dose_read(connection: Connection, orthanc_study_id: str, now: datetime) -> int:
    """Note that the last source of dose of a study was read, and wake the rules that waited for it."""
    hasten(connection, orthanc_study_id, now)
    if Trigger.DOSE_READ not in triggers_in_use(connection):
        return 0
    return note_events(connection, Trigger.DOSE_READ, [(orthanc_study_id, "")], now)


class LabelFollower(IndexFollower):
    """Forgets what was said of studies that nothing is left of."""

    def studies_left(self, connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
        forget_labels(connection, orthanc_study_ids)
