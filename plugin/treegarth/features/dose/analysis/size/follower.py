"""What the index tells: series that came to rest wait to be measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from treegarth.features.dose.analysis.size.store.queue import note_series


class Stable(Protocol):
    """A study, or one of its series, of which nothing arrived for a while; "" stands for the study as a whole."""

    @property
    def orthanc_series_id(self) -> str: ...


def follow_stable(connection: Connection, stable: Sequence[Stable], now: datetime) -> int:
    """Note those of CT, in the transaction that decides them to be stable; how many there are."""
    series = sorted({one.orthanc_series_id for one in stable if one.orthanc_series_id})
    return note_series(connection, series) if series else 0
