"""The list of notifications, for people and for programs.

Only the order by number has an index: rules tell far less than arrives, and a sort of a million takes about a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Select

from treegarth.features.rules.store.rules import list_names
from treegarth.features.rules.store.shown import Notice, count_unseen, select_notices
from treegarth.features.rules.tables import notification
from treegarth.index.studies import StudyKey, asked_study, told_apart
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.routes import Identifier
from treegarth.web.which_study import OfStudy

CHANNELS = {"dashboard": N_("dashboard"), "email": N_("e-mail"), "webhook": N_("webhook")}
STATES = {"waiting": N_("new or waiting"), "sent": N_("seen or sent"), "given up": N_("given up")}


class NoticesAsked(OfStudy):
    """Which notifications."""

    rule_id: Identifier | None = None
    """Of this rule."""
    channel: Literal["dashboard", "email", "webhook"] | None = None
    """`dashboard`, `email` or `webhook`."""
    state: Literal["waiting", "sent", "given up"] | None = None
    """`waiting`: nobody has seen it, or it is still to be sent; `sent`: seen or sent; `given up`."""


def find(asker: Asker, connection: Connection, asked: NoticesAsked) -> Select[Any]:
    study = asked_study(connection, asked.study_instance_uid, asked.orthanc_study_id, kept=[notification])
    return select_notices(study=study, rule_id=asked.rule_id, channel=asked.channel, state=asked.state)


def extras(call: AnyCall, connection: Connection, asked: NoticesAsked, notices: Sequence[Notice]) -> Mapping[str, Any]:
    studies = [
        StudyKey(orthanc_study_id=one.orthanc_study_id, study_instance_uid=one.study_instance_uid)
        for one in notices
        if one.orthanc_study_id and one.study_instance_uid
    ]
    return {"which": told_apart(connection, studies), "channels": CHANNELS, "unseen": count_unseen(connection)}


NOTICES = Listing(
    name="rules.notifications",
    title=N_("Notifications"),
    counts=NN_("%(num)s notification", "%(num)s notifications"),
    path="notifications",
    api_name="notifications",
    api_path="notifications",
    tag="rules",
    summary="What rules told the dashboard, and what they told or could not tell others.",
    record=Notice,
    asked=NoticesAsked,
    query=find,
    unique="id",
    order="-id",
    columns=(
        Column(name="state", label=N_("State")),
        Column(name="title", label=N_("Notice")),
        Column(name="rule_name", label=N_("Rule")),
        Column(name="channel", label=N_("Sent to"), form="own"),
        Column(name="id", label=N_("When"), form="moment"),
        Column(name="attempts", label=N_("Attempts"), narrow="c-2"),
        Column(name="sent_at", label=N_("Seen or sent")),
    ),
    filters=(
        Filter(name="state", label=N_("State"), choices=STATES, width="wide"),
        Filter(name="channel", label=N_("Sent to"), choices=CHANNELS),
        Filter(name="rule_id", label=N_("Rule"), find_choices=lambda _, connection: list_names(connection)),
        Filter(name="study_instance_uid", label="Study Instance UID", is_shown=False),
    ),
    empty=Empty(
        title=N_("Nobody was told anything yet"),
        text=N_("Rules with the action “tell somebody” write here."),
        filtered=N_("No notification fits these filters"),
    ),
    template="rules/notifications.html",
    extras=extras,
)
