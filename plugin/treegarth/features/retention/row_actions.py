"""What retention offers for many rows: studies are held, holds released, marked objects rescued, pruned ones brought
back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import StringConstraints
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.features.retention import service
from treegarth.features.retention.holds import HOLDS
from treegarth.features.retention.ledger import ENTRIES, LEDGER
from treegarth.features.retention.marked import OBJECTS, STUDIES
from treegarth.features.retention.model import HoldKind
from treegarth.features.retention.pages.holds import LONGEST_REASON
from treegarth.features.retention.store.holds import held_so, release_hold, set_holds
from treegarth.features.retention.store.ledger import NobodyHasIt, Scope, ask_back, find_entry
from treegarth.features.retention.store.ledger_studies import keys_of
from treegarth.features.retention.words import HOLD_KINDS
from treegarth.index.studies import OfStudy, key_of
from treegarth.phrases import N_, NN_
from treegarth.web.call import Asker
from treegarth.web.filters import Filter
from treegarth.web.routes import AnyText, Parameters
from treegarth.web.row_actions import NothingGiven, RowAction

LEFT = NN_(
    "%(num)s study was left: it is on hold so already, or no longer in the archive.",
    "%(num)s studies were left: they are on hold so already, or no longer in the archive.",
)


class Holding(Parameters):
    """How studies are held."""

    kind: HoldKind
    """`legal`, `teaching` or `project`."""
    reason: Annotated[AnyText, StringConstraints(min_length=1, max_length=LONGEST_REASON)]
    """Why, in a sentence."""


def hold(asker: Asker, connection: Connection, studies: Sequence[str], given: Holding) -> int:
    """Until the holds are released; a study that is on hold for the same reason is not put on hold twice."""
    already = held_so(connection, studies, given.kind, given.reason, now=asker.now)
    return set_holds(
        connection,
        [key for one in studies if one not in already and (key := key_of(connection, one))],
        kind=given.kind,
        reason=given.reason,
        until=None,
        set_by=asker.actor.name,
        now=asker.now,
    )


def release(asker: Asker, connection: Connection, holds: Sequence[int], given: NothingGiven) -> int:
    now = asker.now
    return sum(release_hold(connection, one, released_by=asker.actor.name, now=now) for one in holds)


def rescue(asker: Asker, connection: Connection, studies: Sequence[str], given: NothingGiven) -> int:
    now, by = asker.now, asker.actor.name
    return sum(service.rescue_study(connection, one, [], by=by, now=now) > 0 for one in studies)


def rescue_objects(asker: Asker, connection: Connection, instances: Sequence[str], given: NothingGiven) -> int:
    return service.rescue_objects(connection, instances, by=asker.actor.name, now=asker.now)


def bring_back(asker: Asker, connection: Connection, studies: Sequence[str], given: NothingGiven) -> int:
    found = keys_of(connection, studies)
    return sum(_ask_back(asker, connection, one, "study") for one in found)


def bring_objects_back(asker: Asker, connection: Connection, entries: Sequence[int], given: NothingGiven) -> int:
    found = [entry for one in entries if (entry := find_entry(connection, one))]
    return sum(_ask_back(asker, connection, one, "object") for one in found)


def _ask_back(asker: Asker, connection: Connection, one: OfStudy, scope: Scope) -> bool:
    """Whether it is being brought back: not where nothing of it is gone, or where nobody has it."""
    try:
        return ask_back(connection, one, scope, asked_by=asker.actor.name, now=asker.now) is not None
    except NobodyHasIt:
        return False


HOLD = RowAction(
    name="hold",
    lists=("archive.studies", "dose.doses", "dose.missing"),
    label=N_("Hold"),
    icon="lock",
    done=NN_("%(num)s study is on hold.", "%(num)s studies are on hold."),
    left=LEFT,
    act=hold,
    given=Holding,
    inputs=(
        Filter(name="kind", label=N_("Kind of hold"), choices=HOLD_KINDS),
        Filter(name="reason", label=N_("Reason"), width="wide"),
    ),
    permission=Permission.PRUNE,
)
RELEASE = RowAction(
    name="release",
    lists=(HOLDS.name,),
    label=N_("Release"),
    icon="close",
    done=NN_("%(num)s hold was released.", "%(num)s holds were released."),
    left=NN_("%(num)s was released before.", "%(num)s were released before."),
    act=release,
    warning=N_("Release a legal hold only if whoever asked for it agrees."),
    permission=Permission.PRUNE,
)
RESCUE = RowAction(
    name="rescue",
    lists=(STUDIES.name,),
    label=N_("Rescue"),
    icon="rescue",
    done=NN_("%(num)s study was rescued.", "%(num)s studies were rescued."),
    left=NN_("Nothing of %(num)s study is marked any more.", "Nothing of %(num)s studies is marked any more."),
    act=rescue,
    after=N_("The same version of the policy does not mark them again for 30 days. A hold keeps a study for longer."),
    permission=Permission.PRUNE,
)
RESCUE_OBJECTS = RowAction(
    name="rescue",
    lists=(OBJECTS.name,),
    label=N_("Rescue"),
    icon="rescue",
    done=NN_("%(num)s object was rescued.", "%(num)s objects were rescued."),
    left=NN_("%(num)s is not marked any more.", "%(num)s are not marked any more."),
    act=rescue_objects,
    after=N_("The same version of the policy does not mark them again for 30 days. A hold keeps a study for longer."),
    permission=Permission.PRUNE,
)
BRING_BACK = RowAction(
    name="bring back",
    lists=(LEDGER.name,),
    label=N_("Bring back"),
    icon="arrive",
    done=NN_("%(num)s study is being brought back.", "%(num)s studies are being brought back."),
    left=NN_(
        "%(num)s study was left: nothing of it is gone, or nobody has it.",
        "%(num)s studies were left: nothing of them is gone, or nobody has them.",
    ),
    act=bring_back,
    permission=Permission.PRUNE,
)
BRING_OBJECTS_BACK = RowAction(
    name="bring back",
    lists=(ENTRIES.name,),
    label=N_("Bring back"),
    icon="arrive",
    done=NN_("%(num)s object is being brought back.", "%(num)s objects are being brought back."),
    left=NN_(
        "%(num)s object was left: it is not gone, or nobody has it.",
        "%(num)s objects were left: they are not gone, or nobody has them.",
    ),
    act=bring_objects_back,
    permission=Permission.PRUNE,
)
