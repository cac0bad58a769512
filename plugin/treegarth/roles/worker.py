"""Take tasks, as a child of the plugin or by hand: `treegarth worker`."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from random import random
from typing import IO

from procrastinate.exceptions import ConnectorException

from treegarth.assembly import rule_language, site_zone, vocabulary
from treegarth.database.engine import create_engine
from treegarth.features import archive, dose, retention, rules
from treegarth.features.deliveries import tasks as deliveries_tasks
from treegarth.features.deliveries.copies import Copies
from treegarth.outgoing.gate import Gate
from treegarth.roles.duty import Duty, now, take_up
from treegarth.tasks.app import NETWORK_QUEUE, TaskContext, TaskHints, worker_app
from treegarth.tasks.worker import run_worker

logger = logging.getLogger(__name__)


def main() -> None:
    """Take tasks until the plugin closes the input."""
    run(take_up(niceness=10), until_closed=sys.stdin.buffer)


def run(duty: Duty, *, until_closed: IO[bytes] | None = None) -> None:
    """Take tasks until told to end."""
    database, settings = duty.database, duty.settings
    engine = create_engine(database, pool_size=4, application_name="treegarth worker")
    context = TaskContext(engine=engine, orthanc=duty.orthanc, clock=now)
    sending = replace(context, engine=create_engine(database, pool_size=8, application_name="treegarth deliveries"))
    zone = site_zone(settings)
    gate = Gate(places=settings.destination_places, environment=os.environ)
    hints = TaskHints(database)
    book = rules.RuleBook(rule_language(settings))
    rest = timedelta(seconds=settings.stable_seconds)
    blueprints = [
        archive.blueprint(context, rest, [rules.follow_stable], lambda: hints.announce(rules.HANDLE)),
        dose.blueprint(context, [rules.follow_dose_read]),
        rules.blueprint(context, book, zone, lambda: _deliveries_wished(hints)),
        rules.telling_blueprint(context, rules.Teller(settings, os.environ), random),
        deliveries_tasks.blueprint(sending, zone, gate),
        retention.blueprint(sending, vocabulary, _copies(sending, gate), zone),
    ]
    with closing(hints):
        run_worker(worker_app(database, blueprints), until_closed=until_closed)


def _deliveries_wished(hints: TaskHints) -> None:
    """Have the ledger of deliveries looked at now; without the hint that happens two seconds later."""
    try:
        hints.announce(deliveries_tasks.SWEEP, queue=NETWORK_QUEUE)
    except ConnectorException as error:
        logger.warning("Deliveries were not announced: %s", error)


def _copies(context: TaskContext, gate: Gate) -> Copies:
    """Where retention asks for proof, and gets objects back from."""
    return Copies(engine=context.engine, orthanc=context.orthanc, gate=gate)
