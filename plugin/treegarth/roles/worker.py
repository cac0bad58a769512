"""Take tasks, as a child of the plugin or by hand: `treegarth worker`."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from dataclasses import replace
from typing import IO

from treegarth.assembly import house, site_zone
from treegarth.database.engine import create_engine
from treegarth.feature import Work
from treegarth.outgoing.gate import Gate
from treegarth.roles.duty import Duty, begin_role, now
from treegarth.tasks.app import TaskContext, TaskHints, worker_app
from treegarth.tasks.worker import run_worker


def main() -> None:
    """Take tasks until the plugin closes the input."""
    run(begin_role(gives_way=1), until_closed=sys.stdin.buffer)


def run(duty: Duty, *, until_closed: IO[bytes] | None = None) -> None:
    """Take tasks until told to end."""
    database, settings = duty.database, duty.settings
    engine = create_engine(database, pool_size=4, application_name="treegarth worker")
    context = TaskContext(engine=engine, orthanc=duty.orthanc, clock=now)
    sending = replace(context, engine=create_engine(database, pool_size=8, application_name="treegarth deliveries"))
    hints = TaskHints(database)
    work = Work(
        context=context,
        sending=sending,
        hints=hints,
        zone=site_zone(settings),
        gate=Gate(places=settings.destination_places, environment=os.environ),
    )
    whole = house(settings)
    blueprints = [one for feature in whole.features for one in feature.tasks(whole, work)]
    with closing(hints):
        run_worker(worker_app(database, blueprints), until_closed=until_closed)
