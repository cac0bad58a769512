"""The lists of what left the archive, by study and by object, for people and for programs.

Studies stand in the order in which they left by an index; every other order sorts what the filters leave. Of objects
the orders by state, size and policy have no index over a ledger that may have millions of entries: one costs every
deletion, and a sort of a million entries takes about a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Select

from treegarth.features.retention.marked import policy_names
from treegarth.features.retention.retrieval import BRINGING_BACK
from treegarth.features.retention.store.ledger import LedgerEntry, select_entries
from treegarth.features.retention.store.ledger_studies import (
    LedgerStudy,
    holders,
    read_study,
    select_studies,
    who_has,
)
from treegarth.features.retention.words import LEDGER_STATES
from treegarth.index.studies import asked_study
from treegarth.index.tables import departed_study
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.lists import Day, LastDay, begins, is_over
from treegarth.web.routes import Identifier, Text
from treegarth.web.which_study import OfStudies
from treegarth.work.pages import work_part
from treegarth.work.store import latest, recent

WORKS_SHOWN = 8
BY = {"policy": N_("a policy"), "others": N_("somebody else")}


class LedgerAsked(OfStudies):
    """Which studies."""

    left_from: Day | None = None
    """Of which the last object left on this day or later."""
    left_to: LastDay = None
    """Of which the last object left on this day or before."""
    by: Literal["policy", "others"] | None = None
    """`policy`: a policy deleted of it; `others`: somebody else did in Orthanc, or Orthanc made room."""
    policy_id: Identifier | None = None
    """Of which this policy deleted."""
    state: Literal["deleted", "intended", "returned", "kept"] | None = None
    """`deleted`: something is gone; `intended`: something is about to be deleted; `returned`: all is here again;
    `kept`: nothing was deleted after all."""
    study_date_from: Day | None = None
    study_date_to: LastDay = None


class EntriesAsked(OfStudies):
    """Which entries."""

    sop_instance_uid: Text | None = None
    """Of this object."""
    state: Literal["intended", "deleted", "kept"] | None = None
    """`deleted`; `intended`: is being deleted; `kept`: was not deleted after all."""


def find(asker: Asker, connection: Connection, asked: LedgerAsked) -> Select[Any]:
    search = asker.search
    return select_studies(
        found=search.of_departed(asked.study) if search and asked.study else (),
        uid=asked.study,
        study=asked_study(connection, asked.study_instance_uid, asked.orthanc_study_id, kept=[departed_study]),
        state=asked.state,
        by=asked.by,
        policy_id=asked.policy_id,
        left_from=begins(asked.left_from, asker.zone) if asked.left_from else None,
        left_before=is_over(asked.left_to, asker.zone) if asked.left_to else None,
        study_date_from=asked.study_date_from,
        study_date_to=asked.study_date_to,
    )


def find_entries(asker: Asker, connection: Connection, asked: EntriesAsked) -> Select[Any]:
    study = asked_study(connection, asked.study_instance_uid, asked.orthanc_study_id, kept=[departed_study])
    return select_entries(study=study, sop_instance_uid=asked.sop_instance_uid, state=asked.state)


def extras(
    call: AnyCall, connection: Connection, asked: LedgerAsked, studies: Sequence[LedgerStudy]
) -> Mapping[str, Any]:
    asked_back = recent(connection, BRINGING_BACK.name, limit=WORKS_SHOWN)
    return {
        "who_has": who_has(connection, [one.orthanc_study_id for one in studies]),
        "states": LEDGER_STATES,
        "asked_back": [work_part(call, one, connection) for one in asked_back],
        "busy": any(one.is_running for one in asked_back),
    }


def with_study(
    call: AnyCall, connection: Connection, asked: EntriesAsked, entries: Sequence[LedgerEntry]
) -> Mapping[str, Any]:
    """What the page of one study says above its objects."""
    key = asked_study(connection, asked.study_instance_uid, asked.orthanc_study_id, kept=[departed_study])
    study = read_study(connection, key) if key is not None else None
    work = latest(connection, BRINGING_BACK.name, study.orthanc_study_id) if study else None
    return {
        "study": study,
        "places": holders(connection, study.orthanc_study_id) if study else (),
        "states": LEDGER_STATES,
        "work": work_part(call, work) if work else None,
        "busy": work is not None and work.is_running,
    }


STATES = {key: words for key, (_, words) in LEDGER_STATES.items()}
LEDGER = Listing(
    name="retention.ledger",
    title=N_("Ledger"),
    counts=NN_("%(num)s study", "%(num)s studies"),
    path="retention/ledger",
    api_name="retention_ledger",
    api_path="retention/ledger",
    tag="retention",
    summary="What left the archive, by study: whose it was, how much, when, by which policy or somebody else.",
    record=LedgerStudy,
    asked=LedgerAsked,
    query=find,
    unique="orthanc_study_id",
    order="-left_at",
    columns=(
        Column(name="study_instance_uid", label=N_("Study"), form="study", sorts_by=("patient_name",)),
        Column(name="modalities", label=N_("Modalities"), form="modalities", sorts_by=(), narrow="c-2"),
        Column(name="accession_number", label=N_("Accession number"), narrow="c-1"),
        Column(name="state", label=N_("State"), form="own"),
        Column(name="instance_count", label=N_("Objects gone")),
        Column(name="size_bytes", label=N_("Size"), form="size"),
        Column(name="left_at", label=N_("Gone since")),
        Column(name="by", label=N_("By"), form="own", sorts_by=()),
        Column(name="now", label=N_("Who has it"), form="own", sorts_by=()),
    ),
    filters=(
        Filter(name="study", label=N_("Patient or study"), width="wide"),
        Filter(name="left_from", label=N_("Left from")),
        Filter(name="left_to", label=N_("Left until")),
        Filter(name="by", label=N_("Deleted by"), choices=BY),
        Filter(name="state", label=N_("State"), choices=STATES),
        Filter(name="policy_id", label=N_("Policy"), find_choices=policy_names, width="wide", is_more=True),
        Filter(name="study_date_from", label=N_("Study date from"), is_more=True),
        Filter(name="study_date_to", label=N_("Study date until"), is_more=True),
        Filter(name="study_instance_uid", label="Study Instance UID", is_shown=False),
    ),
    empty=Empty(
        title=N_("Nothing left the archive yet"),
        text=N_(
            "Every study that a policy or somebody else deletes of gets a row here: whose it was, when, why, on which "
            "proof, and who has it now. From there it can be brought back."
        ),
        filtered=N_("The ledger has nothing of this"),
        advice=N_(
            "It has a row for every study that objects left of, whoever deleted them. What is not in it is here, or "
            "never was."
        ),
    ),
    searches=True,
    template="retention/ledger.html",
    extras=extras,
)
ENTRY_COLUMNS = (
    Column(name="state", label=N_("State"), form="own"),
    Column(name="id", label=N_("When"), form="own"),
    Column(name="study_instance_uid", label=N_("Study"), form="study"),
    Column(name="modality", label=N_("Modality"), form="modalities"),
    Column(name="sop_instance_uid", label=N_("Object")),
    Column(name="size_bytes", label=N_("Size"), form="size"),
    Column(name="policy", label=N_("By"), form="own"),
    Column(name="proof", label=N_("Proved at"), form="own", sorts_by=(), narrow="c-1"),
    Column(name="now", label=N_("Now"), form="own", sorts_by=()),
)
ENTRIES = Listing(
    name="retention.ledger_objects",
    title=N_("Objects of the ledger"),
    counts=NN_("%(num)s entry", "%(num)s entries"),
    path="retention/ledger/objects",
    api_name="retention_ledger_objects",
    api_path="retention/ledger/objects",
    tag="retention",
    summary="The objects that left the archive, those of a study or all: when, by whose hand, on which proof.",
    record=LedgerEntry,
    asked=EntriesAsked,
    kept=("study_instance_uid", "orthanc_study_id"),
    query=find_entries,
    unique="id",
    order="-id",
    columns=ENTRY_COLUMNS,
    shown=lambda asked, _: [one for one in ENTRY_COLUMNS if one.form != "study" or not asked.study_instance_uid],
    filters=(
        Filter(
            name="state",
            label=N_("State"),
            choices={key: words for key, words in STATES.items() if key != "returned"},
            width="wide",
        ),
        Filter(name="study", label=N_("Patient or study"), width="wide"),
        Filter(name="sop_instance_uid", label="SOP Instance UID", width="uid", is_more=True),
    ),
    empty=Empty(
        title=N_("Nothing left the archive yet"),
        text=N_("Every object that a policy or somebody else deletes gets an entry here."),
        filtered=N_("The ledger has nothing of this"),
        advice=N_(
            "It has an entry for every object that left the archive, whoever deleted it. What is not in it is here, or "
            "never was."
        ),
    ),
    template="retention/ledger_objects.html",
    extras=with_study,
)
