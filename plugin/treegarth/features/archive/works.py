"""The long works of the index: compared with Orthanc, and read anew from the files, which the indexer carries on; and
marking what is to be read anew."""

from __future__ import annotations

from treegarth.phrases import N_, NN_
from treegarth.work.kinds import WorkKind

COMPARING = WorkKind(
    name="archive.comparison",
    title=N_("Index and Orthanc compared"),
    explained=N_(
        "Every instance is compared; what is missing or old is indexed, what is gone is taken out. Storing and "
        "searching work meanwhile. Interrupted, it begins anew, and passes over what is in the index already."
    ),
    unit=NN_("%(num)s instance", "%(num)s instances"),
    counts={"indexed": N_("missing or old"), "removed": N_("gone")},
)
MENDING = WorkKind(
    name="archive.mending",
    title=N_("Index read anew from the files"),
    explained=N_(
        "The attributes of every series, study and patient are read anew from the files: what was removed from them "
        "leaves the index. It goes on after a restart, and storing and searching work meanwhile."
    ),
    unit=NN_("%(num)s series", "%(num)s series"),
    can_stop=False,
)
RELABELLING = WorkKind(
    name="archive.relabelling",
    title=N_("Text of a device read anew"),
    explained=N_(
        "Each series of the device is marked, and read anew from its file by what holds now; its dose is read again, "
        "too. It goes on after a restart, and storing and searching work meanwhile."
    ),
    unit=NN_("%(num)s series", "%(num)s series"),
    counts={"noted": N_("sources of dose")},
)
