"""Tell Orthanc of labels, so that its explorers show them, where its version has labels. Asks it, never its version."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

from sqlalchemy import Engine

from treegarth.database.engine import transaction
from treegarth.errors import NotFound, OrthancRefused, OrthancUnavailable
from treegarth.features.rules.store import labels
from treegarth.tasks.backoff import Backoff

LEASE = timedelta(seconds=30)
BACKOFF = Backoff(first=timedelta(seconds=30), longest=timedelta(hours=1))
BATCH = 100

logger = logging.getLogger(__name__)


class LabelKeeper(Protocol):
    """The client of Orthanc."""

    def get(self, path: str) -> Any: ...

    def put(self, path: str, body: Any) -> None: ...

    def delete(self, path: str) -> None: ...


def tell_orthanc(engine: Engine, orthanc: LabelKeeper, clock: Callable[[], datetime]) -> int:
    """Tell it what it does not know yet; how many labels it was told of. What fails is tried again later."""
    told = 0
    while True:
        with transaction(engine) as connection:
            claimed = labels.claim_changes(connection, clock(), LEASE, limit=BATCH)
        if not claimed:
            return told
        try:
            has_labels = told > 0 or _has_labels(orthanc)
        except (OrthancUnavailable, OrthancRefused) as error:
            logger.warning("Orthanc could not be asked for its labels: %s", error)
            return told
        if not has_labels:
            with transaction(engine) as connection:
                labels.forget_changes(connection)
            return told
        for change in claimed:
            told += _tell(engine, orthanc, change, clock)


def _has_labels(orthanc: LabelKeeper) -> bool:
    """Orthanc 1.12 and later list all labels there; before, the path is unknown."""
    try:
        orthanc.get("/tools/labels")
    except NotFound:
        return False
    return True


def _tell(engine: Engine, orthanc: LabelKeeper, change: labels.LabelChange, clock: Callable[[], datetime]) -> int:
    path = f"/studies/{change.orthanc_study_id}/labels/{quote(change.label, safe='')}"
    try:
        if change.is_set:
            orthanc.put(path, {})  # the path says it all
        else:
            orthanc.delete(path)
    except NotFound:
        logger.debug("A study left Orthanc before its label came.")
    except (OrthancUnavailable, OrthancRefused) as error:
        logger.warning("Orthanc did not take a label: %s", error)
        with transaction(engine) as connection:
            labels.put_off_change(connection, change, clock() + BACKOFF.pause(change.attempts))
        return 0
    with transaction(engine) as connection:
        labels.finish_change(connection, change)
    return 1
