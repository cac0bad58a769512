"""What the dose registry offers for many rows: sources that failed are read again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from treegarth.features.dose.registry.pages.sources import SOURCES
from treegarth.features.dose.registry.store.queue import retry_failed
from treegarth.phrases import N_, NN_
from treegarth.web.call import Asker
from treegarth.web.row_actions import NothingGiven, RowAction


def read_again(asker: Asker, connection: Connection, sources: Sequence[str], given: NothingGiven) -> int:
    return retry_failed(connection, sources)


READ_AGAIN = RowAction(
    name="retry",
    lists=(SOURCES.name,),
    label=N_("Read again"),
    icon="retry",
    done=NN_("%(num)s source is read again.", "%(num)s sources are read again."),
    left=NN_(
        "%(num)s source was left as it is: it has not failed.",
        "%(num)s sources were left as they are: they have not failed.",
    ),
    act=read_again,
)
