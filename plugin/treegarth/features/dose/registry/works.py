"""The long works of dose: every source read again, and every dose decided anew."""

from __future__ import annotations

from collections.abc import Mapping

from treegarth.features.dose.registry.service import note_again
from treegarth.features.dose.registry.store import redecision, reread_walk, size_imports
from treegarth.phrases import N_, NN_
from treegarth.work.kinds import Carry, Within, WorkKind

REDECIDING = WorkKind(
    name=redecision.KIND,
    title=N_("Deciding every dose anew"),
    explained=N_(
        "What each study's dose is follows again from the rows that were read: no object is opened, and those that "
        "have left the archive count too. It begins by itself after an upgrade that decides otherwise, goes on after a "
        "restart, and gives way to what arrives."
    ),
    unit=NN_("%(num)s study", "%(num)s studies"),
    counts={"changed": N_("with another dose or doubt")},
    is_due=redecision.is_to_redecide,
    begins=redecision.count_studies,
)
REREADING = WorkKind(
    name=reread_walk.KIND,
    title=N_("Reading every dose again"),
    explained=N_(
        "Every object of the archive that can hold dose is opened and read again: after an upgrade, or where something "
        "was repaired. It goes on after a restart."
    ),
    unit=NN_("%(num)s instance", "%(num)s instances"),
    counts={"noted": N_("sources of dose")},
)
SIZES = WorkKind(
    name=size_imports.KIND,
    title=N_("Sizes and weights out of a file"),
    explained=N_(
        "The lines of a large file are read, applied or undone a few at a time: each exam follows at once, in lists, "
        "sums and statistics. It goes on after a restart."
    ),
    unit=NN_("%(num)s line", "%(num)s lines"),
    about=("dose.size_lines_page", "size_import_id"),
    can_stop=False,
)


def carries() -> Mapping[str, Carry]:
    return {
        SIZES.name: Within(block=size_imports.carry_on),
        REDECIDING.name: Within(block=redecision.decide_on),
        REREADING.name: Within(
            block=lambda connection, work, now: reread_walk.walk_on(connection, work, note_again, now)
        ),
    }
