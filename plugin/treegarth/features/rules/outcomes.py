"""The list of what rules did, for people and for programs.

Of all rules only the order by number and the one by study have an index: one for each other order would cost every
study that a rule means, and a sort of a million outcomes takes about a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from treegarth.features.rules.model import Trigger
from treegarth.features.rules.store.outcomes import Outcome, select_outcomes
from treegarth.features.rules.store.rules import list_names
from treegarth.features.rules.tables import rule_outcome
from treegarth.features.rules.words import TRIGGER_NAMES
from treegarth.index.studies import asked_study
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.routes import Identifier
from treegarth.web.which_study import OfStudies


class OutcomesAsked(OfStudies):
    """Which outcomes."""

    rule_id: Identifier | None = None
    """Of this rule."""
    trigger: Trigger | None = None
    """Of what happened: `study stable`, `series stable`, `dose read`, `schedule` or `by hand`."""


def find(asker: Asker, connection: Connection, asked: OutcomesAsked) -> Select[Any]:
    study = asked_study(connection, asked.study_instance_uid, asked.orthanc_study_id, kept=[rule_outcome])
    return select_outcomes(study=study, rule_id=asked.rule_id, trigger=asked.trigger)


def extras(
    call: AnyCall, connection: Connection, asked: OutcomesAsked, outcomes: Sequence[Outcome]
) -> Mapping[str, Any]:
    return {"triggers": TRIGGER_NAMES}


OUTCOMES = Listing(
    name="rules.outcomes",
    title=N_("What rules did"),
    counts=NN_("%(num)s time", "%(num)s times"),
    path="rules/outcomes",
    api_name="rule_outcomes",
    api_path="rule-outcomes",
    tag="rules",
    summary="What rules did: each time that one matched a study.",
    record=Outcome,
    asked=OutcomesAsked,
    query=find,
    unique="id",
    order="-id",
    columns=(
        Column(name="id", label=N_("When"), form="moment"),
        Column(name="rule_name", label=N_("Rule")),
        Column(name="study_instance_uid", label=N_("Study"), form="study"),
        Column(name="trigger", label=N_("What happened"), narrow="c-2"),
        Column(name="actions", label=N_("Done"), sorts_by=()),
        Column(name="asked_by", label=N_("Asked by"), narrow="c-1"),
    ),
    filters=(
        Filter(name="rule_id", label=N_("Rule"), find_choices=lambda _, connection: list_names(connection)),
        Filter(name="trigger", label=N_("What happened"), choices=TRIGGER_NAMES, width="wide"),
        Filter(name="study", label=N_("Patient or study"), width="wide"),
        Filter(name="study_instance_uid", label="Study Instance UID", is_shown=False),
    ),
    empty=Empty(
        title=N_("No rule did anything yet"),
        text=N_("Each time that a rule matches a study, a line says here what it did."),
        filtered=N_("No rule did anything of this kind"),
    ),
    template="rules/outcomes.html",
    extras=extras,
)
