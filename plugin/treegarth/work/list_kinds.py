"""The long works of lists, as pages and workers know them: a worker loads no list before one is asked for."""

from __future__ import annotations

from treegarth.access.actors import Permission
from treegarth.phrases import N_, NN_
from treegarth.work.kinds import WorkKind

EXPORTING = WorkKind(
    name="lists.export",
    title=N_("A list as a file"),
    explained=N_("The file stands here for a week when it is done. It is begun anew after a restart."),
    unit=NN_("%(num)s row", "%(num)s rows"),
    permission=Permission.SIGNED_IN,
    waits_for_others=True,
)
ACTING = WorkKind(
    name="lists.act",
    title=N_("Something done with every row of a list"),
    explained=N_("It is done with each row that the filters left, in blocks. It goes on after a restart."),
    unit=NN_("%(num)s row", "%(num)s rows"),
    counts={"left": N_("left as they were")},
)
