"""The long work of size-specific dose: the CT series of the archive that nobody measured yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Connection

from treegarth.features.dose.analysis.size.store import walk
from treegarth.features.dose.analysis.size.version import READER_VERSION
from treegarth.phrases import N_, NN_
from treegarth.work.kinds import Block, Carry, Within, WorkKind
from treegarth.work.store import ClaimedWork

MEASURING = WorkKind(
    name=walk.KIND,
    title=N_("Measuring patients in older CT series"),
    explained=N_(
        "Of each CT series in the archive that was not measured yet some axial images are fetched, and the patient is "
        "found in them: size-specific doses follow. It goes on after a restart, and can be stopped and begun again."
    ),
    unit=NN_("%(num)s series", "%(num)s series"),
    counts={"noted": N_("to be measured")},
)


def carries(announce: Callable[[], None]) -> Mapping[str, Carry]:
    """`announce` tells the workers that series wait."""

    def block(connection: Connection, work: ClaimedWork, now: datetime) -> Block:
        return walk.walk_on(connection, work, READER_VERSION, now)

    return {MEASURING.name: Within(block=block, after=announce)}
