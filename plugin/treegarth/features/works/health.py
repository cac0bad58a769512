"""What long work lends to health: works that fail. Reads only."""

from __future__ import annotations

from treegarth.errors import DatabaseUnavailable
from treegarth.phrases import NN_, P_
from treegarth.web.call import AnyCall
from treegarth.web.parts import Check
from treegarth.work.store import count_troubled


def health_check(call: AnyCall) -> list[Check]:
    name = P_("Long work")
    try:
        with call.connect() as connection:
            count = count_troubled(connection)
    except DatabaseUnavailable:
        return [Check(kind="unknown", name=name, words=P_("unknown without the database"))]
    if not count:
        return [Check(kind="ok", name=name, words=P_("nothing waits for a person"))]
    words = NN_("%(num)s long work fails", "%(num)s long works fail")
    advice = P_("See the reason, then let it go on or start it again.")
    url = call.site.url("works.works_page")
    return [Check(kind="attention", name=name, words=words, count=count, url=url, advice=advice)]
