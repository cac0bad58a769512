"""The plugin's child processes: `python -m treegarth.roles migrate|indexer|worker`, and a worker run by hand.

A child reads its instructions, one JSON line, from standard input and ends when that closes.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import random
from typing import IO
from zoneinfo import ZoneInfo

from procrastinate.exceptions import ConnectorException
from sqlalchemy import Connection

from treegarth.assembly import rule_language, vocabulary
from treegarth.database.engine import DatabaseAddress, create_engine
from treegarth.errors import DatabaseNewerThanCode, DatabaseUnsuitable, TreegarthError
from treegarth.features import archive, dose, retention, rules
from treegarth.features.archive import IndexedInstance
from treegarth.features.routing import tasks as routing_tasks
from treegarth.features.routing.copies import Copies
from treegarth.host.logs import log_as_child
from treegarth.host.orthanc_client import OrthancAddress, OrthancClient
from treegarth.host.supervisor import MIGRATION_REFUSED
from treegarth.host.zone import local_zone
from treegarth.settings import Settings
from treegarth.tasks.app import NETWORK_QUEUE, TaskContext, TaskHints, worker_app
from treegarth.tasks.worker import run_worker

_NICENESS = {"indexer": 5, "worker": 10}  # a store in Orthanc goes before its indexing, that before background work

logger = logging.getLogger(__name__)


def now() -> datetime:
    return datetime.now(UTC)


def main(arguments: Sequence[str]) -> int:
    """Run the role that the plugin asks for."""
    log_as_child()
    (role,) = arguments
    instructions = json.loads(sys.stdin.buffer.readline())
    database = DatabaseAddress(**instructions["database"])
    if role == "migrate":
        return _migrate(database)
    os.nice(_NICENESS[role])
    settings = Settings.model_validate(instructions["settings"])
    orthanc = OrthancClient(OrthancAddress(**instructions["orthanc"]))
    if role == "indexer":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends when its input closes, with everything written
        return _index(database, orthanc, settings)
    return run_worker_process(database, orthanc, settings, until_closed=sys.stdin.buffer)


def _migrate(database: DatabaseAddress) -> int:
    from treegarth.database.migrating import migrate  # Alembic: nobody else needs it

    try:
        migrate(database)
    except (DatabaseNewerThanCode, DatabaseUnsuitable) as error:
        logger.error("%s", error)
        return MIGRATION_REFUSED
    except TreegarthError as error:
        logger.warning("%s", error)
        return 1
    return 0


def _index(database: DatabaseAddress, orthanc: OrthancClient, settings: Settings) -> int:
    from treegarth.features.archive import run_indexer

    # A commit need not wait for the disk: what PostgreSQL loses in a crash of its own (less than a second) is still
    # in Orthanc's changes behind the reconciler's checkpoint, which is lost together with it or later.
    engine = create_engine(database, pool_size=6, application_name="treegarth indexer", is_done_again=True)
    hints = TaskHints(database)
    gc.freeze()  # a full collection need not walk all modules again and again
    run_indexer(
        engine=engine,
        orthanc=orthanc,
        followers=[IndexFollower(hints)],
        settings=settings,
        clock=now,
        frames_from=sys.stdin.buffer,
        answers_to=sys.stdout,
        departures=retention.Departures(note_pruned=archive.note_pruned),
    )
    return 0


def run_worker_process(
    database: DatabaseAddress, orthanc: OrthancClient, settings: Settings, *, until_closed: IO[bytes] | None = None
) -> int:
    """Take tasks until told to end."""
    engine = create_engine(database, pool_size=4, application_name="treegarth worker")
    context = TaskContext(engine=engine, orthanc=orthanc, clock=now)
    sending = replace(context, engine=create_engine(database, pool_size=8, application_name="treegarth deliveries"))
    zone = ZoneInfo(settings.time_zone) if settings.time_zone else local_zone()
    hints = TaskHints(database)
    book = rules.RuleBook(rule_language(settings))
    rest = timedelta(seconds=settings.stable_seconds)
    blueprints = [
        archive.blueprint(context, rest, [rules.follow_stable], lambda: hints.announce(rules.HANDLE)),
        dose.blueprint(context, [rules.follow_dose_read]),
        rules.blueprint(context, book, zone, lambda: _deliveries_wished(hints)),
        rules.telling_blueprint(context, rules.Teller(settings, os.environ), random),
        routing_tasks.blueprint(sending, zone),
        retention.blueprint(sending, vocabulary, _copies(sending), zone),
    ]
    gc.freeze()  # a full collection need not walk all modules again and again
    run_worker(worker_app(database, blueprints), until_closed=until_closed)
    return 0


def _deliveries_wished(hints: TaskHints) -> None:
    """Have the ledger of deliveries looked at now; without the hint that happens two seconds later."""
    try:
        hints.announce(routing_tasks.SWEEP, queue=NETWORK_QUEUE)
    except ConnectorException as error:
        logger.warning("Deliveries were not announced: %s", error)


def _copies(context: TaskContext) -> Copies:
    """Where retention asks for proof, and gets objects back from."""
    return Copies(engine=context.engine, orthanc=context.orthanc, environment=lambda: os.environ)


class IndexFollower:
    """Dose objects are noted as unread in the transaction that indexes them, and the workers are told; labels of a
    study go with it."""

    def __init__(self, hints: TaskHints) -> None:
        self._hints = hints

    def indexed(self, connection: Connection, instances: Sequence[IndexedInstance]) -> None:
        dose.follow_indexed(connection, instances)
        dose.note_modalities(connection, instances)

    def deleted(self, connection: Connection, orthanc_instance_ids: Sequence[str], at: datetime) -> None:
        dose.follow_deleted(connection, orthanc_instance_ids, at)

    def studies_left(self, connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
        rules.follow_studies_left(connection, orthanc_study_ids)

    def committed(self, instances: Sequence[IndexedInstance]) -> None:
        candidates = [instance for instance in instances if dose.is_candidate(instance)]
        if not all(dose.is_sampled(one) for one in candidates):
            self._hints.announce(dose.READ_WAITING)
        if any(dose.is_sampled(one) for one in candidates):
            self._hints.announce(dose.SAMPLE_SERIES, after=dose.REST)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
