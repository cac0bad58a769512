"""What the archive offers for many rows: studies are downloaded together."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.features.archive.download import start_download
from treegarth.index.studies import key_of
from treegarth.phrases import N_, NN_
from treegarth.web.call import Asker
from treegarth.web.row_actions import NothingGiven, RowAction


def download(asker: Asker, connection: Connection, studies: Sequence[str], given: NothingGiven) -> int:
    found = [one for one in studies if key_of(connection, one)]
    if found:
        start_download(connection, found, by=asker.actor.name, now=asker.now)
    return len(found)


DOWNLOAD = RowAction(
    name="download",
    lists=("archive.studies", "dose.doses", "dose.missing"),
    label=N_("Download"),
    icon="download",
    done=NN_("%(num)s study is put into a ZIP file.", "%(num)s studies are put into one ZIP file."),
    left=NN_("%(num)s study is no longer in the archive.", "%(num)s studies are no longer in the archive."),
    after=N_("It stands among the long works when it is done."),
    act=download,
    takes_all=False,
    permission=Permission.DOWNLOAD,
)
