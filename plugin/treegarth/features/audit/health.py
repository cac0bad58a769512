"""What the audit trail lends to health: whether all that happens is written down. Asks no database."""

from __future__ import annotations

from treegarth.phrases import NN_, P_
from treegarth.web.call import AnyCall
from treegarth.web.parts import Check


def health_check(call: AnyCall) -> list[Check]:
    name = P_("Audit trail")
    figures = call.services.host.figures().trail
    if figures is None:
        return []
    if figures.lost:
        words = NN_("%(num)s event was lost", "%(num)s events were lost")
        advice = P_("Neither the database nor the file in the data directory took it. See whether the disk is full.")
        return [Check(kind="failed", name=name, words=words, count=figures.lost, advice=advice)]
    if figures.in_file or figures.wrong:
        words = NN_("%(num)s event waits in a file", "%(num)s events wait in a file")
        advice = P_("It follows by itself when the database takes it. If it does not, see Orthanc's log.")
        return [Check(kind="attention", name=name, words=words, count=figures.in_file, advice=advice)]
    return [Check(kind="ok", name=name, words=P_("every event is written"))]
