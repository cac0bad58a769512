"""Of a rule that is applied to the archive: what a stop leaves for when it goes on. Queries only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from treegarth.features.rules.store.events import forget_applying
from treegarth.work import store
from treegarth.work.store import LongWork

APPLIES = "rules.apply"
"""The kind of long work; its subject is the rule's number."""


def stop_applying(connection: Connection, rule_id: int, *, by: str | None, now: datetime) -> None:
    """As where the rule is switched off. What was done stays done."""
    running = store.running(connection, APPLIES, str(rule_id))
    if running is not None:
        let_go(connection, store.stop(connection, running.id, by=by, now=now))


def let_go(connection: Connection, work: LongWork) -> None:
    """What is noted is not handled any more; it comes first if the work goes on."""
    place = store.read_claimed(connection, work.id).place or {}
    left = forget_applying(connection, int(work.subject))
    store.note_place(connection, work.id, {**place, "left": left})
