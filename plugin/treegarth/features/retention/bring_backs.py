"""The list of what was asked back, for people and for programs. People ask: its orders need no index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Select

from treegarth.features.retention.store.ledger import BringBack, select_bring_backs
from treegarth.features.retention.store.overview import name_studies
from treegarth.features.retention.tables import prune_ledger
from treegarth.features.retention.words import WISH_STATES
from treegarth.index.studies import asked_study, told_apart
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.which_study import OfStudy


class BringBacksAsked(OfStudy):
    """Which wishes."""

    state: Literal["waiting", "done", "partly", "failed"] | None = None
    """`waiting`: on its way; `done`; `partly`: some did not arrive; `failed`: none arrived."""


def find(call: AnyCall, connection: Connection, asked: BringBacksAsked) -> Select[Any]:
    study = asked_study(connection, asked.study_instance_uid, asked.orthanc_study_id, kept=[prune_ledger])
    return select_bring_backs(study=study, state=asked.state)


def extras(
    call: AnyCall, connection: Connection, asked: BringBacksAsked, wishes: Sequence[BringBack]
) -> Mapping[str, Any]:
    return {
        "names": name_studies(connection, wishes),
        "which": told_apart(connection, wishes),
        "states": WISH_STATES,
        "busy": any(one.state == "waiting" for one in wishes),
    }


BRING_BACKS = Listing(
    name="retention.bring_backs",
    title=N_("Brought back"),
    counts=NN_("%(num)s time", "%(num)s times"),
    path="retention/bring-backs",
    api_name="bring_backs",
    api_path="retention/bring-backs",
    tag="retention",
    summary="What was asked back, and how far it is.",
    record=BringBack,
    asked=BringBacksAsked,
    query=find,
    unique="id",
    order="-asked_at",
    columns=(
        Column(name="state", label=N_("State")),
        Column(name="asked_at", label=N_("When")),
        Column(name="patient", label=N_("Patient"), sorts_by=()),
        Column(name="study_instance_uid", label=N_("Study"), narrow="c-2"),
        Column(name="asked_by", label=N_("Asked by"), narrow="c-1"),
        Column(name="object_count", label=N_("Objects")),
        Column(name="arrived_count", label=N_("Arrived")),
        Column(name="attempts", label=N_("Attempts"), narrow="c-2"),
        Column(name="finished_at", label=N_("Finished"), narrow="c-2"),
        Column(name="last_error", label=N_("Reason"), form="own", sorts_by=(), narrow="c-1"),
    ),
    filters=(
        Filter(name="state", label=N_("State"), choices={key: words for key, (_, words) in WISH_STATES.items()}),
        Filter(name="study_instance_uid", label="Study Instance UID", width="uid"),
    ),
    empty=Empty(
        title=N_("Nothing was asked back yet"),
        text=N_("What left the archive can be brought back from its entry in the ledger or from its study's page."),
        filtered=N_("Nothing of this was asked back"),
    ),
    template="retention/bring_backs.html",
    extras=extras,
)
