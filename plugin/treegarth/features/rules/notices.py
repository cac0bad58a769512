"""What rules told: the dashboard study by study, and each notice with where it went.

Only the orders by number have an index: rules tell far less than arrives, and a sort of a million takes about a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Select

from treegarth.feature import House
from treegarth.features.rules.store.notices import (
    COUNTED,
    StudyNotices,
    count_new,
    notices_of,
    select_notices_by_study,
)
from treegarth.features.rules.store.rules import list_names
from treegarth.features.rules.store.shown import Notice, select_notices
from treegarth.features.rules.tables import notification
from treegarth.index.studies import StudyKey, asked_study, told_apart
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.lists import Day, LastDay, begins, is_over
from treegarth.web.routes import Identifier, Text
from treegarth.web.which_study import OfStudy

CHANNELS = {"dashboard": N_("dashboard"), "email": N_("e-mail"), "webhook": N_("webhook")}
STATES = {"waiting": N_("new or waiting"), "sent": N_("seen or sent"), "given up": N_("given up")}
SEEN_STATES = {"new": N_("new"), "seen": N_("seen")}


TOLD_BY_ROW = frozenset(
    ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "StudyDescription", "ModalitiesInStudy")
)
"""What a row says of patient and study is not said again as what a rule matched by."""


class NoticesAsked(OfStudy):
    """Which studies."""

    state: Literal["new", "seen"] | None = None
    """`new`: nobody has seen some notice about it."""
    rule_id: Identifier | None = None
    """Some notice about it is of this rule."""
    modality: Text | None = None
    """It has series of this modality."""
    told_from: Day | None = None
    """Some notice about it was told on this day or later, where the server stands."""
    told_to: LastDay = None
    """And on this day or before."""


def find_studies(asker: Asker, connection: Connection, asked: NoticesAsked) -> Select[Any]:
    return select_notices_by_study(
        of_study=asked_study(connection, asked.study_instance_uid, asked.orthanc_study_id, kept=[notification]),
        state=asked.state,
        rule_id=asked.rule_id,
        modality=asked.modality,
        since=begins(asked.told_from, asker.zone) if asked.told_from else None,
        before=is_over(asked.told_to, asker.zone) if asked.told_to else None,
    )


def extras_of_studies(
    call: AnyCall, connection: Connection, asked: NoticesAsked, rows: Sequence[StudyNotices]
) -> Mapping[str, Any]:
    return {
        "of_row": notices_of(connection, rows),
        "field_of": call.part(House).vocabulary().field,
        "unseen": count_new(connection),
        "bell_counts": COUNTED,
        "told_by_row": TOLD_BY_ROW,
    }


NOTICES = Listing(
    name="rules.notifications",
    title=N_("Notifications"),
    counts=NN_("%(num)s study", "%(num)s studies"),
    path="notifications",
    api_name="notifications_by_study",
    api_path="notifications/studies",
    tag="rules",
    summary="What rules told the dashboard, study by study.",
    record=StudyNotices,
    asked=NoticesAsked,
    query=find_studies,
    unique="id",
    order="-id",
    columns=(
        Column(name="state", label=N_("State"), form="own", sorts_by=()),
        Column(name="patient_name", label=N_("Patient"), form="own"),
        Column(name="study_date", label=N_("Study"), form="own"),
        Column(name="titles", label=N_("What"), form="own", sorts_by=()),
        Column(name="id", label=N_("When"), form="own"),
        Column(name="seen_at", label=N_("Seen"), form="own", narrow="c-1"),
    ),
    filters=(
        Filter(name="state", label=N_("State"), choices=SEEN_STATES),
        Filter(
            name="rule_id", label=N_("Rule"), find_choices=lambda _, connection: list_names(connection), width="wide"
        ),
        Filter(name="modality", label=N_("Modality"), width="short"),
        Filter(name="told_from", label=N_("Told from")),
        Filter(name="told_to", label=N_("to")),
        Filter(name="study_instance_uid", label="Study Instance UID", is_shown=False),
    ),
    empty=Empty(
        title=N_("Nobody was told anything yet"),
        text=N_("Rules with the action “tell somebody” write here."),
        filtered=N_("No notification fits these filters"),
    ),
    template="rules/notifications.html",
    extras=extras_of_studies,
)


class MessagesAsked(OfStudy):
    """Which notifications."""

    rule_id: Identifier | None = None
    """Of this rule."""
    channel: Literal["dashboard", "email", "webhook"] | None = None
    """`dashboard`, `email` or `webhook`."""
    state: Literal["waiting", "sent", "given up"] | None = None
    """`waiting`: nobody has seen it, or it is still to be sent; `sent`: seen or sent; `given up`."""


def find(asker: Asker, connection: Connection, asked: MessagesAsked) -> Select[Any]:
    study = asked_study(connection, asked.study_instance_uid, asked.orthanc_study_id, kept=[notification])
    return select_notices(study=study, rule_id=asked.rule_id, channel=asked.channel, state=asked.state)


def extras(call: AnyCall, connection: Connection, asked: MessagesAsked, notices: Sequence[Notice]) -> Mapping[str, Any]:
    studies = [
        StudyKey(orthanc_study_id=one.orthanc_study_id, study_instance_uid=one.study_instance_uid)
        for one in notices
        if one.orthanc_study_id and one.study_instance_uid
    ]
    return {"which": told_apart(connection, studies), "channels": CHANNELS}


MESSAGES = Listing(
    name="rules.messages",
    title=N_("Notices one by one"),
    counts=NN_("%(num)s notification", "%(num)s notifications"),
    path="notifications/messages",
    api_name="notifications",
    api_path="notifications",
    tag="rules",
    summary="What rules told the dashboard, and what they told or could not tell others.",
    record=Notice,
    asked=MessagesAsked,
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
    template="rules/messages.html",
    extras=extras,
)
