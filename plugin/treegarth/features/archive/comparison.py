"""The comparison of the index with Orthanc, asked for by a page or a program."""

from __future__ import annotations

from treegarth.features.archive.works import COMPARING
from treegarth.web.call import AnyCall
from treegarth.work.store import LongWork, start


def compare(call: AnyCall) -> LongWork:
    """Have every instance compared; one that runs goes on. The reconciler is woken, and looks each minute anyway."""
    with call.begin() as connection:
        work = start(connection, COMPARING.name, by=call.actor.name, now=call.services.clock())
    call.services.host.request_reconcile()
    return work
