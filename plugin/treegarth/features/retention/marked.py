"""The lists of what policies are going to delete, by study and by object, for people and for programs.

Marks by study are grouped anew for every page, whatever the order. Objects have an index in the order of their studies
alone. Both are for the period of grace only: a million marks take about a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from treegarth.features.retention.store.marks import Mark, select_marks
from treegarth.features.retention.store.overview import MarkedStudy, marked_sum, select_marked_studies
from treegarth.features.retention.store.policies import POLICIES
from treegarth.features.retention.tables import prune_mark
from treegarth.features.retention.words import sentences
from treegarth.index.names import name_study
from treegarth.index.studies import StudyKey, asked_study, told_apart
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.routes import Identifier
from treegarth.web.which_study import OfStudies


class MarksAsked(OfStudies):
    """Which marks."""

    policy_id: Identifier | None = None
    """Of this policy."""


def find_study(connection: Connection, asked: MarksAsked) -> StudyKey | None:
    return asked_study(connection, asked.study_instance_uid, asked.orthanc_study_id, kept=[prune_mark])


def find_studies(asker: Asker, connection: Connection, asked: MarksAsked) -> Select[Any]:
    return select_marked_studies(study=find_study(connection, asked), policy_id=asked.policy_id)


def find_objects(asker: Asker, connection: Connection, asked: MarksAsked) -> Select[Any]:
    return select_marks(study=find_study(connection, asked), policy_id=asked.policy_id)


def with_studies(
    call: AnyCall, connection: Connection, asked: MarksAsked, studies: Sequence[MarkedStudy]
) -> Mapping[str, Any]:
    return {
        "sentences": sentences,
        "total": marked_sum(connection, study=find_study(connection, asked), policy_id=asked.policy_id),
        "any_on": bool(POLICIES.all(connection, only_on=True)),
    }


def with_objects(call: AnyCall, connection: Connection, asked: MarksAsked, marks: Sequence[Mark]) -> Mapping[str, Any]:
    study = find_study(connection, asked)
    return {
        "study": study,
        "name": study and name_study(connection, study.orthanc_study_id),
        "which": told_apart(connection, [*marks, *([study] if study else [])]),
        "sentences": sentences,
    }


def policy_names(_: AnyCall, connection: Connection) -> Mapping[str, str]:
    return {str(one.id): one.name for one in POLICIES.all(connection)}


FILTERS = (
    Filter(name="policy_id", label=N_("Policy"), find_choices=policy_names, width="wide"),
    Filter(name="study", label=N_("Patient or study"), width="wide"),
    Filter(name="study_instance_uid", label="Study Instance UID", is_shown=False),
)
STUDIES = Listing(
    name="retention.marked",
    title=N_("Marked for deletion"),
    counts=NN_("%(num)s study", "%(num)s studies"),
    path="retention/marked",
    api_name="retention_marked_studies",
    api_path="retention/marked-studies",
    tag="retention",
    summary="What policies are going to delete, by study, and when.",
    record=MarkedStudy,
    asked=MarksAsked,
    query=find_studies,
    unique=("orthanc_study_id", "policy_id"),
    chosen_by="orthanc_study_id",
    order="due_at",
    columns=(
        Column(name="study_instance_uid", label=N_("Study"), form="study"),
        Column(name="modalities", label=N_("Modalities"), form="modalities", sorts_by=(), narrow="c-2"),
        Column(name="instance_count", label=N_("Objects")),
        Column(name="size_bytes", label=N_("Size"), form="size"),
        Column(name="due_at", label=N_("Goes")),
        Column(name="policy", label=N_("Why"), form="own", narrow="c-1"),
        Column(name="rescue", label=N_("Rescue"), sorts_by=()),
    ),
    filters=FILTERS,
    empty=Empty(
        title=N_("Nothing is marked"),
        text=N_(
            "Policies look at the archive once a day. What they are going to delete stands here first, for the period "
            "of grace, and can be rescued by one click."
        ),
        filtered=N_("Nothing of this is marked"),
    ),
    template="retention/marked.html",
    extras=with_studies,
)
OBJECTS = Listing(
    name="retention.marked_objects",
    title=N_("Marked objects"),
    counts=NN_("%(num)s object", "%(num)s objects"),
    path="retention/marked/objects",
    api_name="retention_marked",
    api_path="retention/marked",
    tag="retention",
    summary="The objects that policies are going to delete, by study.",
    record=Mark,
    asked=MarksAsked,
    query=find_objects,
    unique="orthanc_instance_id",
    order="study_instance_uid",
    columns=(
        Column(name="study_instance_uid", label=N_("Study"), form="study"),
        Column(name="sop_instance_uid", label="SOP Instance UID"),
        Column(name="modality", label=N_("Modality"), form="modalities"),
        Column(name="remote_ae_title", label=N_("Source"), narrow="c-1"),
        Column(name="size_bytes", label=N_("Size"), form="size"),
        Column(name="policy", label=N_("Policy")),
        Column(name="due_at", label=N_("Goes")),
    ),
    filters=FILTERS,
    empty=Empty(
        title=N_("Nothing is marked"),
        text=N_("The objects that policies are going to delete stand here first, for the period of grace."),
        filtered=N_("Nothing of this is marked"),
    ),
    template="retention/marked_objects.html",
    extras=with_objects,
)
