"""Write what Orthanc stores and deletes into the index, as the plugin tells it by the pipe."""

from __future__ import annotations

import signal
import sys
from contextlib import closing

from treegarth.assembly import FEATURES
from treegarth.database.engine import create_engine
from treegarth.features.archive.ingest.run import run_indexer
from treegarth.roles.duty import begin_role, now
from treegarth.tasks.app import TaskHints


def main() -> None:
    """Index until the pipe closes, then write what is left."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends when its input closes, with everything written
    duty = begin_role(gives_way=0.5)
    # A commit need not wait for the disk: what PostgreSQL loses in a crash of its own (less than a second) is still
    # in Orthanc's changes behind the reconciler's checkpoint, which is lost together with it or later.
    engine = create_engine(duty.database, pool_size=8, application_name="treegarth indexer", is_done_again=True)
    with closing(TaskHints(duty.database)) as hints:
        run_indexer(
            engine=engine,
            orthanc=duty.orthanc,
            followers=[one.follower(hints) for one in FEATURES if one.follower is not None],
            settings=duty.settings,
            clock=now,
            frames_from=sys.stdin.buffer,
            answers_to=sys.stdout,
        )
