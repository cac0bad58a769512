"""What the plugin hands its child processes: instructions, one JSON line on standard input, which closes at the end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from treegarth.database.engine import DatabaseAddress
from treegarth.host.logs import log_as_child
from treegarth.orthanc.client import OrthancAddress, OrthancClient
from treegarth.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Duty:
    """What a role works with."""

    database: DatabaseAddress
    orthanc: OrthancClient
    settings: Settings


def begin_role(gives_way: float) -> Duty:
    """The duty that the plugin hands over. A store in Orthanc goes before its indexing, that before background work:
    `gives_way` is the part of the site's `WorkerNiceness`."""
    instructions = read_instructions()
    settings = Settings.model_validate(instructions["settings"])
    os.nice(round(gives_way * settings.worker_niceness))
    return Duty(
        database=database_of(instructions),
        orthanc=OrthancClient(OrthancAddress(**instructions["orthanc"])),
        settings=settings,
    )


def read_instructions() -> Mapping[str, Any]:
    """What the plugin writes to a child's standard input first."""
    log_as_child()
    found: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    return found


def database_of(instructions: Mapping[str, Any]) -> DatabaseAddress:
    return DatabaseAddress(**instructions["database"])


def now() -> datetime:
    return datetime.now(UTC)
