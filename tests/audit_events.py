"""Events of the audit trail for tests, and what reads it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from treegarth.audit.chain import SigningKey
from treegarth.audit.model import Event, EventOutcome, Way, What
from treegarth.audit.store import read_heads, verify_chain
from treegarth.audit.verify import Verdict

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEY = SigningKey(secret=b"a key of tests, which is long enough")


def viewed(number: int = 1, **given: Any) -> Event:
    """Somebody looked at a study."""
    values: dict[str, Any] = {
        "what": What.VIEW,
        "outcome": EventOutcome.DONE,
        "at": NOON + timedelta(seconds=number),
        "way": Way.PAGE,
        "actor": "anna",
        "user_id": 7,
        "roles": ("physicist",),
        "address": "10.0.0.9",
        "place": "archive.study_page",
        "status": 200,
        "path": f"/treegarth/studies/1.2.{number}",
        "studies": (f"1.2.{number}",),
        "patients": (f"P{number}",),
    }
    return Event(**{**values, **given})


def keyed(*events: Event) -> list[tuple[str, Event]]:
    return [(f"k{number}-{event.at.timestamp()}", event) for number, event in enumerate(events)]


def verdicts(connection: Connection, *keys: SigningKey) -> list[Verdict]:
    """Of every chain, with the key of tests and these."""
    known = {one.name: one for one in (KEY, *keys)}
    return [verify_chain(connection, head, known) for head in read_heads(connection)]
