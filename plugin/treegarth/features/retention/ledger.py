"""The list of what left the archive, for people and for programs.

The orders by state, size and policy have no index over a ledger that may have millions of entries: one costs every
deletion, and a sort of a million entries takes about a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import model_validator
from sqlalchemy import Connection, Select

from treegarth.features.retention.retrieval import BRINGING_BACK
from treegarth.features.retention.store.ledger import LedgerEntry, select_entries
from treegarth.features.retention.store.overview import name_studies
from treegarth.features.retention.tables import prune_ledger
from treegarth.features.retention.words import LEDGER_STATES
from treegarth.index.studies import asked_study, find_study, told_apart
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.routes import Text
from treegarth.web.which_study import WhichStudy
from treegarth.work.pages import work_part
from treegarth.work.store import recent

WORKS_SHOWN = 8


class LedgerAsked(WhichStudy):
    """Which entries."""

    uid: Text | None = None
    """Of the study of this UID or, where there is none, of the object."""
    study_instance_uid: Text | None = None
    """Of this study."""
    sop_instance_uid: Text | None = None
    """Of this object."""
    state: Literal["intended", "deleted", "kept"] | None = None
    """`deleted`; `intended`: is being deleted; `kept`: was not deleted after all."""

    @model_validator(mode="after")
    def _names_a_study_of_a_uid(self) -> LedgerAsked:
        if self.orthanc_study_id and not self.study_instance_uid and not self.uid:
            raise ValueError(N_("orthanc_study_id says which study of a study_instance_uid: give that, too."))
        return self


def find(asker: Asker, connection: Connection, asked: LedgerAsked) -> Select[Any]:
    which, uid = asked.orthanc_study_id, (asked.uid or "").strip()
    study = asked_study(connection, asked.study_instance_uid, which, kept=[prune_ledger])
    of_uid = find_study(connection, uid, which, kept=[prune_ledger]) if uid else None
    return select_entries(
        studies=[one for one in (study, of_uid) if one],
        sop_instance_uids=[one for one in (asked.sop_instance_uid, None if of_uid else uid) if one],
        state=asked.state,
    )


def extras(
    call: AnyCall, connection: Connection, asked: LedgerAsked, entries: Sequence[LedgerEntry]
) -> Mapping[str, Any]:
    asked_back = recent(connection, BRINGING_BACK.name, limit=WORKS_SHOWN)
    return {
        "names": name_studies(connection, entries),
        "which": told_apart(connection, entries),
        "states": LEDGER_STATES,
        "asked_back": [work_part(call, one) for one in asked_back],
        "busy": any(one.is_running for one in asked_back),
    }


LEDGER = Listing(
    name="retention.ledger",
    title=N_("Ledger"),
    counts=NN_("%(num)s entry", "%(num)s entries"),
    path="retention/ledger",
    api_name="retention_ledger",
    api_path="retention/ledger",
    tag="retention",
    summary="What left the archive: when, by which policy or whose hand, on which proof.",
    record=LedgerEntry,
    asked=LedgerAsked,
    query=find,
    unique="id",
    order="-id",
    columns=(
        Column(name="state", label=N_("State")),
        Column(name="id", label=N_("When"), form="moment"),
        Column(name="patient", label=N_("Patient"), sorts_by=()),
        Column(name="study_instance_uid", label=N_("Study"), narrow="c-2"),
        Column(name="sop_instance_uid", label=N_("Object")),
        Column(name="size_bytes", label=N_("Size"), form="size"),
        Column(name="policy", label=N_("Policy")),
        Column(name="proof", label=N_("Proved at"), sorts_by=(), narrow="c-1"),
        Column(name="now", label=N_("Now"), sorts_by=()),
    ),
    filters=(
        Filter(name="uid", label=N_("Study or SOP Instance UID"), width="uid"),
        Filter(name="study_instance_uid", label="Study Instance UID", is_shown=False),
        Filter(name="sop_instance_uid", label="SOP Instance UID", is_shown=False),
        Filter(
            name="state",
            label=N_("State"),
            choices={key: words for key, (_, words) in LEDGER_STATES.items() if key != "returned"},
            width="wide",
        ),
    ),
    empty=Empty(
        title=N_("Nothing left the archive yet"),
        text=N_(
            "Every object that a policy or somebody else deletes gets an entry here: when, why, on which proof, and "
            "where it is now. From there it can be brought back."
        ),
        filtered=N_("The ledger has nothing of this"),
        advice=N_(
            "It has an entry for every object that left the archive, whoever deleted it. What is not in it is here, or "
            "never was."
        ),
    ),
    template="retention/ledger.html",
    extras=extras,
)
