"""What the archive lends to health: objects that cannot be shown, and those that could not be read in every part."""

from __future__ import annotations

from treegarth.errors import DatabaseUnavailable
from treegarth.features.archive.store.deep_objects import count_deep_objects
from treegarth.features.archive.store.overview import count_with_issues
from treegarth.phrases import NN_, P_
from treegarth.web.call import AnyCall
from treegarth.web.parts import Check


def health_check(call: AnyCall) -> list[Check]:
    """Nothing where there are none of either."""
    try:
        with call.connect() as connection:
            deep, unread = count_deep_objects(connection), count_with_issues(connection)
    except DatabaseUnavailable:
        return []
    return [*([_deep(call, deep)] if deep else []), *([_unread(call, unread)] if unread else [])]


def _deep(call: AnyCall, count: int) -> Check:
    return Check(
        kind="attention",
        name=P_("Objects that cannot be shown"),
        words=NN_(
            "%(num)s stored object is nested too deep for Orthanc",
            "%(num)s stored objects are nested too deep for Orthanc",
        ),
        count=count,
        url=call.site.url("web.ohif_start"),
        advice=P_("Nothing here asks Orthanc for them. Keep others from asking, and delete them if nobody needs them."),
    )


def _unread(call: AnyCall, count: int) -> Check:
    """No alarm: the object is kept as it came, and what could be read of it is found."""
    return Check(
        kind="doubted",
        name=P_("Objects not read in every part"),
        words=NN_("%(num)s object", "%(num)s objects"),
        count=count,
        url=call.site.url("archive.studies_page", issues="true"),
    )
