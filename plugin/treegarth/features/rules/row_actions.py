"""What rules offer for many rows: notices are seen or sent again, rules look again at studies."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from treegarth.features.rules.events import EVENTS
from treegarth.features.rules.notices import NOTICES
from treegarth.features.rules.store.events import retry_failed
from treegarth.features.rules.store.shown import mark_seen, send_again
from treegarth.phrases import N_, NN_
from treegarth.web.actors import Permission
from treegarth.web.call import Asker
from treegarth.web.row_actions import NothingGiven, RowAction


def see(asker: Asker, connection: Connection, notices: Sequence[int], given: NothingGiven) -> int:
    return mark_seen(connection, asker.actor.name, asker.now, notices)


def tell_again(asker: Asker, connection: Connection, notices: Sequence[int], given: NothingGiven) -> int:
    return send_again(connection, asker.now, notices)


def retry(asker: Asker, connection: Connection, events: Sequence[int], given: NothingGiven) -> int:
    return retry_failed(connection, asker.now, events)


SEEN = RowAction(
    name="seen",
    lists=(NOTICES.name,),
    label=N_("Mark as seen"),
    icon="check",
    done=NN_("%(num)s notice is marked as seen.", "%(num)s notices are marked as seen."),
    left=NN_(
        "%(num)s was seen before, or went elsewhere than to the dashboard.",
        "%(num)s were seen before, or went elsewhere than to the dashboard.",
    ),
    act=see,
    permission=Permission.VIEW,
)
TELL_AGAIN = RowAction(
    name="again",
    lists=(NOTICES.name,),
    label=N_("Send again"),
    icon="retry",
    done=NN_("%(num)s notice is being sent again.", "%(num)s notices are being sent again."),
    left=NN_("%(num)s notice was not given up.", "%(num)s notices were not given up."),
    act=tell_again,
)
RETRY = RowAction(
    name="retry",
    lists=(EVENTS.name,),
    label=N_("Look again"),
    icon="retry",
    done=NN_("Rules look at %(num)s study again.", "Rules look at %(num)s studies again."),
    left=NN_("%(num)s has not failed.", "%(num)s have not failed."),
    act=retry,
)
