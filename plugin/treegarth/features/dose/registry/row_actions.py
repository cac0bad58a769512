"""What the dose registry offers for many rows: sources are read again, studies are said to be of no patient."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.features.dose.registry.marking import mark_studies
from treegarth.features.dose.registry.pages.names import SAID_NAMES
from treegarth.features.dose.registry.pages.sources import SOURCES
from treegarth.features.dose.registry.rule_parameters import Reason
from treegarth.features.dose.registry.service import note_again
from treegarth.features.dose.registry.store.archive_index import ArchivedInstance, archived_instances
from treegarth.features.dose.registry.store.marks import Said
from treegarth.features.dose.registry.store.queue import lock_sources, retry_failed
from treegarth.index.tables import study
from treegarth.phrases import N_, NN_
from treegarth.web.call import Asker
from treegarth.web.filters import Filter
from treegarth.web.routes import Parameters
from treegarth.web.row_actions import NothingGiven, RowAction


def read_again(asker: Asker, connection: Connection, sources: Sequence[str], given: NothingGiven) -> int:
    return retry_failed(connection, sources)


def read_studies(asker: Asker, connection: Connection, studies: Sequence[str], given: NothingGiven) -> int:
    """Those that have a source of dose. A study may have thousands of images, so it is one study after another."""
    lock_sources(connection, studies)
    return sum(note_again(connection, _instances(connection, one)) > 0 for one in studies)


def _instances(connection: Connection, orthanc_study_id: str) -> list[ArchivedInstance]:
    rows = connection.execute(archived_instances().where(study.c.orthanc_study_id == orthanc_study_id))
    return [ArchivedInstance(**row._mapping) for row in rows]


class Marking(Parameters):
    """What the studies are."""

    meaning: Said
    """`phantom`, `qa`, `service`, or `patient`: patients after all."""
    reason: Reason
    """Why, in a sentence."""


def mark(asker: Asker, connection: Connection, studies: Sequence[str], given: Marking) -> int:
    by, now = asker.actor.name, asker.now
    return mark_studies(connection, studies, given.meaning, reason=given.reason, by=by, now=now)


MARK = RowAction(
    name="mark",
    lists=("dose.doses", "dose.missing"),
    label=N_("Phantom, QA, service"),
    icon="mark",
    done=NN_("%(num)s study was marked.", "%(num)s studies were marked."),
    left=NN_("%(num)s study was said to be so already.", "%(num)s studies were said to be so already."),
    act=mark,
    given=Marking,
    inputs=(
        Filter(name="meaning", label=N_("Studies are"), choices={str(one): words for one, words in SAID_NAMES.items()}),
        Filter(name="reason", label=N_("Reason"), width="wide"),
    ),
    permission=Permission.DECIDE_DOSE,
)
READ_STUDIES = RowAction(
    name="read",
    lists=("archive.studies", "dose.doses", "dose.missing"),
    label=N_("Read the dose again"),
    icon="retry",
    done=NN_("The dose of %(num)s study is read again.", "The dose of %(num)s studies is read again."),
    left=NN_("%(num)s study has no source of dose.", "%(num)s studies have no source of dose."),
    act=read_studies,
    permission=Permission.DECIDE_DOSE,
)
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
    permission=Permission.DECIDE_DOSE,
)
