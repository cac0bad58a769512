"""What rules offer for many rows: studies are labelled, notices are seen or sent again, rules look again at studies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import StringConstraints, field_validator
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.features.rules.events import EVENTS
from treegarth.features.rules.notices import MESSAGES, NOTICES
from treegarth.features.rules.store.events import retry_failed
from treegarth.features.rules.store.notices import mark_seen
from treegarth.features.rules.store.shown import send_again
from treegarth.index.labels import LONGEST_LABEL, change_labels, is_label
from treegarth.index.studies import key_of
from treegarth.phrases import N_, NN_
from treegarth.web.call import Asker
from treegarth.web.filters import Filter
from treegarth.web.routes import AnyText, Parameters
from treegarth.web.row_actions import NothingGiven, RowAction


def see(asker: Asker, connection: Connection, notices: Sequence[int], given: NothingGiven) -> int:
    return mark_seen(connection, asker.actor.name, asker.now, notices)


def tell_again(asker: Asker, connection: Connection, notices: Sequence[int], given: NothingGiven) -> int:
    return send_again(connection, asker.now, notices)


def retry(asker: Asker, connection: Connection, events: Sequence[int], given: NothingGiven) -> int:
    return retry_failed(connection, asker.now, events)


class Labelling(Parameters):
    """How studies are labelled."""

    way: Literal["set", "take off"]
    """`set` or `take off`."""
    label: Annotated[AnyText, StringConstraints(min_length=1, max_length=LONGEST_LABEL)]
    """The label."""

    @field_validator("label")
    @classmethod
    def _is_label(cls, label: str) -> str:
        if not is_label(label):
            raise ValueError(N_("must be printable characters, with no space at its ends."))
        return label


def label(asker: Asker, connection: Connection, studies: Sequence[str], given: Labelling) -> int:
    """Those that were not so before."""
    is_set, by = given.way == "set", asker.actor.name
    here = [one for one in studies if key_of(connection, one)]
    return sum(bool(change_labels(connection, one, [given.label], is_set=is_set, by=by, now=asker.now)) for one in here)


LABEL = RowAction(
    name="label",
    lists=("archive.studies", "dose.doses", "dose.missing"),
    label=N_("Label"),
    icon="edit",
    done=NN_("%(num)s study has another label now.", "%(num)s studies have another label now."),
    left=NN_("%(num)s study was so before, or is gone.", "%(num)s studies were so before, or are gone."),
    act=label,
    given=Labelling,
    inputs=(
        Filter(name="way", label=N_("Label"), choices={"set": N_("set"), "take off": N_("take off")}),
        Filter(name="label", label=N_("Text of the label"), width="wide"),
    ),
    permission=Permission.ANNOTATE,
)
SEEN = RowAction(
    name="seen",
    lists=(NOTICES.name,),
    label=N_("Mark as seen"),
    icon="check",
    done=NN_("%(num)s study is marked as seen.", "%(num)s studies are marked as seen."),
    left=NN_("%(num)s was seen before.", "%(num)s were seen before."),
    act=see,
    permission=Permission.SEE_STUDIES,
)
TELL_AGAIN = RowAction(
    name="again",
    lists=(MESSAGES.name,),
    label=N_("Send again"),
    icon="retry",
    done=NN_("%(num)s notice is being sent again.", "%(num)s notices are being sent again."),
    left=NN_("%(num)s notice was not given up.", "%(num)s notices were not given up."),
    act=tell_again,
    permission=Permission.RUN_RULES,
)
RETRY = RowAction(
    name="retry",
    lists=(EVENTS.name,),
    label=N_("Look again"),
    icon="retry",
    done=NN_("Rules look at %(num)s study again.", "Rules look at %(num)s studies again."),
    left=NN_("%(num)s has not failed.", "%(num)s have not failed."),
    act=retry,
    permission=Permission.RUN_RULES,
)
