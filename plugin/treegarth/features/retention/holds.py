"""The list of holds, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from treegarth.features.retention import tables
from treegarth.features.retention.model import HoldKind
from treegarth.features.retention.store.holds import Hold, select_holds
from treegarth.features.retention.words import HOLD_KINDS
from treegarth.index.studies import asked_study
from treegarth.phrases import N_, NN_
from treegarth.web import study_choice
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.which_study import OfStudies

NOTHING = {"kind": "legal", "reason": "", "until": ""}


class HoldsAsked(OfStudies):
    """Which holds."""

    kind: HoldKind | None = None
    """Of this kind: `legal`, `teaching` or `project`."""
    all: bool = False
    """Also those that were released or are over."""


def find(asker: Asker, connection: Connection, asked: HoldsAsked) -> Select[Any]:
    study = asked_study(connection, asked.study_instance_uid, asked.orthanc_study_id, kept=[tables.hold])
    return select_holds(now=asker.now, study=study, kind=asked.kind, only_in_force=not asked.all)


def extras(call: AnyCall, connection: Connection, asked: HoldsAsked, holds: Sequence[Hold]) -> Mapping[str, Any]:
    return {
        "kinds": HOLD_KINDS,
        "given": NOTHING,
        "wrong": {},
        "choice": study_choice.NOTHING,
    }


HOLDS = Listing(
    name="retention.holds",
    title=N_("Holds"),
    counts=NN_("%(num)s hold", "%(num)s holds"),
    path="retention/holds",
    api_name="retention_holds",
    api_path="retention/holds",
    tag="retention",
    summary="Which studies nothing may be pruned of.",
    record=Hold,
    asked=HoldsAsked,
    query=find,
    unique="id",
    order="-set_at",
    columns=(
        Column(name="kind", label=N_("Kind")),
        Column(name="study_instance_uid", label=N_("Study"), form="study"),
        Column(name="reason", label=N_("Reason")),
        Column(name="set_by", label=N_("Set by"), narrow="c-4"),
        Column(name="set_at", label=N_("Set"), narrow="c-1"),
        Column(name="until", label=N_("Until")),
        Column(name="release", label=N_("Release"), sorts_by=()),
    ),
    filters=(
        Filter(name="kind", label=N_("Kind"), choices=HOLD_KINDS, width="wide"),
        Filter(name="study", label=N_("Patient or study"), width="wide"),
        Filter(name="study_instance_uid", label="Study Instance UID", is_shown=False),
        Filter(name="all", label=N_("Also released ones"), choices={"true": N_("yes")}),
    ),
    empty=Empty(
        title=N_("No study is on hold"),
        text=N_(
            "A hold forbids that anything of a study is pruned, whatever policies say: for a court, for teaching, for "
            "a project. Set one here or on the study's page, or let a rule do it by its action “hold”."
        ),
        filtered=N_("No hold fits these filters"),
    ),
    template="retention/holds.html",
    extras=extras,
)
